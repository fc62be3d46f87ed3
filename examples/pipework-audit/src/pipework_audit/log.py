"""The file: opened for each line, so that it can be moved away at any time, and written to in one go."""

from __future__ import annotations

import errno
import os
import stat

#: Append only, never through a link, not inherited, and waiting for nobody: a pipe without a reader is refused below.
_HOW = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class NotWrittenError(Exception):
    """A line could not be written."""


def append_line(line: bytes, path: str) -> None:
    """Append a line; raise NotWrittenError, in a sentence, where that cannot be.

    One write(2) to a file that is open for appending is one piece of it, whoever else writes meanwhile (write(2),
    O_APPEND): lines of many runs never mix. A new file is its owner's alone (0600).
    """
    if not os.path.isabs(path):
        raise NotWrittenError(f"{path!r} is no absolute path")
    try:
        descriptor = os.open(path, _HOW, 0o600)
        try:
            _append_bytes(descriptor, line)
        finally:
            os.close(descriptor)
    except OSError as error:
        link = error.errno == errno.ELOOP
        raise NotWrittenError(f"{path}: {'is a symbolic link' if link else error.strerror}") from error


def _append_bytes(descriptor: int, line: bytes) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no regular file")
    if found.st_size and os.pread(descriptor, 1, found.st_size - 1) != b"\n":
        line = b"\n" + line  # the disk was full in the middle of an earlier line, which stays the only bad one
    if os.write(descriptor, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
