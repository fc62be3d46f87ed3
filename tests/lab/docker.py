"""Docker Engine in a private host, with an image that needs no registry."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .host import PrivateHost

SOCKET = "/run/docker.sock"
DATA = "/run/lab/docker"
LOG = "/run/lab/dockerd.log"
READY_SECONDS = 30.0
IMAGE = "busybox:latest"
SLEEP = ("sleep", "100000")
#: What busybox' udhcpc calls with its lease in variables (udhcpc --help: "Run PROG at DHCP events").
DHCP_SCRIPT = """#!/bin/sh
case "$1" in
bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
        ip route replace default via "$gateway" dev "$interface"
    done
    ;;
deconfig)
    ip address flush dev "$interface"
    ip link set "$interface" up
    ;;
esac
"""


def busybox_applets() -> list[str]:
    """Return the names under which Debian's static busybox answers, its own left out."""
    listed = subprocess.run(("busybox", "--list"), capture_output=True, text=True, check=True)
    return sorted(set(listed.stdout.split()) - {"busybox"})


def busybox_program() -> bytes:
    """Return the static busybox of this machine."""
    # busybox-static installs exactly this file; another busybox on PATH may be dynamic.
    return Path("/bin/busybox").read_bytes()


def busybox_archive() -> bytes:
    """Return a root file system (tar) with busybox, its applets and a script for its DHCP client."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for folder in ("bin", "etc", "proc", "sys", "dev", "tmp", "run", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        files = {"bin/busybox": busybox_program()}
        files["usr/share/udhcpc/default.script"] = DHCP_SCRIPT.encode()
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        for applet in busybox_applets():
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return archive.getvalue()


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

    def __enter__(self) -> Self:
        """Start the engine and import its image; raise RuntimeError with its log on failure."""
        self.host.sysctl("net.ipv4.ip_forward", int(self.ip_forward))
        self.host.env["DOCKER_HOST"] = f"unix://{SOCKET}"
        self.host.run("mkdir", "-p", DATA)
        self.host.popen("sh", "-c", f'exec "$@" >{LOG} 2>&1', "dockerd", *self._command())
        self._wait()
        self._import_image()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the engine to the end of its host, which kills it with everything in it."""

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

    def _import_image(self) -> None:
        """Hand the busybox image to the engine, through a file in its own /run."""
        archive = Path(f"/proc/{self.host.pid}/root{DATA}/busybox.tar")
        archive.write_bytes(busybox_archive())
        self.host.run("docker", "import", f"{DATA}/busybox.tar", IMAGE)

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

    def remove(self, name: str) -> None:
        """Kill and remove a container."""
        self.host.run("docker", "rm", "--force", name)
