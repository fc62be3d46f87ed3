"""Time `pipework up` of a file of many machines over ssh: 1 to 20 of them, with two guests each on a bridge.

A machine is a private host with an sshd of its own; all of them, and pipework, share the processors of this one. Beside
it: bare connections of ssh to all of them at once, and pipework once for each machine, one after the other. At last
each connection takes two seconds more, which cost no processor: then the time is that of the slowest machine, not the
sum of all.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.fleet import Fleet, Machine

COUNTS = (1, 2, 5, 10, 20)
RUNS = 3
FILE = "/run/lab/machines.yaml"
#: Settings of ssh on the desk with which a connection comes late, and by how many seconds.
LATE = 2
_LATE_FILE = "/etc/ssh/ssh_config.d/late.conf"
_PROXY = f"Host host*\n  ProxyCommand sh -c 'sleep {LATE}; exec busybox nc %h %p'\n"


def write_file(fleet: Fleet[Machine], count: int) -> None:
    """Write the file for the first machines: two guests each."""
    names = [f"host{number}" for number in range(1, count + 1)]
    lines = ["version: 1", "machines:", *(f"  {name}: {fleet[name].uri}" for name in names), "links:"]
    lines += [
        f"  - {name}: br1 netns:{guest} 10.{number}.0.{last}/24"
        for number, name in enumerate(names)
        for last, guest in enumerate(("web", "db"), start=1)
    ]
    fleet.desk.write(FILE, "\n".join(lines) + "\n")


def timed(fleet: Fleet[Machine], *argv: str) -> float:
    """Run a command on the desk, and return its seconds; raise AssertionError with what it said when it failed."""
    start = time.perf_counter()
    fleet.desk.run(*argv, timeout=300)
    return time.perf_counter() - start


def pipework(fleet: Fleet[Machine], *words: str) -> float:
    """Time a whole run of pipework on the desk."""
    return timed(fleet, str(Path(sys.executable).with_name("pipework")), *words)


def connect_all(fleet: Fleet[Machine], count: int) -> float:
    """Time a connection to each machine, all at once."""
    names = " ".join(f"host{number}" for number in range(1, count + 1))
    return timed(fleet, "sh", "-c", f"for name in {names}; do ssh root@$name true & done; wait")


def attach_each(fleet: Fleet[Machine], count: int) -> float:
    """Time a pipework for each machine that finds its attachment there, one after the other."""
    words = ("br1", "netns:web")
    machines = [fleet[f"host{number}"] for number in range(1, count + 1)]
    return sum(
        pipework(fleet, "--driver", machine.uri, *words, f"10.{number}.0.1/24")
        for number, machine in enumerate(machines)
    )


def measure(fleet: Fleet[Machine], count: int, runs: int) -> dict[str, float]:
    """Return the median seconds of each way to reach so many machines."""
    write_file(fleet, count)
    found: dict[str, list[float]] = {name: [] for name in ("up", "again", "down", "ssh alone", "one by one")}
    for _ in range(runs):
        found["up"].append(pipework(fleet, "up", "-f", FILE))
        found["again"].append(pipework(fleet, "up", "-f", FILE))
        found["one by one"].append(attach_each(fleet, count))
        found["down"].append(pipework(fleet, "down", "-f", FILE))
        found["ssh alone"].append(connect_all(fleet, count))
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def main() -> None:
    """Print the seconds of each number of machines, and what a late connection adds to them."""
    with Fleet(Machine(f"host{number}", number) for number in range(1, max(COUNTS) + 1)) as fleet:
        for machine in fleet.machines.values():
            for guest in ("web", "db"):
                machine.netns(guest)
        for count in COUNTS:
            print_seconds(f"{count} machines", measure(fleet, count, RUNS))
        fleet.desk.write(_LATE_FILE, _PROXY)
        late = measure(fleet, 10, 1)
        print_seconds(f"10 machines, each {LATE} s late", late)
        print(f"up / one by one: {late['up'] / late['one by one']:.2f} (the slowest, not the sum: at most 0.3)")


def print_seconds(what: str, seconds: dict[str, float]) -> None:
    """Print a line of figures."""
    print(f"{what}: " + ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items()), flush=True)


if __name__ == "__main__":
    main()
