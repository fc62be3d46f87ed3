"""Time `pipework up` of whole topologies: beside a hand-written script, CNI and Docker, and by number of guests.

Each part has one private host, runs take turns in it, and the figures are medians of whole processes. `python
bench/fleet.py PART...` measures these parts only: namespaces, containers, scale, switch.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.docker import DockerEngine
from lab.host import PrivateHost
from lab.ovs import OpenVSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

PIPEWORK = str(Path(sys.executable).with_name("pipework"))
FILE, SCRIPT, COUNTED = "/run/lab/up.yaml", "/run/lab/by-hand.sh", "/run/lab/counted"
CNI = "/usr/lib/cni"
#: What a Linux bridge holds, so that 1,000 guests and some more need two.
PORTS = 1000 // 2
MEMORY_LIMIT = 120


class Taken(NamedTuple):
    """What a command took: seconds, and MiB at its largest."""

    seconds: float
    mib: float


def timed(*argv: str, env: dict[str, str] | None = None) -> Taken:
    """Run a whole process; raise SystemExit with what it said when it failed."""
    start = time.perf_counter()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, text=True) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{argv} ended with {process.returncode}:\n{said[-2000:]}")
    return Taken(seconds=seconds, mib=used.ru_maxrss / 1024)


def by_turns(runs: int, ways: dict[str, Callable[[], Taken]], tidy: Callable[[], None]) -> dict[str, Taken]:
    """Go every way in turn, `runs` times and once for warmth, `tidy` behind each round; return the medians."""
    taken: dict[str, list[Taken]] = {name: [] for name in ways}
    for number in range(runs + 1):
        for name, way in ways.items():
            if name.startswith("tidy"):
                way()
            elif number:
                taken[name].append(way())
            else:
                way()
        tidy()
    return {name: median(found) for name, found in taken.items() if found}


def median(taken: list[Taken]) -> Taken:
    """Return the median of each figure."""
    return Taken(*(statistics.median(values) for values in zip(*taken, strict=True)))


def ip(*lines: str) -> None:
    """Run lines in one batch, on the host."""
    subprocess.run(["ip", "-batch", "-"], input="".join(f"{line}\n" for line in lines), text=True, check=True)


def address(number: int) -> str:
    """Return one that no other guest has, of a network that holds all of them."""
    return f"10.{number // 250}.{number % 250}.1/8"


def topology(links: list[str]) -> None:
    """Write the file that `up` reads."""
    Path(FILE).write_text("version: 1\nlinks:\n" + "".join(f"  - {link}\n" for link in links))


def bridges(guests: int) -> list[str]:
    """Return the bridge of each guest."""
    return [f"br{number // PORTS + 1}" for number in range(guests)]


def write_script(guests: int) -> None:
    """Write what a careful person writes: one batch for the host, then one for each guest."""
    on = bridges(guests)
    lines = ["#!/bin/sh", "set -e", "ip -batch - <<END"]
    for name in dict.fromkeys(on):
        lines += [f"link add {name} type bridge", f"link set dev {name} up"]
    lines += [
        f"link add v{number} master {on[number]} up type veth peer name eth1 netns g{number}"
        for number in range(guests)
    ]
    lines.append("END")
    for number in range(guests):
        lines.append(f"nsenter --net=/run/netns/g{number} ip -batch - <<END")
        lines += [f"address add {address(number)} dev eth1", "link set dev eth1 up", "END"]
    Path(SCRIPT).write_text("\n".join(lines) + "\n")


def clear() -> None:
    """Take away all bridges and veth pairs."""
    found = json.loads(subprocess.run(["ip", "-json", "link"], check=True, capture_output=True, text=True).stdout)
    names = [link["ifname"] for link in found if link["ifname"].startswith(("v", "br"))]
    ip(*(f"link delete {name}" for name in names))


def namespace_guests(guests: int, *, since: int = 0) -> None:
    """Make the guests, and the file that names them."""
    ip(*(f"netns add g{number}" for number in range(since, guests)))
    topology([f"{on} netns:g{number} {address(number)}" for number, on in enumerate(bridges(guests))])


def namespaces(runs: int = 7) -> None:
    """Print how 100 named namespaces on one new bridge go."""
    namespace_guests(100)
    write_script(100)
    ways: dict[str, Callable[[], Taken]] = {
        "script": lambda: timed("sh", SCRIPT),
        "tidy": lambda: (clear(), Taken(0, 0))[1],
        "first": lambda: timed(PIPEWORK, "up", "-f", FILE),
        "again": lambda: timed(PIPEWORK, "up", "-f", FILE),
    }
    found = by_turns(runs, ways, clear)
    for name, taken in found.items():
        print(f"100 namespaces, {name}: {taken.seconds * 1000:.0f} ms")
    print(f"up / script: {found['first'].seconds / found['script'].seconds:.2f} (at most 1.0)")
    print(f"up again / up: {found['again'].seconds / found['first'].seconds:.2f} (at most 0.7)")


def scale() -> None:
    """Print the time of a guest by their number, and the memory."""
    each = {}
    made, largest = 0, 0.0
    for guests, runs in ((10, 7), (100, 5), (1000, 3)):
        namespace_guests(guests, since=made)
        made = guests
        ways: dict[str, Callable[[], Taken]] = {
            "first": lambda: timed(PIPEWORK, "up", "-f", FILE),
            "again": lambda: timed(PIPEWORK, "up", "-f", FILE),
        }
        found = by_turns(runs, ways, clear)
        each[guests] = found["first"].seconds * 1000 / guests
        largest = max(largest, *(taken.mib for taken in found.values()))
        again = found["again"].seconds * 1000 / guests
        print(f"{guests} guests: {each[guests]:.2f} ms a guest, again {again:.2f}; {found['first'].mib:.0f} MiB")
    print(f"1,000 guests / 100 guests, time of each: {each[1000] / each[100]:.2f} (flat: about 1)")
    print(f"memory: {largest:.0f} MiB (at most {MEMORY_LIMIT})")


def containers(pids: list[int], runs: int = 5) -> None:
    """Print how containers go, given the PIDs of those that CNI gets: nothing is asked for them."""
    count = len(pids)
    topology([f"br1 one{number} {address(number)}" for number in range(count)])
    ways: dict[str, Callable[[], Taken]] = {
        "pipework": lambda: timed(PIPEWORK, "up", "-f", FILE),
        "cni": lambda: timed("sh", SCRIPT, "ADD"),
        "docker": lambda: timed("sh", "-c", each_container("connect", count)),
    }

    def tidy() -> None:
        timed(PIPEWORK, "down", "-f", FILE)
        timed("sh", SCRIPT, "DEL")
        timed("sh", "-c", each_container("disconnect", count))
        ip("link delete cni1")

    write_cni(pids)
    found = by_turns(runs, ways, tidy)
    for name, taken in found.items():
        print(f"{count} containers, {name}: {taken.seconds * 1000:.0f} ms")
    print(f"up / CNI: {found['pipework'].seconds / found['cni'].seconds:.2f} (at most 0.35)")
    print(f"up / docker network connect: {found['pipework'].seconds / found['docker'].seconds:.3f} (at most 0.05)")


def each_container(verb: str, count: int) -> str:
    """Return a script that connects all containers to Docker's network, or disconnects them."""
    return "set -e\n" + "".join(f"docker network {verb} lab two{number}\n" for number in range(count))


def write_cni(pids: list[int]) -> None:
    """Write the script that calls CNI's plugin for each, ADD or DEL."""
    lines = ["#!/bin/sh", "set -e", f"export CNI_COMMAND=$1 CNI_PATH={CNI} CNI_IFNAME=eth5"]
    for number, pid in enumerate(pids):
        config = {
            "cniVersion": "0.4.0",
            "name": "lab",
            "type": "bridge",
            "bridge": "cni1",
            "ipam": {"type": "static", "addresses": [{"address": address(number)}]},
        }
        called = f"CNI_CONTAINERID=c{number} CNI_NETNS=/proc/{pid}/ns/net {CNI}/bridge"
        lines += [f"{called} >/dev/null <<'END'", json.dumps(config), "END"]
    Path(SCRIPT).write_text("\n".join(lines) + "\n")


def switch(ports: int = 300) -> None:
    """Print the time of ports of Open vSwitch, and how many processes of its tool that takes."""
    ip(*(f"netns add g{number}" for number in range(ports)))
    topology([f"ovs1 -o datapath=netdev netns:g{number} {address(number)}" for number in range(ports)])
    first = timed(PIPEWORK, "up", "-f", FILE).seconds
    again = timed(PIPEWORK, "up", "-f", FILE).seconds
    print(f"{ports} ports: {first:.2f} s, again {again:.2f} s")
    timed(PIPEWORK, "down", "-f", FILE)
    env = os.environ | {"PATH": f"{counting('ovs-vsctl')}:{os.environ['PATH']}"}
    for name in ("up", "up again"):
        Path(COUNTED).write_text("")
        timed(PIPEWORK, "up", "-f", FILE, env=env)
        calls = [line for line in Path(COUNTED).read_text().splitlines() if line]
        changing = [call for call in calls if "add-port" in call]
        print(f"{name}: {len(calls)} processes of ovs-vsctl, {len(changing)} of them add ports")


def counting(program: str) -> str:
    """Make a folder with a program of that name that writes down each call; return it."""
    folder = Path("/run/lab/counting")
    folder.mkdir(exist_ok=True)
    real = subprocess.run(["sh", "-c", f"command -v {program}"], check=True, capture_output=True, text=True).stdout
    fake = folder / program
    fake.write_text(f'#!/bin/sh\nprintf "%s " "$@" >>{COUNTED}\necho >>{COUNTED}\nexec {real.strip()} "$@"\n')
    fake.chmod(0o755)
    return str(folder)


def measure(part: str) -> None:
    """Measure one part in a private host of its own."""
    with PrivateHost() as host:
        words: list[str] = []
        if part == "containers":
            engine = DockerEngine(host).__enter__()
            host.run("docker", "network", "create", "lab")
            for number in range(20):
                words.append(str(engine.run(f"one{number}")))
                engine.run(f"two{number}", network="bridge")
        if part == "switch":
            OpenVSwitch(host).__enter__()
        print(host.run(sys.executable, "-P", __file__, "inside", part, *words, timeout=900).stdout, end="", flush=True)


def main(argv: list[str]) -> None:
    """Measure, or, called by ourselves, be what measures inside."""
    if argv[:1] != ["inside"]:
        for part in argv or ["namespaces", "scale", "containers", "switch"]:
            measure(part)
        return
    _, part, *words = argv
    inside: dict[str, Callable[[], None]] = {
        "namespaces": namespaces,
        "scale": scale,
        "containers": lambda: containers([int(word) for word in words]),
        "switch": switch,
    }
    inside[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
