"""The lab of OVN itself, without pipework's kind: traffic, what dies, TLS, and that nothing survives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import machine as this_machine
from .ovn import KEYS, NB
from .ovn_state import BYTES, bindings, northbound, send_bytes
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ovn import OvnFleet, OvnMachine


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Look, when the lab has ended, for what it started."""
    before = this_machine.snapshot()
    yield
    assert not this_machine.differences(before, this_machine.snapshot())


def attach(ovn: OvnFleet, machine: OvnMachine, guest: str, address: str) -> str:
    """Give a new guest eth1 on the switch `blue` by hand, and return the name of its port."""
    port = f"{machine.name}-{guest}"
    machine.netns(guest)
    peer = ("peer", "name", "eth1", "mtu", "1442", "netns", guest)
    machine.run("ip", "link", "add", f"v-{guest}", "mtu", "1442", "up", "type", "veth", *peer)
    machine.run("ip", "-n", guest, "address", "add", f"{address}/24", "dev", "eth1")
    machine.run("ip", "-n", guest, "link", "set", "eth1", "up")
    machine.run(*machine.enter(guest), "ethtool", "-K", "eth1", "tx", "off")
    ovn.nb("--may-exist", "ls-add", "blue", "--", "lsp-add", "blue", port)
    ovn.nb("lsp-set-addresses", port, "unknown")
    plug = ("add-port", "br-int", f"v-{guest}", "--", "set", "interface", f"v-{guest}")
    machine.switch.vsctl(*plug, f"external_ids:iface-id={port}")
    machine.switch.vsctl("wait-until", "interface", f"v-{guest}", "external_ids:ovn-installed=true")
    return port


def test_guests_of_two_machines_share_a_switch(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    ports = attach(ovn, one, "web1", "10.1.0.1"), attach(ovn, two, "web2", "10.1.0.2")
    assert one.ping("web1", "10.1.0.2")
    assert not one.ping("web1", "10.1.0.3", within=0)
    assert send_bytes(one, "web1", two, "web2", "10.1.0.2") == BYTES
    assert bindings(ovn) == {ports[0]: "host1", ports[1]: "host2"}


def test_a_machine_is_reached_by_ssh_from_the_desk(ovn: OvnFleet) -> None:
    assert ovn.desk.run("ssh", "root@host2", "hostname").stdout == "host2\n"
    ovn.desk.pipework("--driver", ovn["host2"].uri, "br7", ovn["host2"].netns("far"), "10.7.0.1/24")
    assert "10.7.0.1/24" in ovn["host2"].run("ip", "-n", "far", "address", "show", "dev", "eth1").stdout


def test_state_sees_a_port_by_its_name_and_not_that_it_is_up(ovn: OvnFleet) -> None:
    ovn.nb("ls-add", "seen")
    before = northbound(ovn)
    attach(ovn, ovn["host1"], "seen1", "10.1.0.11")
    ovn.nb("lsp-del", "host1-seen1")
    assert northbound(ovn) == before
    for _ in range(2):  # the second port has another UUID
        ovn.nb("lsp-add", "seen", "again")
        after = northbound(ovn)
        assert after["Logical_Switch_Port"] != before["Logical_Switch_Port"]
        assert "Logical_Switch_Port again" in str(after["Logical_Switch"])
        ovn.nb("lsp-del", "again")


def test_databases_are_killed_and_come_back(ovn: OvnFleet) -> None:
    for daemon in (ovn.northbound, ovn.southbound, ovn.northd):
        daemon.kill()
    refused = ovn.desk.run("ovn-nbctl", "--timeout=2", "show", check=False)
    assert "Connection refused" in refused.stderr
    for daemon in (ovn.northbound, ovn.southbound, ovn.northd):
        daemon.start()
    attach(ovn, ovn["host1"], "late", "10.1.0.21")
    attach(ovn, ovn["host2"], "later", "10.1.0.22")
    assert ovn["host1"].ping("late", "10.1.0.22")


def test_daemons_of_a_machine_are_killed_and_come_back(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    attach(ovn, one, "old1", "10.1.0.31")
    attach(ovn, ovn["host2"], "old2", "10.1.0.32")
    one.switch_daemon.kill()
    assert not one.ping("old1", "10.1.0.32", within=0)
    one.restart_switch()
    one.controller.leave()
    assert eventually(lambda: "host1" not in ovn.sb("--columns=name", "list", "chassis"))
    one.controller.start()
    assert one.ping("old1", "10.1.0.32", within=15)


def test_a_machine_without_power_says_nothing_and_comes_back_empty(ovn: OvnFleet) -> None:
    two = ovn["host2"]
    attach(ovn, two, "gone", "10.1.0.41")
    two.power_off()
    assert bindings(ovn)["host2-gone"] == "host2"
    ovn.power_on(two)
    assert "gone" not in two.run("ip", "netns", "list").stdout
    attach(ovn, two, "new", "10.1.0.42")
    assert ovn.desk.run("ssh", "root@host2", "true").returncode == 0


def test_tls_takes_the_place_of_plain_tcp(ovn: OvnFleet) -> None:
    ovn.switch_to_tls()
    one = ovn["host1"]
    address = NB.replace("tcp:", "ssl:")
    options = ("-p", KEYS["key"], "-c", KEYS["cert"], "-C", KEYS["ca"])
    assert one.run("ovn-nbctl", "--timeout=5", f"--db={address}", *options, "ls-list").returncode == 0
    assert one.run("ovn-nbctl", "--timeout=2", f"--db={NB}", "ls-list", check=False).returncode != 0


def test_killed_test_process_leaves_nothing(ovn: OvnFleet) -> None:
    del ovn  # its fixture says whether there is OVN
    script = (
        "import time; from tests.lab.ovn import OvnFleet;"
        "fleet = OvnFleet(1).__enter__(); print(fleet.desk.pid, flush=True); time.sleep(1000)"
    )
    folder = Path(__file__).parents[2]
    with subprocess.Popen((sys.executable, "-c", script), cwd=folder, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        tests.stdout.readline()
        assert len(this_machine.owned_processes(tests.pid)) > 8
        tests.kill()
    assert eventually(lambda: this_machine.owned_processes(tests.pid) == ())
