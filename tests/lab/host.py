"""A host for one test: the kit's private host, with what the lab's container engines need besides."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core.testing import private

if TYPE_CHECKING:
    from pipework_core.testing.state import Guest

#: Every process of the lab carries this variable, so that a left-over one is recognised.
OWNER = "PIPEWORK_LAB_OWNER"
#: How the control groups of private hosts begin.
CGROUP = "pipework-lab"
#: The folder of this package; its modules run as process 1 of hosts and kernels.
PACKAGE = Path(__file__).parent
#: Where its modules and ours are found by a Python without site packages.
PYTHONPATH = f"{PACKAGE.parent}:{private.SOURCE}"


def is_root() -> bool:
    """Tell whether the test process is root (or pretends to be, in a user namespace)."""
    return os.geteuid() == 0


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what points to components of the machine."""
    return private.environment() | {OWNER: str(os.getpid())}


class PrivateHost(private.PrivateHost):
    """The kit's private host; that of root has control groups for engines."""

    def __init__(self, *, user: bool | None = None) -> None:
        """Choose a user namespace (`user`), or leave it to whether this process is root."""
        super().__init__(user=user)
        #: The control group below which engines of this host make theirs.
        self.cgroup = f"{CGROUP}-{os.getpid()}-{secrets.token_hex(4)}"

    def environment(self) -> dict[str, str]:
        """Return the environment of whatever runs inside."""
        return clean_environment() | self.env

    def process_1(self) -> tuple[tuple[str, ...], str]:
        """Return what Python runs as process 1, and where that is found."""
        if self.user:
            return super().process_1()
        return ("-m", f"{PACKAGE.name}.init", self.cgroup), PYTHONPATH

    def ping(self, from_guest: Guest, address: str, *, within: float = 3.0) -> bool:
        """Tell whether an address answers a guest within so many seconds."""
        deadline = time.monotonic() + within
        ping = (*self.enter(from_guest), "busybox", "ping", "-c", "1", "-W", "1", address)
        while self.run(*ping, check=False).returncode != 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def sysctl(self, key: str, value: int) -> None:
        """Set a kernel parameter of this host, such as `net.ipv4.ip_forward`."""
        self.run("sysctl", "-q", "-w", f"{key}={value}")
