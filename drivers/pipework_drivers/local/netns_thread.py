"""A thread that visits another network namespace: what it starts meanwhile is at home there.

nsenter(1) does the same with one more process, which is a third of what a guest costs when there are hundreds. Only the
calling thread moves (setns(2)), and it is home again before it does anything but start that one process.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLONE_NEWNET = 0x40000000


class LostThreadError(BaseException):
    """A thread that cannot go home; not an Exception, so that nothing but its end comes of it."""


def find_mover() -> Callable[[int], None]:
    """Return what moves the calling thread into the network namespace that a descriptor stands for.

    It raises OSError when the kernel refuses.
    """
    known: Callable[[int, int], None] | None = getattr(os, "setns", None)  # from Python 3.12 on
    if known is not None:
        return lambda fd: known(fd, _CLONE_NEWNET)
    import ctypes  # noqa: PLC0415 - 2 ms that one attachment need not pay

    setns = ctypes.CDLL(None, use_errno=True).setns

    def move_thread(fd: int) -> None:
        if setns(fd, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    return move_thread


@contextmanager
def visit_namespace(fd: int, move: Callable[[int], None]) -> Iterator[None]:
    """Be in the network namespace of that descriptor while the block lasts; for threads that are not the main one.

    Raise OSError when it cannot be entered, LostThreadError when there is no way back: the thread has to end.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        move(fd)
        try:
            yield
        finally:
            _go_home(home, move)
    finally:
        os.close(home)


def _go_home(home: int, move: Callable[[int], None]) -> None:
    try:
        move(home)
    except OSError as error:
        raise LostThreadError(f"a thread cannot leave a guest's network namespace: {error.strerror}") from error
