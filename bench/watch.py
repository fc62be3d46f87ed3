"""Measure `pipework watch`: from a container's start to its interface, beside a `pipework` process; and a crash loop.

`python -P bench/watch.py [--starts N] [--restarts N]` needs root and Docker, and works in a private host. The watcher
counts from the moment at which it hears of the start; Docker's event comes about a millisecond after the start itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lab.docker import DockerEngine
from lab.host import PrivateHost

LOG = "/run/watch.log"
ASK = ("--label", "pipework.eth1=br1 10.9.0.1/24")


def read_events(host: PrivateHost) -> list[dict[str, object]]:
    """Return what the watcher has said so far."""
    return [json.loads(line) for line in host.run("cat", LOG).stdout.splitlines() if line.startswith("{")]


def wait_for(host: PrivateHost, count: int) -> list[float]:
    """Wait for so many attachments; return the seconds that each took."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        took = [float(str(told["seconds"])) for told in read_events(host) if told["event"] == "attached"]
        if len(took) >= count:
            return took
        time.sleep(0.05)
    raise SystemExit(f"{count} attachments did not come: {read_events(host)[-3:]}")


def read_resources(host: PrivateHost, pid: str) -> tuple[int, int, int]:
    """Return resident KiB, descriptors and threads of the watcher."""
    status = host.run("cat", f"/proc/{pid}/status").stdout
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    fds = host.run("sh", "-c", f"ls /proc/{pid}/fd | wc -l").stdout
    return int(fields["VmRSS"].split()[0]), int(fds), int(fields["Threads"])


def measure_starts(docker: DockerEngine, starts: int) -> None:
    """Print the median from a start to the interface, and that of a process for the same request."""
    host = docker.host
    for number in range(starts):
        docker.run(f"web{number}", "--label", f"pipework.eth1=br1 10.9.1.{number + 1}/24")
        wait_for(host, number + 1)
    served = statistics.median(wait_for(host, starts))
    took = []
    for number in range(starts):
        docker.run(f"alone{number}")
        begun = time.monotonic()
        host.pipework("br1", f"alone{number}", f"10.9.2.{number + 1}/24")
        took.append(time.monotonic() - begun)
    alone = statistics.median(took)
    print(f"start to interface, median of {starts}: {served * 1000:.0f} ms; a process: {alone * 1000:.0f} ms;", end=" ")
    print(f"ratio {served / alone:.2f}")
    for number in range(starts):
        docker.remove(f"web{number}")
        docker.remove(f"alone{number}")


def measure_restarts(docker: DockerEngine, restarts: int, pid: str) -> None:
    """Print what the watcher holds in the course of a crash loop."""
    docker.run("loop", *ASK)
    for number in range(restarts + 1):
        if number % max(1, restarts // 5) == 0:
            memory, fds, threads = read_resources(docker.host, pid)
            print(f"after {number} restarts: {memory / 1024:.1f} MiB, {fds} descriptors, {threads} threads", flush=True)
        docker.host.run("docker", "restart", "--time", "0", "loop")
    veths = docker.host.run("sh", "-c", "ip -o link show type veth | wc -l").stdout.strip()
    print(f"ends of veth pairs on the host: {veths}")
    docker.remove("loop")


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=1000)
    options = parser.parse_args()
    with PrivateHost() as host, DockerEngine(host) as docker:
        command = f"exec {sys.executable} -P -m pipework_core watch --json >{LOG} 2>&1"
        host.popen("sh", "-c", command)
        time.sleep(2)
        pid = host.run("pgrep", "-f", "pipework_core watch").stdout.split()[0]
        measure_starts(docker, options.starts)
        measure_restarts(docker, options.restarts, pid)


main()
