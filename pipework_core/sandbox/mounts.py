"""Mounting by the system call, for the first process of a private host."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: Flags of mount(2), as in linux/mount.h.
RDONLY, NOSUID, REMOUNT, BIND, RECURSIVE = 1, 2, 32, 4096, 16384


def mount_at(kind: str, target: Path, options: str = "", *, source: Path | None = None, flags: int = 0) -> None:
    """Mount a file system that has no device, or a folder (`source`); raise OSError when refused.

    By mount(2), because this runs for every test: mount(8) takes ten times as long, and it is
    setuid, which is in the way where its owner is not root.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    words = (os.fsencode(source or kind), os.fsencode(target), kind.encode())
    if libc.mount(*words, flags, options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind}: {os.strerror(code)}", str(target))


def mount_overlay(folder: Path, layers: Path) -> None:
    """Lay memory (kept below `layers`) over a folder: its contents stay, changes vanish."""
    layer = layers / str(folder).strip("/")
    upper, work = layer / "upper", layer / "work"
    upper.mkdir(parents=True)
    work.mkdir()
    upper.chmod(folder.stat().st_mode & 0o7777)
    mount_at("overlay", folder, f"lowerdir={folder},upperdir={upper},workdir={work}")


def protect_path(folder: Path, layers: Path) -> None:
    """Keep changes of a folder away from the machine: by an overlay, else by making it read-only.

    In a user namespace, the kernel refuses an overlay over a folder in which something is mounted
    (EINVAL). A folder that cannot be written to is left as it is.
    """
    if not os.access(folder, os.W_OK):
        return
    try:
        mount_overlay(folder, layers)
    except OSError:
        mount_at("none", folder, source=folder, flags=BIND | RECURSIVE)
        mount_at("none", folder, flags=REMOUNT | BIND | RDONLY)
