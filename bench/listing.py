"""Time `pipework ls` of a thousand attachments beside the walk through their namespaces alone, and its memory.

The guests are named namespaces on two bridges, since a Linux bridge has 1,023 ports. The walk is what the live driver
does: `nsenter` and one `ip -batch` each, side by side; the two take turns.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.host import PrivateHost

from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Command, Netns
from pipework_core.state import facts
from pipework_drivers.local.driver import LiveDriver

GUESTS, RUNS, LIMIT = 1000, 3, 2.0
PIPEWORK = str(Path(sys.executable).with_name("pipework"))


def populate() -> list[str]:
    """Make the guests in the current host, as pipework would have made them."""
    names = [f"g{number}" for number in range(GUESTS)]
    ip(*(f"netns add {name}" for name in names))
    ip(*(f"link add br{number} type bridge" for number in (1, 2)))
    lines = []
    for number, name in enumerate(names):
        end, inode = f"veth1pl{number}", Path(f"/run/netns/{name}").stat().st_ino
        lines += [
            f"link add {end} master br{number % 2 + 1} up type veth peer name eth1 netns {name}",
            f"link set dev {end} alias {Tag(kind='veth', netns=str(inode)).alias}",
        ]
    ip(*lines)
    for number, name in enumerate(names):
        tag = Tag(kind="bridge", parent=f"br{number % 2 + 1}", req="0badcafe").alias
        address = f"10.{number // 250}.{number % 250}.1/8"
        ip(f"link set dev eth1 up alias {tag}", f"address add {address} dev eth1", netns=name)
    return names


def ip(*lines: str, netns: str = "") -> None:
    """Run lines in one batch."""
    guest_state = ("-n", netns) if netns else ()
    subprocess.run(["ip", *guest_state, "-batch", "-"], input="\n".join(lines), text=True, check=True)


def walk(names: list[str]) -> None:
    """Read what is in every namespace, and nothing more."""
    paths = [Netns(path=f"/run/netns/{name}") for name in names]
    queries: list[Command] = [facts.guest_query(path) for path in paths]
    LiveDriver().read(queries)


def timed(argv: list[str]) -> tuple[float, str]:
    """Return the seconds that a command took, and what it printed."""
    start = time.perf_counter()
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, said


def guest_state() -> None:
    """Measure in the current host, and print."""
    names = populate()
    listed, walked = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        walk(names)
        walked.append(time.perf_counter() - start)
        taken, said = timed([PIPEWORK, "ls"])
        if said.count(" up ") != GUESTS:
            raise SystemExit(f"ls did not list {GUESTS} attachments:\n{said[:2000]}")
        listed.append(taken)
    ratio = statistics.median(listed) / statistics.median(walked)
    # The largest child is pipework itself: `ip` and `nsenter` are small.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"ls of {GUESTS}: {statistics.median(listed):.2f} s, the walk alone {statistics.median(walked):.2f} s")
    print(f"ls / walk: {ratio:.2f} (at most {LIMIT}); {peak:.0f} MiB")


def main() -> None:
    """Measure in a private host."""
    with PrivateHost() as host:
        print(host.run(sys.executable, __file__, "inside", timeout=600).stdout, end="")


if __name__ == "__main__":
    guest_state() if sys.argv[1:] == ["inside"] else main()
