"""Podman in a private host of root, with an image that needs no registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .busybox import IMAGE, SLEEP, archive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .host import PrivateHost

ARCHIVE = "/run/lab/podman.tar"
#: containers-storage.conf(5). The files lie in the host's own memory, where no overlay is needed.
STORAGE = """[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/run/lab/podman"
"""
#: containers.conf(5). crun refuses a hybrid cgroup mount; podman's own limits are higher than what
#: a machine without CAP_SYS_RESOURCE may give; not every machine has the pids controller in version 2;
#: systemd and its journal are not there.
ENGINE = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
pids_limit = 0
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
"""


class Podman:
    """Containers that plain `podman` in the host finds."""

    def __init__(self, host: PrivateHost) -> None:
        """Choose the host."""
        self.host = host

    def __enter__(self) -> Self:
        """Configure podman and import its image."""
        self.host.write("/etc/containers/storage.conf", STORAGE)
        self.host.write("/etc/containers/containers.conf", ENGINE)
        self.host.write(ARCHIVE, archive())
        self.host.run("podman", "import", ARCHIVE, IMAGE)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the containers to the end of their host, which kills them."""

    def run(self, name: str, *extra: str, network: str = "none", command: Sequence[str] = SLEEP) -> int:
        """Start a container (`extra` are options of `podman run`); return its PID in the host."""
        options = ("--detach", "--name", name, "--hostname", name, "--network", network)
        cgroup = ("--cgroup-parent", f"/{self.host.cgroup}")
        self.host.run("podman", "run", *options, *cgroup, *extra, IMAGE, *command)
        return self.pid(name)

    def pid(self, name: str) -> int:
        """Return the PID of a running container in the host."""
        answer = self.host.run("podman", "inspect", "--format", "{{.State.Pid}}", name)
        return int(answer.stdout)

    def exec(self, name: str, *command: str) -> str:
        """Run a command in a container and return its output."""
        return self.host.run("podman", "exec", name, *command).stdout

    def stop(self, name: str) -> None:
        """Kill a container, but keep it."""
        self.host.run("podman", "kill", name)
        self.host.run("podman", "wait", name)

    def remove(self, name: str) -> None:
        """Kill and remove a container."""
        self.host.run("podman", "rm", "--force", "--time", "0", name)
