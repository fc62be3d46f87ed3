"""Time attachments to a logical switch of OVN: 1, 20 and 200 guests on three machines, and what OVN alone takes.

The machines are private hosts with the userspace datapath of Open vSwitch; they, OVN's databases and pipework share the
processors of this one. `site`: one file of three machines, `pipework up` on a desk that reaches them by ssh.
`side by side`: a pipework on each machine with a file of its own, all three at once. `by hand`: what somebody types who
knows all names: one transaction of ovn-nbctl for all ports, then one `ip -batch`, one ovs-vsctl and one wait a machine.
"""

from __future__ import annotations

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.ovn import OvnFleet, OvnMachine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PIPEWORK = str(Path(sys.executable).with_name("pipework"))
FILE, CALLS = "/run/lab/guests.yaml", "/run/lab/calls"
COUNTS = {1: 5, 20: 5, 200: 3}
MACHINES = 3
#: Words of ovn-nbctl that change something.
WRITES = ("ls-add", "lsp-add", "lsp-del", "lsp-set", " set ", "destroy")
#: Stands in for a program that is moved aside, and writes down each call.
_COUNTING = f"""
mkdir -p /run/lab/real && cp /usr/bin/ovn-nbctl /run/lab/real/ && : >{CALLS}
cat >/run/lab/counting <<'END'
#!/bin/sh
echo "$*" | tr '\\n' ' ' >>{CALLS}
echo >>{CALLS}
exec /run/lab/real/ovn-nbctl "$@"
END
chmod 755 /run/lab/counting && mount --bind /run/lab/counting /usr/bin/ovn-nbctl
"""
#: Waits until all of OVN's ports of a machine are set up.
_INSTALLED = """
for name in "$@"; do
    ovs-vsctl --timeout=30 wait-until interface "$name" external_ids:ovn-installed=true || exit
done
"""


def address(number: int) -> str:
    """Return an address of the guest of that number, with its prefix."""
    return f"10.1.{number // 250}.{number % 250 + 1}/16"


def guests_of(count: int) -> dict[int, list[int]]:
    """Return the numbers of the guests of each machine, which take turns."""
    return {number: list(range(number - 1, count, MACHINES)) for number in range(1, MACHINES + 1)}


def write_files(ovn: OvnFleet, count: int) -> None:
    """Write the file of the desk, and one for each machine."""
    site = ["version: 1", "machines:", *(f"  {name}: {machine.uri}" for name, machine in ovn.machines.items())]
    site.append("links:")
    for number, guests in guests_of(count).items():
        lines = [f"ovn:blue netns:g{guest} {address(guest)}" for guest in guests]
        own = ["version: 1", "links: []"] if not lines else ["version: 1", "links:", *(f"  - {line}" for line in lines)]
        ovn[f"host{number}"].write(FILE, "\n".join(own) + "\n")
        site += [f"  - host{number}: {line}" for line in lines]
    ovn.desk.write(FILE, "\n".join(site) + "\n")


def at_once(work: Callable[[int, OvnMachine], object], ovn: OvnFleet) -> None:
    """Do the work of each machine, all at the same time."""
    with ThreadPoolExecutor(MACHINES) as pool:
        list(pool.map(work, range(1, MACHINES + 1), ovn.machines.values()))


def up_side_by_side(ovn: OvnFleet, verb: str) -> None:
    """Run pipework on each machine."""
    at_once(lambda _, machine: machine.run(PIPEWORK, verb, "-f", FILE, timeout=300), ovn)


def up_by_hand(ovn: OvnFleet, count: int) -> None:
    """Do it as somebody does who knows it all, and has no need to look."""
    words = ["--may-exist", "ls-add", "blue"]
    for number, guests in guests_of(count).items():
        for guest in guests:
            mac = f"02:00:00:00:{guest // 256:02x}:{guest % 256:02x}"
            port = f"hand-{guest}"
            words += ["--", "lsp-add", "blue", port]
            words += ["--", "lsp-set-addresses", port, f"{mac} {address(guest).partition('/')[0]}"]
            words += ["--", "set", "Logical_Switch_Port", port, f"options:requested-chassis=host{number}"]
    ovn.nb(*words)
    at_once(lambda number, machine: plug_by_hand(machine, guests_of(count)[number]), ovn)


def plug_by_hand(machine: OvnMachine, guests: Iterable[int]) -> None:
    """Make the pairs of a machine's guests, plug them in, and wait until they work, in one script."""
    links, plugs, inside, names = [], [], [], []
    for guest in guests:
        mac = f"02:00:00:00:{guest // 256:02x}:{guest % 256:02x}"
        peer = f"peer name eth1 address {mac} mtu 1442 netns g{guest}"
        links.append(f"link add h{guest} mtu 1442 up type veth {peer}")
        plugs.append(f"-- add-port br-int h{guest} -- set interface h{guest} external_ids:iface-id=hand-{guest}")
        inside += [f"nsenter --net=/run/netns/g{guest} ip -batch - <<END", f"address add {address(guest)} dev eth1"]
        inside += ["link set dev eth1 up", "END"]
        names.append(f"h{guest}")
    if names:
        script = ["ip -batch - <<END", *links, "END", *inside, "ovs-vsctl --timeout=30 " + " ".join(plugs)]
        machine.run("sh", "-e", "-s", *names, input="\n".join(script) + _INSTALLED)


def down_by_hand(ovn: OvnFleet, count: int) -> None:
    """Take away what was made by hand."""
    ovn.nb(*" -- ".join(f"lsp-del hand-{guest}" for guest in range(count)).split())
    for number, guests in guests_of(count).items():
        ports = " -- ".join(f"del-port h{guest}" for guest in guests).split()
        if ports:
            ovn[f"host{number}"].run("ovs-vsctl", "--timeout=30", *ports)
        for guest in guests:
            ovn[f"host{number}"].run("ip", "link", "delete", f"h{guest}")


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(ovn: OvnFleet, count: int, runs: int) -> dict[str, float]:
    """Return the median seconds of each way, which take turns."""
    write_files(ovn, count)
    desk = lambda verb: ovn.desk.run(PIPEWORK, verb, "-f", FILE, timeout=300)  # noqa: E731 - one line, used three times below
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        for name, work in {
            "by hand": lambda: up_by_hand(ovn, count),
            "": lambda: down_by_hand(ovn, count),
            "side by side": lambda: up_side_by_side(ovn, "up"),
            "side by side again": lambda: up_side_by_side(ovn, "up"),
            "side by side down": lambda: up_side_by_side(ovn, "down"),
            "site": lambda: desk("up"),
            "site again": lambda: desk("up"),
            "site down": lambda: desk("down"),
        }.items():
            found.setdefault(name, []).append(timed(work))
    return {name: statistics.median(seconds) for name, seconds in found.items() if name}


def count_writes(ovn: OvnFleet) -> tuple[int, int]:
    """Return how many processes of ovn-nbctl `up` of the desk's file takes, and how many of them write."""
    for machine in ovn.machines.values():
        machine.run("sh", "-ec", _COUNTING)
    ovn.desk.run(PIPEWORK, "up", "-f", FILE, timeout=300)
    calls = [line for machine in ovn.machines.values() for line in machine.run("cat", CALLS).stdout.splitlines()]
    ovn.desk.run(PIPEWORK, "down", "-f", FILE, timeout=300)
    return len(calls), sum(any(word in call for word in WRITES) for call in calls)


def main() -> None:
    """Print the seconds of each number of guests, and the processes of ovn-nbctl."""
    with OvnFleet(MACHINES) as ovn:
        for number, guests in guests_of(max(COUNTS)).items():
            for guest in guests:
                ovn[f"host{number}"].netns(f"g{guest}")
        for count, runs in COUNTS.items():
            for name, seconds in measure(ovn, count, runs).items():
                print(f"{count} guests, {name}: {seconds:.2f} s", flush=True)
        write_files(ovn, 20)
        calls, writes = count_writes(ovn)
        print(f"up of 20 guests on {MACHINES} machines: {calls} processes of ovn-nbctl, {writes} of them write")


if __name__ == "__main__":
    main()
