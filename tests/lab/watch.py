"""A watcher in the private host of a Docker Engine, and what containers have of it."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .busybox import IMAGE, SLEEP
from .dhcp import NIC, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .docker import DockerEngine

ASK = ("--label", "pipework.eth1=br1 192.168.1.1/24@192.168.1.254")
#: Seconds in which what was asked for has to hold, and those for a busy machine.
SOON, BUSY = 2.0, 20.0
LOG = "/run/watch.log"
#: What interfaces of a container hold: addresses with their prefix lengths, by the interface's name.
Holding = dict[str, list[str]]


def interfaces(docker: DockerEngine, name: str) -> Holding:
    """Return the interfaces of a container that are up, `lo` left out, each with its IPv4 addresses."""
    look = ("ip", "-json", "address", "show")
    pid = docker.host.run("docker", "inspect", "--format", "{{.State.Pid}}", name, check=False).stdout.strip()
    if pid in {"", "0"}:
        return {}
    done = docker.host.run(*docker.host.enter(int(pid)), *look, check=False)
    shown: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    up = [link for link in shown if "UP" in link["flags"] and link["ifname"] != "lo"]
    return {link["ifname"]: [_write(a) for a in link["addr_info"] if a["family"] == "inet"] for link in up}


def _write(address: Mapping[str, Any]) -> str:
    return f"{address['local']}/{address['prefixlen']}"


def addresses(docker: DockerEngine, name: str, interface: str = "eth1") -> list[str]:
    """Return the IPv4 addresses of one interface of a container; none while it is not up."""
    return interfaces(docker, name).get(interface, [])


def wait_to_hold(docker: DockerEngine, wanted: Mapping[str, Holding], what: str) -> None:
    """Wait until containers have these interfaces and no others, each once, and the host an end for each and no more.

    Prints how long that took.
    """
    begun = time.monotonic()
    seen: dict[str, object] = {}

    def holds() -> bool:
        found = {name: interfaces(docker, name) for name in wanted}
        links = json.loads(docker.host.run("ip", "-json", "link", "show", "type", "veth").stdout)
        ends = [link["ifname"] for link in links if not link["ifname"].startswith(NIC)]
        seen.update(found, ends=ends)
        return found == wanted and len(ends) == sum(map(len, wanted.values()))

    try:
        wait_until(holds, what, within=BUSY)
    except AssertionError as error:
        raise AssertionError(f"{error}; wanted {wanted}, seen {seen}; {docker.host.run('cat', LOG).stdout}") from None
    print(f"{what}: {time.monotonic() - begun:.2f} s")


def run(docker: DockerEngine, name: str, *extra: str, command: tuple[str, ...] = SLEEP) -> None:
    """Start a container that need not live on; the engine ends it at once when it ends itself."""
    options = ("--detach", "--name", name, "--hostname", name, "--network", "none", "--stop-signal", "KILL")
    docker.host.run("docker", "run", *options, *extra, IMAGE, *command)


class Watch:
    """A watcher that runs, and what it says, one event a line."""

    def __init__(self, docker: DockerEngine, *words: str, socket: str = "") -> None:
        self._host = docker.host
        env = {"DOCKER_HOST": f"unix://{socket}"} if socket else {}
        argv = (sys.executable, "-P", "-m", "pipework_core", "watch", "--json", *words)
        self.process = self._host.popen("sh", "-c", f'exec "$@" >>{LOG} 2>&1', "watch", *argv, env=env)

    def events(self) -> list[dict[str, Any]]:
        lines = self._host.run("cat", LOG).stdout.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def said(self, kind: str, guest: str) -> list[str]:
        return [told["text"] for told in self.events() if (told["event"], told["guest"]) == (kind, f"docker:{guest}")]

    def print_delay(self, name: str) -> None:
        """Print the time from a container's newest start to its last interface."""
        started = self._host.run("docker", "inspect", "--format", "{{.State.StartedAt}}", name).stdout.strip()
        served = [
            told["time"] for told in self.events() if (told["event"], told["guest"]) == ("attached", f"docker:{name}")
        ]
        print(f"{name}: from its start to its interfaces {served[-1] - read_time(started):.2f} s")


def read_time(text: str) -> float:
    """Return a time that Docker wrote, in seconds since 1970; Python reads six digits behind the point."""
    whole, _, digits = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{digits or 0}")


@contextmanager
def watching(docker: DockerEngine, *words: str, socket: str = "") -> Iterator[Watch]:
    """Run a watcher, at the engine's own socket or another one; it must end soon, and without a fault."""
    docker.host.run("sh", "-c", f": >{LOG}")
    watch = Watch(docker, *words, socket=socket)
    try:
        yield watch
    finally:
        watch.process.terminate()
        begun = time.monotonic()
        code = watch.process.wait(BUSY)
    said = docker.host.run("cat", LOG).stdout
    assert code == 0, said
    assert "Traceback" not in said
    assert time.monotonic() - begun < SOON
