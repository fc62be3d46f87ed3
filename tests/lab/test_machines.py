"""One file over three machines that a desk reaches by ssh: what is made, what a second run does, and what dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from .fleet import Fleet, Machine
from .parts import require
from .waiting import eventually
from .wheel import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "/run/lab/site.yaml"
PIPEWORK = (sys.executable, "-P", "-m", "pipework_core")
GUESTS = {"host1": ("web1", "db"), "host2": ("web1", "web2", "db"), "host3": ("web3",)}
#: An address of the second family is looked for on the link for a second and more before it is used.
SLOW = "br1 db 10.0.9.9/24,fd00::9/64"


@pytest.fixture(scope="module")
def lab() -> Iterator[Fleet[Machine]]:
    """Start the desk and three machines, each with guests."""
    require("ssh")
    with Fleet(Machine(name, number) for number, name in enumerate(GUESTS, 1)) as fleet:
        for machine in fleet.machines.values():
            make_guests(machine)
        yield fleet


@pytest.fixture
def fleet(lab: Fleet[Machine]) -> Iterator[Fleet[Machine]]:
    """Give machines with nothing on them, and leave those that were not started anew so."""
    before = read_states(lab)
    yield lab
    for name, machine in lab.machines.items():
        state = machine.state(GUESTS[name])
        for guest in [guest for guest in GUESTS[name] if len(state[guest]["links"]) > 1]:
            machine.pipework("detach", "--all", f"netns:{guest}")
    after = read_states(lab)
    same = [name for name, state in after.items() if is_same_machine(state, before[name])]
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert len(same) > 1


def is_same_machine(*states: dict[str, Any]) -> bool:
    """Whether both are states of one machine: one that lost its power has another MAC on its wire."""
    macs = [next(link["mac"] for link in state["host"]["links"] if link["name"] == "u0") for state in states]
    return macs[0] == macs[1]


def power_off(fleet: Fleet[Machine], name: str) -> None:
    """Pull a machine's plug, and let the desk ask anew who has its address: nobody says that nobody has it."""
    fleet[name].power_off()
    fleet.desk.run("ip", "neighbour", "flush", "dev", "wire-u0")


def power_on(fleet: Fleet[Machine], name: str) -> None:
    fleet.power_on(fleet[name])
    fleet.desk.run("ip", "neighbour", "flush", "dev", "wire-u0")
    make_guests(fleet[name])


def make_guests(machine: Machine) -> None:
    for guest in GUESTS[machine.name]:
        machine.netns(guest)


def read_states(fleet: Fleet[Machine]) -> dict[str, Any]:
    return {name: machine.state(GUESTS[name]) for name, machine in fleet.machines.items()}


def write(fleet: Fleet[Machine], *links: str, more: str = "") -> None:
    """Write the file, on the desk."""
    machines = "".join(f"  {machine.name}: {machine.uri}\n" for machine in fleet.machines.values())
    lines = "".join(f"\n  - {link}" for link in links) or " []"
    fleet.desk.write(FILE, f"version: 1\nmachines:\n{machines}{more}links:{lines}\n")


def run(fleet: Fleet[Machine], *argv: str, code: int = 0) -> str:
    """Run pipework on the desk with the file; return what it says, both streams."""
    done = fleet.desk.pipework(*argv, "-f", FILE, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    return said


def read_addresses(fleet: Fleet[Machine]) -> dict[str, str]:
    """Return the first address of each attachment, by machine and guest, as `ls` sees it from the desk."""
    found = json.loads(fleet.desk.pipework("ls", "--json", "-f", FILE).stdout)["attachments"]
    return {f"{one['machine']}/{one['guest']['name']}": one["addresses"][0] for one in found}


def start_slow(fleet: Fleet[Machine], *words: str) -> subprocess.Popen[str]:
    """Start `up` of a file whose link on host2 takes a second, and return in the middle of it."""
    write(fleet, "host1: br1 netns:web1 10.0.0.1/24", f"host2: {SLOW}", "host3: br1 netns:web3 10.0.0.3/24")
    process = fleet.desk.popen(*PIPEWORK, "up", "-f", FILE, *words, stderr=subprocess.PIPE)
    tentative = ("ip", "-n", "db", "-o", "address", "show", "dev", "eth1", "tentative")
    assert eventually(lambda: "fd00::9" in fleet["host2"].run(*tentative, check=False).stdout)
    return process


def test_up_again_status_and_down(fleet: Fleet[Machine]) -> None:
    write(
        fleet,
        "host1: br1 netns:web1 10.0.0.1/24",
        "host2: u0 netns:db 172.30.0.200/24",
        "{on: [host1, host2, host3], guest: netns:web*, host: br2, interface: eth2, address: 10.2.0.0/24}",
    )
    assert run(fleet, "status", code=3).count("is missing") == 6
    assert run(fleet, "up") == "host1: 2 attached\nhost2: 3 attached\nhost3: 1 attached\n"
    assert run(fleet, "up") == "host1: 2 unchanged\nhost2: 3 unchanged\nhost3: 1 unchanged\n"
    assert run(fleet, "status") == ""
    addresses = read_addresses(fleet)
    assert len(addresses) == 5
    listed = fleet.desk.pipework("ls", "--json", "-f", FILE, "br2").stdout
    handed_out = {one["addresses"][0] for one in json.loads(listed)["attachments"]}
    assert len(handed_out) == 4, "one pool for all machines"
    fleet["host2"].run("ip", "-n", "db", "link", "delete", "eth1")
    assert run(fleet, "status", code=3) == "host2: netns:db eth1: is missing\n"
    assert run(fleet, "up", "-m", "host1,host3") == "host1: 2 unchanged\nhost3: 1 unchanged\n"
    assert run(fleet, "up", "-m", "host2") == "host2: 1 attached, 2 unchanged\n"
    assert run(fleet, "down") == "host1: 2 detached\nhost2: 3 detached\nhost3: 1 detached\n"


def test_a_dry_run_is_a_script_that_does_it_on_all_machines(fleet: Fleet[Machine]) -> None:
    write(fleet, "host1: br1 netns:web1 10.0.0.1/24", "host2: br1 netns:web2 10.0.0.2/24")
    before = read_states(fleet)
    script = fleet.desk.pipework("up", "--dry-run", "-f", FILE).stdout
    assert read_states(fleet) == before
    fleet.desk.run("sh", input=script)
    assert run(fleet, "up") == "host1: 1 unchanged\nhost2: 1 unchanged\nhost3: the file names no guest\n"


def test_a_guest_moves_by_editing_the_file(fleet: Fleet[Machine]) -> None:
    write(fleet, "host1: br1 netns:db 10.0.0.9/24")
    run(fleet, "up")
    write(fleet, "host2: br1 netns:db 10.0.0.9/24")
    assert "host1: netns:db eth1 is attached, and the file has it on host2; --prune detaches it first" in run(
        fleet, "up"
    )
    assert "host1: netns:db eth1: is attached, and not in the file" in run(fleet, "status", code=3)
    assert "could not be undone" in run(fleet, "up", "--prune", "--atomic", code=2)
    said = run(fleet, "up", "--prune")
    assert "host1: netns:db eth1 detached\n" in said
    assert read_addresses(fleet) == {"host2/db": "10.0.0.9/24"}
    assert run(fleet, "status") == ""


def test_vxlan_joins_the_machines(fleet: Fleet[Machine], tmp_path_factory: pytest.TempPathFactory) -> None:
    require("vxlan")
    plugin = str(installed("pipework-vxlan", tmp_path_factory.mktemp("plugin")))
    for host in (fleet.desk, *fleet.machines.values()):
        host.env["PYTHONPATH"] = plugin
    write(fleet, "{on: [host1, host2], guest: netns:web1, host: 'vxlan:42', address: 10.3.0.0/24}")
    run(fleet, "up")
    addresses = read_addresses(fleet)
    assert fleet["host1"].ping("web1", addresses["host2/web1"].partition("/")[0])
    assert "unchanged" in run(fleet, "up")
    run(fleet, "down")


def test_one_command_on_a_machine_of_the_file(fleet: Fleet[Machine]) -> None:
    write(fleet)
    at = ("-m", "host2")
    run(fleet, *at, "br1", "netns:web2", "10.0.0.2/24")
    assert "web2" in run(fleet, "ls", *at)
    assert "10.0.0.0/24" in fleet.desk.pipework("route", "-f", FILE, *at, "netns:web2", "show", "dev", "eth1").stdout
    run(fleet, "detach", "netns:web2", *at)
    assert "nothing is left over" in run(fleet, "gc", *at)


def test_with_atomic_one_link_that_fails_undoes_all_machines(fleet: Fleet[Machine]) -> None:
    before = read_states(fleet)
    write(fleet, "host1: br1 netns:web1 10.0.0.1/24", "host2: br1 netns:nobody 10.0.0.2/24")
    said = run(fleet, "up", "--atomic", code=1)
    assert "host1: 1 undone\n" in said
    assert "no guest 'nobody'" in said
    assert read_states(fleet) == before
    assert "host1: 1 attached\n" in run(fleet, "up", code=1)


@pytest.mark.parametrize("atomic", [True, False])
def test_ctrl_c_leaves_nothing_half_done(fleet: Fleet[Machine], *, atomic: bool) -> None:
    before = read_states(fleet)
    process = start_slow(fleet, *(["--atomic"] if atomic else []))
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    if atomic:
        assert "everything was undone" in said
        assert read_states(fleet) == before
    else:
        assert "each attachment is whole, or not there" in said
        after = read_states(fleet)
        assert after["host2"] == before["host2"]
        assert run(fleet, "status", code=3).count("is missing") == 1
    run(fleet, "up")


def test_killed_in_the_middle_the_next_run_completes_it(fleet: Fleet[Machine]) -> None:
    process = start_slow(fleet)
    os.kill(process.worker(), signal.SIGKILL)
    process.wait(30)
    assert eventually(lambda: "attached" in run(fleet, "up") or True)
    assert run(fleet, "status") == ""
    assert run(fleet, "up").count("1 unchanged") == 3


def test_a_machine_without_power_fails_its_own_links_and_is_told_in_time(fleet: Fleet[Machine]) -> None:
    write(fleet, "host1: br1 netns:web1 10.0.0.1/24", "host3: br1 netns:web3 10.0.0.3/24")
    power_off(fleet, "host3")
    begun = time.monotonic()
    said = run(fleet, "up", code=1)
    assert time.monotonic() - begun < 17
    assert "host1: 1 attached\n" in said
    assert "pipework: error: host3, with 1 link of the file: " in said
    assert "hint: " in said
    assert run(fleet, "up", "-m", "host1") == "host1: 1 unchanged\n"
    power_on(fleet, "host3")
    assert run(fleet, "up") == "host1: 1 unchanged\nhost2: the file names no guest\nhost3: 1 attached\n"


def test_a_plug_that_is_pulled_in_the_middle_fails_its_own_links(fleet: Fleet[Machine]) -> None:
    process = start_slow(fleet)
    power_off(fleet, "host2")
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1, said
    assert "host1: 1 attached\n" in said
    assert "pipework: error: host2, with 1 link of the file: the connection to root@host2 was lost" in said
    power_on(fleet, "host2")
    assert "host2: 1 attached\n" in run(fleet, "up")
    assert run(fleet, "status") == ""
