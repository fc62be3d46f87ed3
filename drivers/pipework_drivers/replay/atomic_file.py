"""A file that is written beside the one it becomes, and takes its name at once and as a whole."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from typing import NoReturn

from pipework_core.model.errors import HostError

#: How many symbolic links the kernel follows for one path (path_resolution(7)).
_LINKS = 40


class AtomicFile:
    """Raises HostError at once when the file could not be written. For its owner alone.

    A symbolic link in the place of the file is followed when it is the user's own or root's: in somebody else's folder
    it could lead anywhere, and the kernel looks after folders with a sticky bit alone (proc(5), protected_symlinks).
    Where the file goes is settled now: the folder stays open, and rename(2) follows nothing.
    """

    def __init__(self, path: str) -> None:
        place = _follow_links(path)
        folder, name = os.path.split(place)
        try:
            self._folder = os.open(folder or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            _refuse_path(path, error)
        self._target = f"/proc/self/fd/{self._folder}/{name}"
        try:
            _refuse_special(path, self._target)
            self._file, self._name = tempfile.mkstemp(prefix=f".{name}.", dir=os.path.dirname(self._target))
        except OSError as error:
            os.close(self._folder)
            _refuse_path(path, error)
        except HostError:
            os.close(self._folder)
            raise

    def finish(self, content: bytes) -> None:
        """Write the file; do nothing when that was done before. Raise OSError when it fails now."""
        if self._file < 0:
            return
        descriptor, self._file = self._file, -1
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.rename(self._name, self._target)

    def discard(self) -> None:
        """Remove what was not finished, and let the folder go."""
        if self._folder < 0:
            return
        if self._file >= 0:
            os.close(self._file)
        with contextlib.suppress(OSError):
            os.unlink(self._name)
        os.close(self._folder)
        self._file = self._folder = -1


def _follow_links(path: str) -> str:
    place = path
    for _ in range(_LINKS):
        if not os.path.islink(place):
            break
        if os.lstat(place).st_uid not in {0, os.geteuid()}:
            raise HostError(f"{place} is a symbolic link that somebody else made.", hint="name another file")
        place = os.path.join(os.path.dirname(place), os.readlink(place))
    return place


def _refuse_special(path: str, target: str) -> None:
    """Refuse what is no plain file: a recording must not take the place of /dev/null."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(target).st_mode):
            raise HostError(f"{path} is no plain file, and nothing else is replaced.", hint="name another file")


def _refuse_path(path: str, error: OSError) -> NoReturn:
    raise HostError(
        f"the recording {path} cannot be written: {error.strerror}.", hint="name a file in a folder that you own"
    ) from None
