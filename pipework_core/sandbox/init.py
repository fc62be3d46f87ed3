"""Process 1 of a private host (`testing.private`): prepare its mounts, hold it open, end everything with it.

Started inside fresh namespaces, by a Python without site packages. It says "ready" on stdout and then lives as long as
its stdin stays open. Whoever made the host alone holds the other end, so the host ends with that process however that
ends; and because this is process 1 of a PID namespace, the kernel takes everything else inside down with it
(pid_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from pipework_core.sandbox.mounts import mount_at, protect_path

READY = "ready\n"
#: Where what is below is kept.
_OWN = Path("/run/lab")
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a mount point, not a file
#: Where programs write: DHCP clients (even to /etc/resolv.conf), container engines, daemons.
_WRITTEN = tuple(map(Path, ("/etc", "/var/lib", "/var/log", "/var/cache")))


def prepare_host() -> None:
    """Give the host its own /run, /dev/shm and /sys, and private changes to what its programs write."""
    mount_at("tmpfs", Path("/run"), "mode=755")
    # Where the programs inside share memory; podman keeps its locks there.
    mount_at("tmpfs", _SHARED_MEMORY, "mode=1777")
    for folder in (Path("/run/netns"), Path("/run/lock"), _OWN):
        folder.mkdir()
    # A fresh sysfs shows the interfaces of the new network namespace.
    mount_at("sysfs", Path("/sys"))
    for folder in _WRITTEN:
        protect_path(folder, _OWN / "overlay")


def hold_host() -> None:
    """Hold the host open until stdin ends, then kill all that is in it."""
    # Ignored, SIGCHLD makes the kernel reap every orphan that lands here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.write(READY)
    sys.stdout.flush()
    sys.stdin.buffer.read()
    _kill_everything()


def _kill_everything() -> None:
    """Kill all other processes of this PID namespace and wait until they are gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    # With SIGCHLD ignored, wait(2) returns ECHILD only when the last child is gone.
    with contextlib.suppress(ChildProcessError):
        os.wait()


if __name__ == "__main__":
    prepare_host()
    hold_host()
