"""What tests must leave as they found it: the machine they run on."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from .host import CGROUP, OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A snapshot of the machine; two of them compare equal when nothing was left behind."""

    links: tuple[str, ...]
    mounts: tuple[str, ...]
    resolv_conf: bytes
    shared_memory: tuple[str, ...]
    cgroups: tuple[str, ...]
    processes: tuple[str, ...]


def owned_processes(owner: int) -> tuple[str, ...]:
    """Return the command lines of processes that the lab of test process `owner` started."""
    mark = f"{OWNER}={owner}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{entry.name} {words.decode(errors='replace')}")
        except OSError:
            continue  # it has just ended, or belongs to somebody else
    return tuple(sorted(found))


def names_in(folder: str) -> tuple[str, ...]:
    """Return what a folder of the machine contains, sorted."""
    return tuple(sorted(path.name for path in Path(folder).iterdir()))


def lab_cgroups() -> tuple[str, ...]:
    """Return the control groups that private hosts of this test process have now."""
    start = f"{CGROUP}-{os.getpid()}-"
    folders = (folder for folder, _, _ in os.walk("/sys/fs/cgroup"))
    return tuple(sorted(folder for folder in folders if Path(folder).name.startswith(start)))


def snapshot() -> Machine:
    """Look at the machine."""
    resolv_conf = Path("/etc/resolv.conf")
    return Machine(
        links=names_in("/sys/class/net"),
        mounts=tuple(sorted(Path("/proc/self/mounts").read_text().splitlines())),
        resolv_conf=resolv_conf.read_bytes() if resolv_conf.exists() else b"",
        shared_memory=names_in("/dev/shm"),  # noqa: S108 (only looked at)
        cgroups=lab_cgroups(),
        processes=owned_processes(os.getpid()),
    )


def differences(before: Machine, after: Machine) -> list[str]:
    """Say in one line per part what changed between two snapshots."""
    return [
        f"{field.name}: before {was!r}, now {now!r}"
        for field in fields(Machine)
        if (was := getattr(before, field.name)) != (now := getattr(after, field.name))
    ]
