"""What a process has only one of: looked at before a stranger's code runs, and put back behind it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The signals that a run answers itself, or whose default it counts on when it starts processes.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)


class LeavingError(BaseException):
    """Somebody wants to end the process without a word. No `except Exception` of a stranger's swallows it."""


@contextmanager
def kept() -> Iterator[list[str]]:
    """Put back what the block changes, and give a list that says what that was when the block is over.

    `os._exit` raises LeavingError in the block, but for a process that the block forked. A thread that was started
    there can only be told of: nothing in Python ends it.
    """
    changes: list[str] = []
    variables, folder, streams = dict(os.environ), os.open(".", os.O_PATH | os.O_CLOEXEC), (sys.stdout, sys.stderr)
    threads = set(threading.enumerate())
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    mask = _umask()
    leave = os._exit
    setattr(os, "_exit", _staying())  # noqa: B010 - to a type checker it is no variable
    try:
        yield changes
    finally:
        setattr(os, "_exit", leave)  # noqa: B010 - as above
        changes += _put_variables_back(variables)
        if not os.path.samestat(os.stat("."), os.fstat(folder)):
            os.fchdir(folder)
            changes.append("changes the working directory")
        os.close(folder)
        if _umask() != mask:
            os.umask(mask)
            changes.append("changes the umask")
        if (sys.stdout, sys.stderr) != streams:
            sys.stdout, sys.stderr = streams
            changes.append("changes sys.stdout or sys.stderr")
        changes += _put_signals_back(handlers, blocked)
        changes += [f"starts a thread, {thread.name!r}" for thread in threading.enumerate() if thread not in threads]


def _staying() -> object:
    """Return what stands for `os._exit`."""
    leave, itself = os._exit, os.getpid()

    def stay(status: int) -> None:
        if os.getpid() != itself:
            leave(status)
        raise LeavingError(f"calls os._exit({status!r})")

    return stay


def _umask() -> int:
    """Return the umask, which can be read by setting it alone."""
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _put_variables_back(before: Mapping[str, str]) -> list[str]:
    after = dict(os.environ)
    if after == before:
        return []
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    for name in names:
        if name in before:
            os.environ[name] = before[name]
        else:
            del os.environ[name]
    return [f"changes the environment, {', '.join(names)}"]


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _put_signals_back(handlers: Mapping[signal.Signals, Any], blocked: set[int | signal.Signals]) -> list[str]:
    changes: list[str] = []
    for number, handler in handlers.items():
        # Only the main thread changes handlers; one from outside of Python, which is None there, cannot be put back.
        if signal.getsignal(number) is not handler and handler is not None and _is_main():
            signal.signal(number, handler)
            changes.append(f"changes what {number.name} does")
    if signal.pthread_sigmask(signal.SIG_SETMASK, blocked) != blocked:
        changes.append("changes which signals are blocked")
    return changes
