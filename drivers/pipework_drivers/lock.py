"""One pipework at a time on a host, for the milliseconds between reading facts and having acted on them."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = "/run/pipework.lock"
_OWN_NAMESPACE = "/proc/self/ns/net"
#: Seconds to wait for others; twenty at once need less than one.
_PATIENCE = 30.0
_PAUSE = 0.005


@contextmanager
def host_lock() -> Iterator[None]:
    """Hold the lock; raise HostError when others keep it for too long. The kernel frees it when a holder dies."""
    fd = _open()
    try:
        _acquire(fd)
        yield
    finally:
        os.close(fd)


def _open() -> int:
    """Open a file that only root can lock; where `/run` is not ours (a user namespace), our network namespace itself.

    The namespace would do everywhere, but anybody can open it, and could hold root up.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(_FILE, flags, 0o600)
    except OSError:
        return os.open(_OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)


def _acquire(fd: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise HostError(
                    f"another pipework has kept this host busy for {_PATIENCE:.0f} seconds.",
                    hint="look for it with `pgrep -a pipework`, and try again",
                ) from None
            time.sleep(_PAUSE)
        else:
            return
