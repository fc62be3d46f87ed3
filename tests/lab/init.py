"""Process 1 of a private host in which container engines run: the kit's, with control groups for them."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from pipework_core.sandbox.init import hold_host, prepare_host
from pipework_core.sandbox.mounts import mount_at

CGROUPS = Path("/sys/fs/cgroup")
RMDIR_SECONDS = 2.0


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
        mount_at("cgroup2", CGROUPS)
        return
    mount_at("tmpfs", CGROUPS, "mode=755")
    for name in version_1:
        cgroup_root(name).mkdir()
        # A hierarchy without controllers is asked for by its name alone.
        options = f"none,{name}" if name.startswith("name=") else name
        mount_at("cgroup", cgroup_root(name), options)


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


def main(cgroup: str) -> None:
    """Hold the host open until stdin ends."""
    prepare_host()
    mount_cgroups()
    hold_host()
    remove_cgroups(cgroup)


if __name__ == "__main__":
    main(sys.argv[1])
