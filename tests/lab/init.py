"""Process 1 of a private host: prepare its mounts, hold it open, clean up at the end.

Started as a script by `host.PrivateHost`, inside fresh namespaces. It says "ready" on stdout and
then lives as long as its stdin stays open. The pipe is held by the test process alone, so the host
ends with that process however it ends; and because this is process 1 of a PID namespace, the kernel
takes everything else inside down with it (pid_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
RMDIR_SECONDS = 2.0
#: Where programs write: DHCP clients (even to /etc/resolv.conf), container engines, daemons.
WRITTEN = tuple(map(Path, ("/etc", "/var/lib", "/var/log", "/var/cache")))


def mount(*arguments: str) -> None:
    """Call mount(8); raise CalledProcessError when it refuses."""
    subprocess.run(("mount", *arguments), check=True)


def overlay(folder: Path) -> None:
    """Put a private, writable layer over a folder of the machine, forgotten with the host."""
    layer = Path(f"/run/lab/overlay{folder}")
    upper, work = layer / "upper", layer / "work"
    upper.mkdir(parents=True)
    work.mkdir()
    options = f"lowerdir={folder},upperdir={upper},workdir={work}"
    mount("-t", "overlay", "-o", options, "overlay", str(folder))


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
        mount("-t", "cgroup2", "cgroup2", str(CGROUPS))
        return
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(CGROUPS))
    for name in version_1:
        cgroup_root(name).mkdir()
        # A hierarchy without controllers is asked for by its name alone.
        options = f"none,{name}" if name.startswith("name=") else name
        mount("-t", "cgroup", "-o", options, "cgroup", str(cgroup_root(name)))


def prepare(*, cgroups: bool) -> None:
    """Give the host its own /run and /sys, and private changes to what its programs write."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for name in ("netns", "lock", "lab"):
        Path("/run", name).mkdir()
    # A fresh sysfs shows the interfaces of the new network namespace.
    mount("-t", "sysfs", "sysfs", "/sys")
    if cgroups:
        mount_cgroups()
    for folder in WRITTEN:
        overlay(folder)


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
