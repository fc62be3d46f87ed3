"""Whatever dies while pipework attaches guests to OVN: one sentence, nothing left, and the next run does it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .ovn import OvnFleet
from .ovn_deaths import DEATHS
from .ovn_state import BYTES, bindings, northbound, send_bytes, switch_state
from .parts import require
from .waiting import eventually

if TYPE_CHECKING:
    import subprocess

    from .ovn import OvnMachine

#: Fleets that die at one time; most of it is waiting.
WIDTH = 7


def attach(machine: OvnMachine, guest: str, address: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command of every test."""
    return machine.pipework("ovn:blue", guest, f"{address}/24", check=check)


def refused(machine: OvnMachine, guest: str, address: str) -> str:
    """Return what an attachment says that cannot work, once it has left no trace on the machine."""
    before = machine.state([guest]), switch_state(machine)
    done = attach(machine, guest, address, check=False)
    error, hint, *rest = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert error.startswith("pipework: error: "), done.stderr
    assert hint.startswith("hint: "), done.stderr
    assert not rest, done.stderr
    assert (machine.state([guest]), switch_state(machine)) == before
    return done.stderr


def die_and_live(name: str) -> None:
    """Attach a guest while something is dead, and again when it is alive."""
    death = DEATHS[name]
    with OvnFleet(1) as ovn:
        machine = ovn["host1"]
        guests = [machine.netns(guest) for guest in ("old", "partner", "new")]
        attach(machine, "old", "10.1.0.1")
        attach(machine, "partner", "10.1.0.2")
        before = northbound(ovn)
        death.end(ovn)
        said = refused(machine, "new", "10.1.0.3")
        assert death.named in said, f"{name}: {said}"
        assert machine.ping("old", "10.1.0.2", within=0) is death.traffic, name
        listed = machine.pipework("ls")
        assert "Traceback" not in listed.stderr, listed.stderr
        assert all(f"netns:{guest}" in listed.stdout for guest in guests[:2])
        death.back(ovn)
        assert northbound(ovn) == before, name
        attach(machine, "new", "10.1.0.3")
        assert machine.ping("new", "10.1.0.2")
        assert attach(machine, "old", "10.1.0.1").stdout == ""


def test_whatever_is_dead_nothing_is_left_and_the_next_run_does_it() -> None:
    require("ovn")
    with ThreadPoolExecutor(WIDTH) as pool:
        runs = {name: pool.submit(die_and_live, name) for name in DEATHS}
        failures = {name: str(run.exception()) for name, run in runs.items() if run.exception() is not None}
    assert not failures


def test_a_machine_without_power_hinders_no_other(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    attach(two, two.netns("gone"), "10.1.0.11")
    two.power_off()
    attach(one, one.netns("alive"), "10.1.0.12")
    ovn.power_on(two)
    attach(two, two.netns("gone"), "10.1.0.11")
    assert one.ping("alive", "10.1.0.11")
    assert send_bytes(one, "alive", two, "gone", "10.1.0.11") == BYTES


def test_a_guest_whose_namespace_is_gone_leaves_both_databases_by_gc(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    before = northbound(ovn), switch_state(one)
    links = one.state()["host"]["links"]
    attach(one, one.netns("mortal"), "10.1.0.21")
    one.run("ip", "netns", "delete", "mortal")
    # The kernel ends a namespace, and with it both ends of the pair, a moment later.
    assert eventually(lambda: one.state()["host"]["links"] == links)
    one.pipework("gc")
    assert (northbound(ovn), switch_state(one)) == before
    attach(one, one.netns("mortal"), "10.1.0.21")
    assert one.ping("mortal", "10.1.0.11")


def test_a_guest_of_the_same_name_takes_the_place_of_one_that_is_gone(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    attach(one, one.netns("phoenix"), "10.1.0.31")
    one.run("ip", "netns", "delete", "phoenix")
    attach(one, one.netns("phoenix"), "10.1.0.31")
    assert one.ping("phoenix", "10.1.0.11")


def test_a_port_of_the_same_name_on_another_machine_steals_nothing(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    attach(one, one.netns("pinned"), "10.1.0.41")
    (port,) = (name for name in bindings(ovn) if "pinned" in name)
    two.run("ip", "link", "add", "thief", "up", "type", "veth", "peer", "name", "thief-peer")
    two.switch.vsctl(
        "add-port", "br-int", "thief", "--", "set", "interface", "thief", f'external_ids:iface-id="{port}"'
    )
    attach(two, two.netns("later"), "10.1.0.42")  # once this one is set up, the thief was looked at as well
    assert bindings(ovn)[port] == "host1"
    assert two.ping("later", "10.1.0.41")


def test_a_desk_that_is_killed_leaves_what_the_next_run_completes(ovn: OvnFleet) -> None:
    before = northbound(ovn)
    lines = [
        "version: 1",
        "machines:",
        *(f"  {name}: {machine.uri}" for name, machine in ovn.machines.items()),
        "links:",
    ]
    for number in range(1, 7):
        machine = ovn[f"host{number % 2 + 1}"]
        machine.netns(f"many{number}")
        lines.append(f"  - {machine.name}: ovn:red many{number} 10.2.0.{number}/24")
    ovn.desk.write("/run/lab/red.yaml", "\n".join(lines) + "\n")
    run = ovn.desk.popen(sys.executable, "-P", "-m", "pipework_core", "up", "-f", "/run/lab/red.yaml")
    assert eventually(lambda: "many" in ovn.nb("--bare", "--columns=name", "list", "Logical_Switch_Port"))
    run.kill()
    ovn.desk.pipework("up", "-f", "/run/lab/red.yaml")
    assert ovn["host2"].ping("many1", "10.2.0.2")
    assert ovn["host1"].ping("many6", "10.2.0.5")
    ovn.desk.pipework("down", "-f", "/run/lab/red.yaml")
    assert northbound(ovn) == before
