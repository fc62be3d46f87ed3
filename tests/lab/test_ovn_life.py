"""The life of attachments to OVN: listed, compared, replaced, collected, and forgotten with a machine that is gone."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.plugins.manager import PluginManager

from . import promises
from .doctor import examine_for, mend
from .ovn_state import WholeMachine, end_guests, look_after, northbound, switch_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .ovn import OvnFleet, OvnMachine

#: Of the northbound database.
TABLE = "Logical_Switch_Port"
FILE = """
version: 1
links:
  - ovn:blue web1 10.1.0.1/24
"""


@pytest.fixture(autouse=True)
def _nothing_is_left(ovn: OvnFleet) -> Iterator[None]:
    """Look, after each test, whether the databases are as they were once its guests are gone."""
    yield from look_after(ovn)


def until(done: Callable[[], bool]) -> None:
    """Wait for the kernel, or for OVN."""
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ls(machine: OvnMachine) -> list[tuple[str, str, str, str]]:
    """Return guest, kind, switch and state of what is listed."""
    told = json.loads(machine.pipework("ls", "--json").stdout)["attachments"]
    return [(row["guest"]["name"] if row["guest"] else "", row["kind"], row["on"], row["state"]) for row in told]


def compare(machine: OvnMachine) -> str:
    """Return how the machine differs from the file."""
    machine.write("/run/site.yaml", FILE)
    done = machine.pipework("status", "-f", "/run/site.yaml", check=False)
    assert done.returncode in {0, 3}, done.stderr
    assert (done.returncode == 0) == (done.stdout == "")
    return done.stdout


def forget(name: str) -> None:
    """Remove what a machine left, as a person says that it is gone; to be called inside a machine."""
    plugins = PluginManager(warn=print)
    driver = plugins.open_driver()
    done = Engine(plugins=plugins, driver=driver, signals=Signals()).forget_machine(name)
    print("".join(f"{command.reason}\n" for command in done.gone), *done.plan.notes)
    assert not done.failed
    driver.close()


def test_what_is_attached_is_listed_and_drawn_on_its_switch(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.pipework("ovn:blue", one.netns("web1"), "10.1.0.1/24")
    assert ls(one) == [("web1", "ovn", "blue", "up")]
    nodes = {node["id"]: node["kind"] for node in json.loads(one.pipework("graph", "--json").stdout)["nodes"]}
    assert nodes["ovn:blue"] == "ovn"
    assert nodes["host:br-int"] == "ovs"
    one.controller.leave()
    try:
        until(lambda: ls(one) == [("web1", "ovn", "blue", "down")])
    finally:
        one.controller.start()
    until(lambda: ls(one) == [("web1", "ovn", "blue", "up")])
    ovn.northbound.kill()
    try:
        assert ls(one) == [("web1", "ovn", "blue", "up")]
        assert "nothing is left over" in one.pipework("gc").stderr
    finally:
        ovn.northbound.start()


def test_a_guest_that_is_gone_is_detached_from_both_sides(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    before = northbound(ovn), switch_state(one)
    one.pipework("ovn:blue", one.netns("web1"), "10.1.0.1/24")
    one.run("ip", "netns", "delete", "web1")
    until(lambda: ls(one) == [("web1", "ovn", "blue", "orphan")])
    one.pipework("detach", "netns:web1")
    assert (northbound(ovn), switch_state(one)) == before


def test_each_part_that_does_not_hold_is_a_sentence_of_status(ovn: OvnFleet) -> None:
    one, port = ovn["host1"], "host1/web1/eth1"
    one.netns("web1")
    one.write("/run/site.yaml", FILE)
    assert compare(one) == "web1 eth1: is missing\n"
    one.pipework("up", "-f", "/run/site.yaml")
    assert compare(one) == ""
    end = one.switch.vsctl("--bare", "--columns=name", "find", "interface", f'external_ids:iface-id="{port}"')
    wrong = "02:00:00:00:00:09 10.1.0.9"
    chassis = ("--", "set", TABLE, port, "options:requested-chassis=host2")
    ovn.nb("lsp-set-addresses", port, wrong, "--", "lsp-set-port-security", port, *chassis)
    said = compare(one)
    assert f": set {port} right: addresses is {wrong} in place of " in said
    assert "; port_security is empty in place of " in said
    assert "; requested-chassis is host2 in place of host1\n" in said
    mend_all(one)
    ovn.nb("lsp-del", port)
    one.run("ip", "link", "set", end, "down")
    one.switch.vsctl("set", "interface", end, "external_ids:iface-id=nobody")
    said = compare(one)
    assert f": make {port} a port of the logical switch blue\n" in said
    assert f": raise {end}\n" in said
    mend_all(one)
    one.switch.vsctl("del-port", end)
    assert f": plug {end} into br-int as {port}\n" in compare(one)
    mend_all(one)
    one.controller.leave()
    try:
        assert "set up by ovn-controller of host1" in compare(one)
    finally:
        one.controller.start()
    until(lambda: compare(one) == "")


def mend_all(machine: OvnMachine) -> None:
    """Let the machine become what the file says."""
    machine.pipework("up", "-f", "/run/site.yaml")
    assert compare(machine) == ""


def test_a_machine_that_got_another_system_id_keeps_its_guests(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.netns("web1")
    one.write("/run/site.yaml", FILE)
    one.pipework("up", "-f", "/run/site.yaml")
    try:
        rename(ovn, one, "other1")
        assert "requested-chassis is host1 in place of other1" in compare(one)
        one.pipework("up", "-f", "/run/site.yaml")
        assert compare(one) == ""
        assert ovn.nb("get", "Logical_Switch_Port", "host1/web1/eth1", "options:requested-chassis") == "other1"
        end_guests(one)
    finally:
        rename(ovn, one, "host1")


def rename(ovn: OvnFleet, machine: OvnMachine, name: str) -> None:
    """Let OVN call the machine otherwise, as after a new installation."""
    machine.controller.leave()
    machine.switch.vsctl("set", "open", ".", f"external_ids:system-id={name}")
    machine.controller.start()
    until(lambda: name in ovn.sb("--bare", "--columns=name", "list", "Chassis").split())


def test_what_a_killed_run_left_is_listed_and_collected(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.netns("web1")
    whole = WholeMachine(ovn, one)
    before = whole.state(["web1"])
    for step, state in ((4, "unfinished"), (5, "unfinished"), (7, "unfinished")):
        assert promises.sabotage(one, "kill", step, "ovn:blue", "web1", "10.1.0.1/24").code == -9
        assert ls(one) == [("web1", "ovn", "blue", state)], f"killed behind step {step}"
        one.pipework("gc")
        assert whole.state(["web1"]) == before, f"killed behind step {step}"


def test_gc_takes_away_what_a_dead_guest_left_and_nothing_of_anybody_else(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    one.pipework("ovn:blue", one.netns("web1"), "10.1.0.1/24")
    two.pipework("ovn:blue", two.netns("web1"), "10.1.0.2/24")
    ovn.nb("lsp-add", "blue", "theirs", "--", "lsp-add", "blue", "host1/mine/eth1")
    before = northbound(ovn)
    one.pipework("ovn:blue", one.netns("web2"), "10.1.0.3/24")
    one.pipework("ovn:red", one.netns("web3"), "udhcpc", "-o", "subnet=10.2.0.0/24")
    for guest in ("web2", "web3"):
        one.run("ip", "netns", "delete", guest)
    until(lambda: ls(one)[1:] == [("web2", "ovn", "blue", "orphan"), ("web3", "ovn", "red", "orphan")])
    assert "lsp-del host1/web2/eth1" in one.pipework("gc", "--dry-run").stdout
    said = one.pipework("gc").stdout
    assert "remove the logical port host1/web2/eth1 of blue" in said
    assert northbound(ovn) == before
    assert ls(one) == [("web1", "ovn", "blue", "up")]
    # The switch is pipework's, and stays as long as anybody has a port of it.
    for machine in (one, two):
        machine.pipework("detach", "web1")
    assert "theirs" in ovn.nb("lsp-list", "blue")
    ovn.nb("lsp-del", "theirs", "--", "lsp-del", "host1/mine/eth1")
    assert one.pipework("gc").stdout == "remove the logical switch blue, which has no port\n"


def test_ports_that_others_plugged_in_are_theirs(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    ovn.nb("ls-add", "theirs", "--", "lsp-add", "theirs", "vm1")
    one.run("ip", "link", "add", "tap1", "type", "veth", "peer", "tap1-far")
    plug = ("add-port", "br-int", "tap1", "--", "set", "interface", "tap1", "external_ids:iface-id=vm1")
    one.switch.vsctl(*plug)
    before = switch_state(one)
    assert ls(one) == []
    assert one.pipework("gc").stdout == ""
    one.run("ip", "link", "delete", "tap1")
    assert one.pipework("gc").stdout == ""
    assert switch_state(one) == before
    one.switch.vsctl("del-port", "tap1")
    ovn.nb("ls-del", "theirs")


def test_a_guest_moves_between_a_bridge_and_a_logical_switch(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.netns("web1")
    whole = WholeMachine(ovn, one)
    before = whole.state(["web1"])
    one.pipework("br1", "web1", "10.1.0.1/24")
    with_bridge = northbound(ovn)
    one.pipework("--replace", "ovn:blue", "web1", "10.1.0.1/24")
    assert ls(one) == [("web1", "ovn", "blue", "up")]
    one.pipework("--replace", "ovn:red", "web1", "10.1.0.1/24")
    assert ls(one) == [("web1", "ovn", "red", "up")]
    one.pipework("--replace", "br1", "web1", "10.1.0.1/24")
    assert ls(one) == [("web1", "bridge", "br1", "up")]
    assert northbound(ovn) == with_bridge
    one.pipework("detach", "web1")
    assert whole.state(["web1"]) == before


def test_a_guest_that_is_started_again_is_attached_again_under_its_old_name(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    request = ("ovn:blue", "web1", "10.1.0.1/24")
    one.pipework("ovn:blue", one.netns("web2"), "10.1.0.2/24")
    one.netns("web1")
    one.pipework(*request)
    uuid = ovn.nb("get", "Logical_Switch_Port", "host1/web1/eth1", "_uuid")
    one.run("ip", "netns", "delete", "web1")
    one.netns("web1")
    one.pipework(*request)
    assert ovn.nb("get", "Logical_Switch_Port", "host1/web1/eth1", "_uuid") == uuid
    assert one.ping("web2", "10.1.0.1")
    assert one.pipework("gc").stdout == ""


def test_a_machine_without_power_is_forgotten_by_its_name(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    one.pipework("ovn:blue", one.netns("web1"), "10.1.0.1/24")
    before = northbound(ovn)
    two.pipework("ovn:blue", two.netns("web2"), "10.1.0.2/24")
    two.pipework("ovn:red", two.netns("web3"), "udhcpc", "-o", "subnet=10.2.0.0/24")
    two.power_off()
    try:
        # Nothing in the database says that it is gone, so gc leaves it.
        assert one.pipework("gc").stdout == ""
        code, _, said = one.call(partial(forget, "host2"))
        assert code == 0, said
        assert "remove the logical port host2/web2/eth1" in said
        assert "ovn-sbctl chassis-del host2" in said
        assert northbound(ovn) == before
    finally:
        ovn.sb("chassis-del", "host2")
        ovn.power_on(two)


def test_doctor_names_what_a_chassis_lacks(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    assert examine_for("ovn", one) == []
    one.switch.vsctl("set", "open", ".", "external_ids:ovn-encap-ip=172.30.9.9")
    (finding,) = examine_for("ovn", one)
    assert "begin at 172.30.9.9, which no interface" in finding["what"]
    one.switch.vsctl("set", "open", ".", f"external_ids:ovn-encap-ip={one.address}")
    one.switch.vsctl("remove", "open", ".", "external_ids", "ovn-encap-type")
    (finding,) = examine_for("ovn", one)
    assert "lacks ovn-encap-type" in finding["what"]
    mend(one, finding)
    assert examine_for("ovn", one) == []
    one.switch.vsctl("set", "open", ".", "external_ids:ovn-nb=tcp:172.30.0.254:9")
    (finding,) = examine_for("ovn", one)
    assert "northbound database of OVN does not answer" in finding["what"]
    one.switch.vsctl("set", "open", ".", "external_ids:ovn-nb=tcp:172.30.0.254:6641")
    one.controller.leave()
    (finding,) = examine_for("ovn", one)
    assert "ovn-controller does not answer" in finding["what"]
    one.controller.start()
    until(lambda: examine_for("ovn", one) == [])
