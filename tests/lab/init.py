"""Process 1 of a private host: prepare its mounts, hold it open, clean up at the end.

Started by `host.PrivateHost`, inside fresh namespaces. It says "ready" on stdout and
then lives as long as its stdin stays open. The pipe is held by the test process alone, so the host
ends with that process however it ends; and because this is process 1 of a PID namespace, the kernel
takes everything else inside down with it (pid_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from .mounts import mount, protect

CGROUPS = Path("/sys/fs/cgroup")
LAYERS = Path("/run/lab/overlay")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (a mount point, not a file)
RMDIR_SECONDS = 2.0
#: Where programs write: DHCP clients (even to /etc/resolv.conf), container engines, daemons.
WRITTEN = tuple(map(Path, ("/etc", "/var/lib", "/var/log", "/var/cache")))


def hierarchies() -> dict[str, Path]:
    """Return the control group hierarchies in use, and where in each this process is.

    `/proc/self/cgroup` has one line `number:controllers:path` for each (cgroups(7)); the one of
    version 2 has no controllers and is named "" here.
    """
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    fields = (line.split(":", 2) for line in lines)
    return {name: Path(path) for _, name, path in fields}


def cgroup_root(name: str) -> Path:
    """Return where the hierarchy of this name is mounted in the private host."""
    return CGROUPS / name.removeprefix("name=")


def mount_cgroups() -> None:
    """Mount the control groups as the kernel has them now: version 1 where it is in use, else 2."""
    version_1 = [name for name in hierarchies() if name]
    if not version_1:
        mount("cgroup2", CGROUPS)
        return
    mount("tmpfs", CGROUPS, "mode=755")
    for name in version_1:
        cgroup_root(name).mkdir()
        # A hierarchy without controllers is asked for by its name alone.
        options = f"none,{name}" if name.startswith("name=") else name
        mount("cgroup", cgroup_root(name), options)


def prepare(*, cgroups: bool) -> None:
    """Give the host its own /run, /dev/shm and /sys, and private changes to what its programs write."""
    mount("tmpfs", Path("/run"), "mode=755")
    # Where the programs inside share memory; podman keeps its locks there.
    mount("tmpfs", SHARED_MEMORY, "mode=1777")
    for name in ("netns", "lock", "lab"):
        Path("/run", name).mkdir()
    # A fresh sysfs shows the interfaces of the new network namespace.
    mount("sysfs", Path("/sys"))
    if cgroups:
        mount_cgroups()
    for folder in WRITTEN:
        protect(folder, LAYERS)


def remove_tree(root: Path) -> None:
    """Remove a control group with all below it, if it exists.

    Killed processes leave their group a moment later: an answer "busy" is tried again.
    """
    deadline = time.monotonic() + RMDIR_SECONDS
    while root.exists() and time.monotonic() < deadline:
        for folder, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        if root.exists():
            time.sleep(0.02)


def remove_cgroups(name: str) -> None:
    """Remove the control groups that the engines of this host made below `name`.

    Docker and podman make them at the top, LXC below the group of the process that starts it.
    """
    for hierarchy, own in hierarchies().items():
        root = cgroup_root(hierarchy)
        remove_tree(root / name)
        remove_tree(root / own.relative_to("/") / name)


def kill_everything() -> None:
    """Kill all other processes of this PID namespace and wait until they are gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    # With SIGCHLD ignored, wait(2) returns ECHILD only when the last child is gone.
    with contextlib.suppress(ChildProcessError):
        os.wait()


def main(cgroup: str) -> None:
    """Hold the host open until stdin ends."""
    prepare(cgroups=bool(cgroup))
    # Ignored, SIGCHLD makes the kernel reap every orphan that lands here.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    kill_everything()
    if cgroup:
        remove_cgroups(cgroup)


if __name__ == "__main__":
    main(sys.argv[1])
