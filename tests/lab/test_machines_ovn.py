"""One file over machines of an OVN deployment: few transactions, one pool, moves, and a machine that is gone."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from .ovn import OvnFleet
from .ovn_state import BYTES, northbound, send_bytes, switch_state
from .parts import require
from .test_ovn import list_ports

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from .ovn import OvnMachine

FILE = "/run/lab/site.yaml"
MACHINES = ("host1", "host2", "host3")
#: In place of ovn-nbctl.
NOTED = """#!/bin/sh
case "$*" in *lsp-add*) echo write >>/run/written ;; esac
exec /run/lab/ovn-nbctl "$@"
"""
GUESTS = [f"g{number}" for number in range(10)]


@pytest.fixture(scope="module")
def lab() -> Iterator[OvnFleet]:
    """Start a desk with OVN's databases, and three machines with guests."""
    require("ovn")
    with OvnFleet(len(MACHINES)) as fleet:
        for machine in fleet.machines.values():
            for guest in GUESTS:
                machine.netns(guest)
        yield fleet


def note_writes(machine: OvnMachine) -> None:
    """Let each writing ovn-nbctl of a machine leave a line, whoever runs it."""
    real = machine.run("sh", "-c", "command -v ovn-nbctl").stdout.strip()
    machine.run("cp", real, "/run/lab/ovn-nbctl")
    machine.write("/run/lab/noted", NOTED)
    machine.run("chmod", "755", "/run/lab/noted")
    machine.run("mount", "--bind", "/run/lab/noted", real)


def run(ovn: OvnFleet, *argv: str, code: int = 0) -> str:
    """Run pipework on the desk with the file; return what it says."""
    done: subprocess.CompletedProcess[str] = ovn.desk.pipework(*argv, "-f", FILE, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def write(ovn: OvnFleet, *links: str) -> None:
    machines = "".join(f"  {name}: {ovn[name].uri}\n" for name in MACHINES)
    networks = "ovn: {nb: 'tcp:127.0.0.1:6641'}\nnetworks:\n  blue: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}\n"
    lines = "".join(f"\n  - {link}" for link in links) or " []"
    ovn.desk.write(FILE, f"version: 1\nmachines:\n{machines}{networks}links:{lines}\n")


def read_addresses(ovn: OvnFleet) -> dict[str, str]:
    found = json.loads(ovn.desk.pipework("ls", "--json", "-f", FILE).stdout)["attachments"]
    return {f"{one['machine']}/{one['guest']['name']}": one["addresses"][0].partition("/")[0] for one in found}


def test_twenty_links_over_two_machines_are_two_transactions(lab: OvnFleet) -> None:
    before = northbound(lab)
    write(lab, "{on: [host1, host2], guest: netns:g*, host: 'ovn:blue', address: 10.1.0.0/24}")
    for name in ("host1", "host2"):
        note_writes(lab[name])
    assert run(lab, "up") == "host1: 10 attached\nhost2: 10 attached\nhost3: the file names no guest\n"
    writes = [lab[name].run("cat", "/run/written").stdout.splitlines() for name in ("host1", "host2")]
    assert [len(lines) for lines in writes] == [1, 1]
    assert run(lab, "up").count("10 unchanged") == 2
    assert run(lab, "status") == ""
    addresses = read_addresses(lab)
    assert len(set(addresses.values())) == 20
    there = addresses["host2/g3"]
    assert lab["host1"].ping("g0", there)
    assert send_bytes(lab["host1"], "g0", lab["host2"], "g3", there) == BYTES
    assert run(lab, "down") == "host1: 10 detached\nhost2: 10 detached\nhost3: 0 detached\n"
    assert northbound(lab) == before


def test_a_switch_that_two_machines_make_at_once_is_one(lab: OvnFleet) -> None:
    """Neither the database nor ovn-nbctl see to it."""
    for number in range(4):
        words = (sys.executable, "-P", "-m", "pipework_core", f"ovn:new{number}", f"netns:g{number}")
        runs = [lab[f"host{one}"].popen(*words, f"10.9.0.{one}/24") for one in (1, 2)]
        assert [process.wait(30) for process in runs] == [0, 0]
    assert sorted(lab.nb("--bare", "--columns=name", "list", "Logical_Switch").split()) == [f"new{n}" for n in range(4)]
    for number in range(4):
        for one in (1, 2):
            lab[f"host{one}"].pipework("detach", f"netns:g{number}")


def test_a_guest_moves_and_takes_its_address_along(lab: OvnFleet) -> None:
    write(lab, "host1: ovn:blue netns:g0 10.1.0.5/24", "host3: ovn:blue netns:g1 10.1.0.6/24")
    run(lab, "up")
    write(lab, "host2: ovn:blue netns:g0 10.1.0.5/24", "host3: ovn:blue netns:g1 10.1.0.6/24")
    said = run(lab, "up", code=1)
    assert "host1: netns:g0 eth1 is attached, and the file has it on host2; --prune detaches it first" in said
    assert "host1: netns:g0 eth1 detached\n" in run(lab, "up", "--prune")
    assert read_addresses(lab) == {"host2/g0": "10.1.0.5", "host3/g1": "10.1.0.6"}
    assert lab["host3"].ping("g1", "10.1.0.5")
    assert run(lab, "status") == ""
    run(lab, "down")


def test_an_open_vswitch_of_each_machine_on_one_wire(lab: OvnFleet) -> None:
    before = [switch_state(lab[name]) for name in MACHINES[:2]]
    write(lab, "{on: [host1, host2], guest: 'netns:g*', host: 'ovs:br-u', vlan: 7, address: 10.8.0.0/24}")
    assert run(lab, "up") == "host1: 10 attached\nhost2: 10 attached\nhost3: the file names no guest\n"
    assert run(lab, "up").count("10 unchanged") == 2
    there = read_addresses(lab)["host2/g3"]
    assert lab["host1"].ping("g0", there)
    assert send_bytes(lab["host1"], "g0", lab["host2"], "g3", there) == BYTES
    assert run(lab, "down") == "host1: 10 detached\nhost2: 10 detached\nhost3: 0 detached\n"
    assert [switch_state(lab[name]) for name in MACHINES[:2]] == before


def test_an_address_that_another_machine_has_undoes_all_with_atomic(lab: OvnFleet) -> None:
    lab["host3"].pipework("ovn:blue", "netns:g9", "10.1.0.9/24")
    before = northbound(lab)
    write(lab, "host1: ovn:blue netns:g0 10.1.0.5/24", "host2: ovn:blue netns:g1 10.1.0.9/24")
    assert "host1: 1 undone\n" in run(lab, "up", "--atomic", code=1)
    assert northbound(lab) == before
    lab["host3"].pipework("detach", "netns:g9")


def test_a_machine_that_is_gone_for_good(lab: OvnFleet) -> None:
    """It must be the last: the machine does not come back."""
    write(lab, "host1: ovn:blue netns:g0 10.1.0.5/24", "host3: ovn:blue netns:g1 10.1.0.6/24")
    run(lab, "up")
    lab["host3"].power_off()
    lab.desk.run("ip", "neighbour", "flush", "dev", "wire-u0")
    begun = time.monotonic()
    said = run(lab, "gc", "-m", "host3", code=1)
    assert time.monotonic() - begun < 17
    assert f"when it is gone for good: pipework gc -f {FILE} -m host3 --gone\n" in said
    assert "ovn-sbctl chassis-del host3" in run(lab, "gc", "-m", "host3", "--gone")
    assert list_ports(lab, "blue") == {"host1/g0/eth1"}
    write(lab, "host1: ovn:blue netns:g0 10.1.0.5/24", "host2: ovn:blue netns:g1 10.1.0.6/24")
    run(lab, "up", "-m", "host1,host2")
    assert lab["host1"].ping("g0", "10.1.0.6")
    run(lab, "down", "-m", "host1,host2")
    assert list_ports(lab, "blue") == set()
