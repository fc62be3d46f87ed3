"""Measure what a change of the code base must not cost, beside an older pipework when there is one.

`python -P bench/house.py --against OLD/bin/python` prints a row for each figure. Two figures compare two versions of
pipework: this one and that of the environment of `--against`. Install both as wheels, by the same pip and with the same
other packages: an editable install and another launcher have start-up times of their own. `--new` measures another
environment than that of the Python that runs this file. Everything runs in private hosts, and only by the command line
of pipework, so both versions may be of any age.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

from environments import compare_environments, compile_packages
from lab import machine
from lab.docker import DockerEngine
from lab.host import PrivateHost
from lab.ovs import OpenVSwitch
from stopwatch import Stopwatch, Taken
from table import HEADING, Row, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILE = "/run/lab/up.yaml"
#: Takes everything away that an attachment to br1 made, the guest as well.
REMOVE_PORTS = 'for port in /sys/class/net/br1/brif/*; do [ ! -e "$port" ] || ip link delete "${port##*/}"; done'
COUNT_PORTS = "find /sys/class/net -name 'v*' | wc -l"
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


class Options(NamedTuple):
    """What to measure: two Pythons, in whose environments a pipework is installed, and how often at most."""

    new: str
    against: str
    runs: int

    def limit_runs(self, runs: int) -> int:
        """Return how often a row is measured."""
        return min(runs, self.runs) if self.runs else runs


def find_pipework(python: str) -> str:
    """Return the script that pip installed beside a Python."""
    return str(Path(python).with_name("pipework"))


def make_address(number: int) -> str:
    """Return an address that no other guest has, of a network that holds all of them."""
    return f"10.{number // 250}.{number % 250}.1/8"


def measure_version(options: Options) -> Iterator[Row]:
    """Time the cheapest thing pipework does, by its installed script, beside the cheapest thing its Python does."""
    with PrivateHost() as host:
        watch = Stopwatch(host)
        times = take_turns(
            options.limit_runs(40),
            lambda: watch.time_command(find_pipework(options.new), "--version"),
            lambda: watch.time_command(options.new, "-c", "pass"),
        )
    yield Row("`pipework --version` / `python -c pass`", 2.0, *times)


def attach_guest(watch: Stopwatch, python: str, act: Callable[..., Taken]) -> Taken:
    """Measure the attachment of a new guest to a bridge that exists, then take both away."""
    watch.run_script("ip netns add g1")
    taken = act(find_pipework(python), "br1", "netns:g1", "10.1.0.1/24")
    watch.run_script(f"{REMOVE_PORTS}; ip netns delete g1")
    return taken


def measure_attach(options: Options) -> Iterator[Row]:
    """Time the attachment of one guest by both versions."""
    what = "attach one guest, new / old"
    if not options.against:
        yield Row(what, 1.05, note="needs --against")
        return
    with PrivateHost() as host:
        watch = Stopwatch(host)
        watch.run_script("ip link add br1 type bridge; ip link set br1 up")
        times = take_turns(
            options.limit_runs(40),
            lambda: attach_guest(watch, options.new, watch.time_command),
            lambda: attach_guest(watch, options.against, watch.time_command),
        )
    yield Row(what, 1.05, *times)


def count_instructions(watch: Stopwatch, python: str, *argv: str) -> Taken:
    """Return how many million instructions the interpreter itself ran; those of its children are not counted."""
    output = watch.run_command(*CALLGRIND, python, *argv, env={"PYTHONHASHSEED": "0"})
    # A process that was forked reports as well; the interpreter ran the most.
    counts = [int(line.split()[-1]) for line in output.splitlines() if "Collected :" in line]
    return Taken(max(counts) / 1e6)


def measure_instructions(options: Options) -> Iterator[Row]:
    """Count the instructions of the attachment of one guest by both versions."""
    what = "instructions of the same, new / old"
    if not options.against or not shutil.which("valgrind"):
        yield Row(what, 1.03, note="needs --against" if not options.against else "needs valgrind")
        return
    with PrivateHost() as host:
        watch = Stopwatch(host)
        watch.run_script("ip link add br1 type bridge; ip link set br1 up")

        def count(python: str) -> Taken:
            return attach_guest(watch, python, lambda *argv: count_instructions(watch, python, *argv))

        counts = take_turns(options.limit_runs(3), lambda: count(options.new), lambda: count(options.against))
    yield Row(what, 1.03, *counts, unit="M")


def measure_docker(options: Options, containers: int = 15) -> Iterator[Row]:
    """Time the attachment of a new container to a bridge that exists, beside Docker's own way to connect one."""
    what = "attach one container / `docker network connect`"
    if not shutil.which("dockerd"):
        yield Row(what, 0.6, note="needs dockerd")
        return
    runs = options.limit_runs(containers)
    with PrivateHost() as host, DockerEngine(host) as engine:
        watch = Stopwatch(host)
        watch.run_script("docker network create lab; ip link add br1 type bridge; ip link set br1 up")
        for number in range(runs + 1):
            engine.run(f"one{number}")
            engine.run(f"two{number}", network="bridge")
        ours, theirs = iter(range(runs + 1)), iter(range(runs + 1))

        def attach() -> Taken:
            number = next(ours)
            return watch.time_command(find_pipework(options.new), "br1", f"one{number}", f"10.1.0.{number + 1}/24")

        times = take_turns(
            runs, attach, lambda: watch.time_command("docker", "network", "connect", "lab", f"two{next(theirs)}")
        )
    yield Row(what, 0.6, [Taken(one.seconds) for one in times[0]], times[1])


def write_file(host: PrivateHost, links: list[str]) -> None:
    """Write the file that `up` and `down` read."""
    host.write(FILE, "version: 1\nlinks:\n" + "".join(f"  - {link}\n" for link in links))


def add_guests(watch: Stopwatch, guests: int) -> list[str]:
    """Make named network namespaces; return a link of each to one of two bridges."""
    watch.run_script(f"seq 0 {guests - 1} | sed 's/^/netns add g/' | ip -batch -")
    return [f"br{number % 2 + 1} netns:g{number} {make_address(number)}" for number in range(guests)]


def time_file(watch: Stopwatch, python: str, command: str, ports: int) -> Taken:
    """Time `up` or `down` of the file, and check that the host has so many ports afterwards."""
    taken = watch.time_command(find_pipework(python), command, "-f", FILE)
    if (found := int(watch.run_script(COUNT_PORTS))) != ports:
        raise SystemExit(f"{found} ports after `{command}`, expected {ports}")
    return taken


def compare_down_with_up(watch: Stopwatch, python: str, runs: int, guests: int) -> tuple[list[Taken], list[Taken]]:
    """Time `down` and `up` of the same file, so many times; `up` makes the bridges as well."""
    times = [(time_file(watch, python, "up", guests), time_file(watch, python, "down", 0)) for _ in range(runs)]
    return [down for _, down in times], [up for up, _ in times]


def measure_namespaces(options: Options, guests: int, runs: int) -> Iterator[Row]:
    """Compare `down` with `up` of namespaces on two bridges."""
    with PrivateHost() as host:
        watch = Stopwatch(host)
        write_file(host, add_guests(watch, guests))
        times = compare_down_with_up(watch, options.new, options.limit_runs(runs), guests)
    yield Row(f"down / up, {guests:,} namespaces on two bridges", 1.5, *times)


def measure_switch(options: Options, guests: int = 100) -> Iterator[Row]:
    """Compare `down` with `up` of ports of an Open vSwitch bridge that exists, in 20 VLANs."""
    what = f"down / up, {guests} ports of Open vSwitch with VLANs"
    if not shutil.which("ovs-vswitchd"):
        yield Row(what, 1.5, note="needs ovs-vswitchd")
        return
    with PrivateHost() as host, OpenVSwitch(host) as switch:
        switch.add_bridge("ovs1")
        watch = Stopwatch(host)
        add_guests(watch, guests)
        write_file(
            host,
            [f"ovs1 netns:g{number} {make_address(number)} @{number % 20 + 1}" for number in range(guests)],
        )
        times = compare_down_with_up(watch, options.new, options.limit_runs(5), guests)
    yield Row(what, 1.5, *times)


def populate_host(host: PrivateHost, python: str, guests: int) -> Stopwatch:
    """Attach guests to two bridges, and make one guest more."""
    watch = Stopwatch(host)
    write_file(host, add_guests(watch, guests))
    time_file(watch, python, "up", guests)
    watch.run_script("ip netns add more")
    return watch


def measure_one_more(options: Options, many: int = 1000, few: int = 10) -> Iterator[Row]:
    """Time one more attachment, and detaching it, on a host with many attachments beside a host with few."""
    pipework = find_pipework(options.new)
    attached: tuple[list[Taken], list[Taken]] = ([], [])
    detached: tuple[list[Taken], list[Taken]] = ([], [])
    with PrivateHost() as large_host, PrivateHost() as small_host:
        large, small = populate_host(large_host, options.new, many), populate_host(small_host, options.new, few)
        for _ in range(options.limit_runs(15)):
            for index, watch in enumerate((large, small)):
                attached[index].append(watch.time_command(pipework, "br1", "netns:more", "10.200.0.1/8"))
                detached[index].append(watch.time_command(pipework, "detach", "netns:more"))
    yield Row(f"attach one more, beside {many:,} / beside {few}", 1.5, *attached)
    yield Row(f"detach one, beside {many:,} / beside {few}", 1.5, *detached)


PARTS: dict[str, Callable[[Options], Iterator[Row]]] = {
    "version": measure_version,
    "attach": measure_attach,
    "instructions": measure_instructions,
    "docker": measure_docker,
    "down-100": lambda options: measure_namespaces(options, 100, 7),
    "down-switch": measure_switch,
    "one-more": measure_one_more,
    "down-1000": lambda options: measure_namespaces(options, 1000, 3),
}


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", metavar="PYTHON", default="", help="a Python with an older pipework installed")
    parser.add_argument("--new", metavar="PYTHON", default=sys.executable, help="the Python to measure; this one")
    parser.add_argument("--runs", metavar="N", type=int, default=0, help="measure each row N times at most")
    parser.add_argument("--quick", action="store_true", help="leave `down` of 1,000 guests out")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"measure only these: {', '.join(PARTS)}")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return arguments


def main(argv: list[str]) -> None:
    """Print a row for each figure."""
    # A private host ends with its context, so a signal must unwind the stack.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    arguments = parse_arguments(argv)
    options = Options(arguments.new, arguments.against, arguments.runs)
    pythons = [python for python in (options.new, options.against) if python]
    for python in pythons:
        compile_packages(python)
    for remark in compare_environments(pythons):
        print(f"note: {remark}")
    before = machine.snapshot()
    print(HEADING)
    for part in arguments.parts or [part for part in PARTS if part != "down-1000" or not arguments.quick]:
        for row in PARTS[part](options):
            print(row.format_line(), flush=True)
    if left := machine.differences(before, machine.snapshot()):
        raise SystemExit("the machine is not as it was: " + "; ".join(left))


if __name__ == "__main__":
    main(sys.argv[1:])
