"""LXC in a private host, with containers made of busybox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from .host import PrivateHost

DEFAULTS = "/etc/lxc/default.conf"


class Lxc:
    """Containers in /var/lib/lxc, so that plain `lxc-info -n NAME` in the host finds them."""

    def __init__(self, host: PrivateHost) -> None:
        """Choose the host."""
        self.host = host

    def __enter__(self) -> Self:
        """Let the host's mounts propagate, as lxc-start(1) wants them on any machine."""
        self.host.run("mount", "--make-rshared", "/")
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the containers to the end of their host, which kills them."""

    def run(self, name: str, *, network: Literal["empty", "none"] = "empty") -> int:
        """Make and start a container; return the PID of its init in the host.

        `network` is a word of lxc.container.conf(5): "empty" has only a loopback interface, "none"
        shares the network of the host.
        """
        # No AppArmor lines: not every kernel has it, and the container is not to be tested.
        settings = f"lxc.net.0.type = {network}\nlxc.cgroup.dir = {self.host.cgroup}\n"
        self.host.write(DEFAULTS, settings)
        self.host.run("lxc-create", "--name", name, "--template", "busybox")
        return self.start(name)

    def start(self, name: str) -> int:
        """Start a stopped container; return the PID of its init in the host."""
        self.host.run("lxc-start", "--name", name)
        return int(self.host.run("lxc-info", "--name", name, "--pid", "--no-humanize").stdout)

    def exec(self, name: str, *command: str) -> str:
        """Run a command in a container and return its output."""
        return self.host.run("lxc-attach", "--name", name, "--", *command).stdout

    def stop(self, name: str) -> None:
        """Kill a container, but keep it."""
        self.host.run("lxc-stop", "--name", name, "--kill")

    def remove(self, name: str) -> None:
        """Kill and remove a container."""
        self.host.run("lxc-destroy", "--name", name, "--force")
