"""Measure `pipework watch`: single starts beside a `pipework` process, many at once, and a container in a crash loop.

`python -P bench/watch.py [--starts N] [--together N] [--restarts N] [--crashes N]` needs root, Docker and Open vSwitch,
and works in a private host; 0 leaves a part out. The watcher counts from the moment at which it hears of the start;
Docker's event comes about a millisecond after the start itself. `--together` counts from the start that Docker notes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.busybox import IMAGE
from lab.docker import DockerEngine
from lab.host import PrivateHost
from lab.ovs import OpenVSwitch

LOG = "/run/watch.log"
SWITCH = "sw0"
ASK = ("--label", "pipework.eth1=br1 10.9.0.1/24", "--label", f"pipework.eth2=ovs:{SWITCH} 10.9.3.1/24")
_WITHIN = 180.0


def read_events(host: PrivateHost, start: str = "") -> list[dict[str, object]]:
    """Return what the watcher has said so far of guests whose names begin so."""
    told = [json.loads(line) for line in host.run("cat", LOG).stdout.splitlines() if line.startswith("{")]
    return [event for event in told if str(event["guest"]).startswith(f"docker:{start}")]


def wait_for(host: PrivateHost, count: int, start: str) -> list[dict[str, object]]:
    """Wait for so many attachments of guests whose names begin so; return what was said of each."""
    deadline = time.monotonic() + _WITHIN
    while time.monotonic() < deadline:
        attached = [told for told in read_events(host, start) if told["event"] == "attached"]
        if len(attached) >= count:
            return attached
        time.sleep(0.05)
    raise SystemExit(f"{count} attachments did not come: {read_events(host)[-3:]}")


def measure_starts(docker: DockerEngine, starts: int) -> None:
    """Print the median from a start to the interface, and that of a process for the same request."""
    host = docker.host
    for number in range(starts):
        docker.run(f"web{number}", "--label", f"pipework.eth1=br1 10.9.1.{number + 1}/24")
        wait_for(host, number + 1, "web")
    served = statistics.median(float(str(told["seconds"])) for told in wait_for(host, starts, "web"))
    took = []
    for number in range(starts):
        docker.run(f"alone{number}")
        begun = time.monotonic()
        host.pipework("br1", f"alone{number}", f"10.9.2.{number + 1}/24")
        took.append(time.monotonic() - begun)
    alone = statistics.median(took)
    print(f"start to interface, median of {starts}: {served * 1000:.0f} ms; a process: {alone * 1000:.0f} ms;", end=" ")
    print(f"ratio {served / alone:.2f}", flush=True)
    remove(docker, [*(f"web{number}" for number in range(starts)), *(f"alone{number}" for number in range(starts))])


def measure_together(docker: DockerEngine, count: int, *, silent: bool) -> None:
    """Start so many containers at once, and print when they were up; a `silent` one asks a DHCP server that is not."""
    host, names = docker.host, [f"many{number}" for number in range(count - silent)]
    create = ("docker", "create", "--network", "none", "--stop-signal", "KILL")
    for number, name in enumerate(names):
        label = f"pipework.eth1=br1 10.10.{number // 200}.{number % 200 + 1}/16"
        host.run(*create, "--name", name, "--label", label, IMAGE, "sleep", "100000")
    if silent:
        host.run(*create, "--name", "lost", "--label", "pipework.eth1=br8 udhcpc", IMAGE, "sleep", "100000")
    host.run("sh", "-c", f": >{LOG}")
    begun = time.monotonic()
    given = "\n".join([*(["lost"] if silent else []), *names])
    host.run("xargs", "-n", "1", "-P", "20", "docker", "start", input=given, timeout=_WITHIN)
    docker_took = time.monotonic() - begun
    attached = wait_for(host, len(names), "many")
    took = time.monotonic() - begun
    show = ("docker", "inspect", "--format", "{{.Name}} {{.State.StartedAt}}")
    started = dict(line.removeprefix("/").split() for line in host.run(*show, *names).stdout.splitlines())
    waits = sorted(
        float(str(told["time"])) - read_time(started[str(told["guest"]).removeprefix("docker:")]) for told in attached
    )
    beside = "beside one without a DHCP server" if silent else "and nobody else"
    print(f"{len(names)} containers {beside}: docker start took {docker_took:.1f} s, all were up after {took:.1f} s;")
    median = statistics.median(waits)
    print(f"  from its start to its interface: median {median:.2f} s, last {waits[-1]:.2f} s", flush=True)
    remove(docker, [*names, *(["lost"] if silent else [])])


def read_time(text: str) -> float:
    """Return a time that Docker wrote, in seconds since 1970; Python reads six digits behind the point."""
    whole, _, digits = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{digits or 0}")


def measure_restarts(docker: DockerEngine, restarts: int, watcher: str) -> None:
    """Print what the watcher holds while a container is restarted again and again."""
    docker.run("loop", *ASK)
    for number in range(restarts + 1):
        if number % max(1, restarts // 10) == 0:
            print_resources(docker.host, watcher, f"{number} restarts")
        docker.host.run("docker", "restart", "--time", "0", "loop")
    remove(docker, ["loop"])
    print_resources(docker.host, watcher, "its end")


def measure_crashes(docker: DockerEngine, crashes: int, watcher: str) -> None:
    """Print what the watcher holds while containers that ask for interfaces live for a tenth of a second each."""
    for number in range(crashes + 1):
        if number % max(1, crashes // 10) == 0:
            print_resources(docker.host, watcher, f"{number} crashes")
        start = ("docker", "run", "--rm", "--network", "none", *ASK)
        docker.host.run(*start, IMAGE, "sleep", "0.1")
    print_resources(docker.host, watcher, "the last one")


def print_resources(host: PrivateHost, watcher: str, when: str) -> None:
    """Print resident memory, descriptors and threads of the watcher, and ports and ends of pairs on the host."""
    status = host.run("cat", f"/proc/{watcher}/status").stdout
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    fds = host.run("sh", "-c", f"ls /proc/{watcher}/fd | wc -l").stdout.strip()
    veths = host.run("sh", "-c", "ip -o link show type veth | wc -l").stdout.strip()
    ports = len(host.run("ovs-vsctl", "list-ports", SWITCH).stdout.split())
    memory = int(fields["VmRSS"].split()[0]) / 1024
    said = f"{memory:.1f} MiB, {fds} descriptors, {fields['Threads'].strip()} threads"
    print(f"after {when}: {said}; on the host {veths} ends of pairs, {ports} ports of Open vSwitch", flush=True)


def remove(docker: DockerEngine, names: list[str]) -> None:
    """Remove containers at once."""
    docker.host.run("docker", "rm", "--force", *names, timeout=_WITHIN)


def main() -> None:
    """Measure all that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    for part, default in (("starts", 20), ("together", 100), ("restarts", 1000), ("crashes", 1000)):
        parser.add_argument(f"--{part}", type=int, default=default)
    options = parser.parse_args()
    with PrivateHost() as host, DockerEngine(host) as docker, OpenVSwitch(host) as switch:
        switch.add_bridge(SWITCH)
        command = f"exec {sys.executable} -P -m pipework_core watch --json >>{LOG} 2>&1"
        host.popen("sh", "-c", command)
        docker.run("first", "--label", "pipework.eth1=br1 10.9.9.9/24")
        wait_for(host, 1, "first")
        watcher = host.run("pgrep", "-f", "pipework_core watch").stdout.split()[0]
        if options.starts:
            measure_starts(docker, options.starts)
        if options.together:
            measure_together(docker, options.together, silent=False)
            measure_together(docker, options.together, silent=True)
        if options.restarts:
            measure_restarts(docker, options.restarts, watcher)
        if options.crashes:
            measure_crashes(docker, options.crashes, watcher)


main()
