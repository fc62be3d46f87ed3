"""Docker Engine in a private host, with an image that needs no registry."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Self

from .busybox import IMAGE, SLEEP, archive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.testing.inside import InsideProcess

    from .host import PrivateHost

SOCKET = "/run/docker.sock"
DATA = "/run/lab/docker"
LOG = "/run/lab/dockerd.log"
READY_SECONDS = 30.0
ARCHIVE = "/run/lab/docker.tar"


class DockerEngine:
    """A dockerd of Debian in a private host of root.

    `docker` in the host finds it without further ado (DOCKER_HOST is set too, for clients that
    would prefer a context). `ip_forward` is what dockerd finds at its start: with False it sets it
    and makes the FORWARD chain drop, so that foreign bridges are cut (the default of a fresh
    machine); with True it leaves forwarding open.
    """

    def __init__(self, host: PrivateHost, *, ip_forward: bool = True) -> None:
        """Choose the host and what the engine finds there."""
        self.host = host
        self.ip_forward = ip_forward
        self._process: InsideProcess | None = None

    def __enter__(self) -> Self:
        """Start the engine and import its image; raise RuntimeError with its log on failure."""
        self.host.sysctl("net.ipv4.ip_forward", int(self.ip_forward))
        self.host.env["DOCKER_HOST"] = f"unix://{SOCKET}"
        self.host.run("mkdir", "-p", DATA)
        self.start()
        self.host.write(ARCHIVE, archive())
        self.host.run("docker", "import", ARCHIVE, IMAGE)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the engine to the end of its host, which kills it with everything in it."""

    def start(self, *words: str) -> None:
        """Start the daemon, with more words for its command line, and wait until it answers."""
        argv = ("sh", "-c", f'exec "$@" >>{LOG} 2>&1', "dockerd", *self._command(), *words)
        self._process = self.host.popen(*argv)
        self._wait()

    def end(self, number: int = signal.SIGTERM) -> None:
        """End the daemon by a signal and wait for that; its containers end with it unless it was started otherwise."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(READY_SECONDS)

    def _command(self) -> tuple[str, ...]:
        """Return the command line of the daemon: nothing of it outside the host's own folders."""
        folders = ("--data-root", DATA, "--exec-root", "/run/docker")
        contact = ("-H", f"unix://{SOCKET}", "--pidfile", "/run/dockerd.pid")
        return ("dockerd", *folders, *contact, "--cgroup-parent", f"/{self.host.cgroup}")

    def _wait(self) -> None:
        """Wait until the engine answers."""
        deadline = time.monotonic() + READY_SECONDS
        while self.host.run("docker", "version", check=False).returncode != 0:
            if time.monotonic() > deadline:
                log = self.host.run("cat", LOG, check=False).stdout
                message = f"dockerd does not answer:\n{log}"
                raise RuntimeError(message)
            time.sleep(0.05)

    def run(
        self,
        name: str,
        *extra: str,
        network: str = "none",
        command: Sequence[str] = SLEEP,
    ) -> int:
        """Start a container (`extra` are options of `docker run`); return its PID in the host."""
        options = ("--detach", "--name", name, "--hostname", name, "--network", network)
        self.host.run("docker", "run", *options, *extra, IMAGE, *command)
        return self.pid(name)

    def pid(self, name: str) -> int:
        """Return the PID of a running container in the host."""
        answer = self.host.run("docker", "inspect", "--format", "{{.State.Pid}}", name)
        return int(answer.stdout)

    def exec(self, name: str, *command: str) -> str:
        """Run a command in a container and return its output."""
        return self.host.run("docker", "exec", name, *command).stdout

    def stop(self, name: str) -> None:
        """Kill a container, but keep it."""
        self.host.run("docker", "stop", "--time", "0", name)

    def remove(self, name: str) -> None:
        """Kill and remove a container."""
        self.host.run("docker", "rm", "--force", name)
