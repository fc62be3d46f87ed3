"""One pipework at a time on a host, for the milliseconds between reading facts and having acted on them."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

_FILE = "/run/pipework.lock"
#: Where /run is full or read-only: root alone can open it, so that nobody else can lock it. It is never written to.
_ROOTS = "/proc/sys/vm/drop_caches"
_OWN_NAMESPACE = "/proc/self/ns/net"
#: Seconds to wait for others; twenty at once need less than one.
_TIMEOUT = 30.0
_PAUSE = 0.005
_TOKEN_BYTES = 16


class HostLock:
    """The lock of this host (`Lock`). The kernel frees it when its holder dies.

    Each holder writes a word of its own into the file; whoever let the lock go and finds another word has been
    disturbed. In a user namespace there is no such file, and nobody is known to have disturbed.
    """

    def __init__(self) -> None:
        self.contended = False
        self._fd = -1
        self._token = b""

    def __enter__(self) -> Self:
        self._fd, writable = _open_lock_file()
        try:
            _acquire_lock(self._fd)
        except BaseException:
            os.close(self._fd)
            raise
        if writable:
            self._token = self._sign(os.urandom(_TOKEN_BYTES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    @contextmanager
    def yielded(self) -> Iterator[None]:
        """Let others have it during the block; whoever keeps it for too long then is passed over."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        try:
            yield
        finally:
            with suppress(HostError):  # what was begun must be finished or undone, whatever others do
                _acquire_lock(self._fd)
            if self._token and os.pread(self._fd, _TOKEN_BYTES, 0) != self._token:
                self.contended = True
                self._token = self._sign(self._token)

    def _sign(self, token: bytes) -> bytes:
        """Write the token into the file and return it; nothing where the file system is full."""
        try:
            os.pwrite(self._fd, token, 0)
        except OSError:
            return b""
        return token


def _open_lock_file() -> tuple[int, bool]:
    """Open a file that only root can lock; return its descriptor, and whether it holds tokens.

    That is one of the kernel's where `/run` takes no file, and our network namespace itself where neither is ours (a
    user namespace). The namespace would do everywhere, but anybody can open it, and could hold root up.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    with suppress(OSError):
        fd = os.open(_FILE, flags, 0o600)
        os.fchmod(fd, 0o600)
        return fd, True
    with suppress(OSError):
        return os.open(_ROOTS, os.O_WRONLY | os.O_CLOEXEC), False
    return os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC), False


def _acquire_lock(fd: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise HostError(
                    f"another pipework has kept this host busy for {_TIMEOUT:.0f} seconds.",
                    hint="look for it with `pgrep -a pipework`, and try again",
                ) from None
            time.sleep(_PAUSE)
        else:
            return
