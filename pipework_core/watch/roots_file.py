"""Reads a file that has to be root's alone: a policy or a key decides who may use the host's networks."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from pipework_core.model.errors import HostError, UsageError

_SIZE_MAX = 1 << 20


def read_roots_file(path: str) -> str:
    """Return the text of a file that nobody but root can change.

    Raise HostError for one that others can change, UsageError for one that cannot be read.
    """
    try:
        # A pipe has no end before somebody writes into it.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            data = file.read(_SIZE_MAX + 1) if is_file else b""
    except (OSError, ValueError) as error:
        said = (error.strerror if isinstance(error, OSError) else "") or "that is no name of a file"
        raise UsageError(f"{path} cannot be read: {said}.", hint="name a file that root can read") from None
    if not is_file:
        raise UsageError(f"{path} is no file.", hint="name a file that root can read")
    if len(data) > _SIZE_MAX:
        raise UsageError(f"{path} is larger than {_SIZE_MAX >> 20} MiB.", hint="write patterns in place of names")
    refuse_foreign(path)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8.", hint="save the file as UTF-8") from None


def refuse_foreign(path: str) -> None:
    """Raise HostError for a file that others than root can change."""
    if place := _find_foreign(path):
        raise HostError(
            f"{path} can be changed by others than root, who may write {place}.",
            hint=f"{shlex.join(('chown', '-h', 'root', place))}; {shlex.join(('chmod', 'go-w', place))}",
        )


def _find_foreign(path: str) -> str:
    """Return what others than root can change of a file, the links to it, and the folders above; empty for nothing.

    In a folder with the sticky bit others cannot replace what is root's. Who owns `/` is root here.
    """
    places = [path]
    while os.path.islink(places[-1]):
        places.append(os.path.join(os.path.dirname(places[-1]), os.readlink(places[-1])))
    places.insert(0, os.path.realpath(path))
    trusted = {0, os.geteuid(), os.stat("/").st_uid}
    for place in places:
        for one in (Path(place), *Path(place).absolute().parents):
            told = one.lstat()
            is_open = told.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not told.st_mode & stat.S_ISVTX
            if told.st_uid not in trusted or (is_open and not stat.S_ISLNK(told.st_mode)):
                return str(one)
    return ""
