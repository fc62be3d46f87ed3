"""Running a stranger's code where it can neither stop pipework nor speak in its place."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.model.errors import Interrupted, PluginError
from pipework_core.plugins.surroundings import LeavingError, kept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

#: Seconds that a plugin has to be imported, and again to say what it provides.
LIMIT = 3.0
HINT = "upgrade that package, or uninstall it"
#: A module that swallows what interrupts it is interrupted again, after so many seconds.
_AGAIN = 0.5


def shown(value: object) -> str:
    """Return the beginning of a stranger's object as `repr` has it, which is the stranger's code, too."""
    try:
        return f"{value!r:.60}"
    except Exception:  # noqa: BLE001 - whatever that code raises
        return f"an object of the class {type(value).__name__}"


def told(error: BaseException) -> str:
    """Return an error's class and the first line of what it says; what it says is the stranger's code, too."""
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - whatever that code raises
        return name
    return f"{name}: {text.partition(chr(10))[0]}" if text else name


class _TooLongError(BaseException):
    """The time is over. No `except Exception` of the stranger's swallows it."""


@contextmanager
def contained(doing: str) -> Iterator[None]:
    """Turn whatever the block does to stop pipework, or to change it, into a PluginError that begins with `doing`.

    That is: any exception (`SystemExit` included), `os._exit`, taking longer than LIMIT seconds, writing to stdout,
    which belongs to `--json` and to the tools whose answers are handed on, and what `surroundings.kept` puts back.

    A Ctrl-C is none of it: it is Interrupted where `signals.Signals` are installed, and there a KeyboardInterrupt is of
    the stranger's own making; elsewhere it may be a real one, and is let through.
    """
    limit = LIMIT
    real = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    try:
        with kept() as changes, silent() as said, _limited(limit):
            yield
    except (PluginError, Interrupted):
        raise
    except _TooLongError:
        raise PluginError(f"{doing} takes longer than {limit:g} seconds.", hint=HINT) from None
    except LeavingError as error:
        raise PluginError(f"{doing} {error}.", hint=HINT) from None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and real:
            raise
        raise PluginError(f"{doing} raised {told(error)}", hint=_hint(error)) from error
    if said:
        raise PluginError(f"{doing} prints to stdout: {said[0]!r:.80}", hint=HINT)
    if changes:
        raise PluginError(f"{doing} {changes[0]}.", hint=HINT)


def _hint(error: BaseException) -> str:
    missing = isinstance(error, ModuleNotFoundError)
    return "install what that package needs, upgrade it, or uninstall it" if missing else HINT


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Interrupt the block when its time is over.

    A timer of the kernel's interrupts sleeping and waiting for a lock or a socket as well, needs no thread, and leaves
    nothing behind; a thread could only watch, since nothing in Python ends another thread, and importing in a process
    of its own would import everything twice. It works in the main thread alone, where the command line is; a program
    that uses the engine in another thread has no limit. Code in C that never returns to Python is not interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    running = True

    def over(_number: int, _frame: FrameType | None) -> None:
        if running:
            raise _TooLongError

    before = signal.signal(signal.SIGALRM, over)
    left = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        try:
            yield
        finally:
            running = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, *left)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def silent() -> Iterator[list[str]]:
    """Keep what the block writes to descriptor 1, by any way, and give its beginning when the block is over.

    `sys.stdout` stays the object it is, since a logger of the stranger's may keep it.
    """
    said: list[str] = []
    out = sys.stdout
    out.flush()
    kept, caught = os.dup(1), os.memfd_create("stdout")
    os.dup2(caught, 1)
    try:
        yield said
    finally:
        try:
            out.flush()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
            if text := os.pread(caught, 200, 0):
                said.append(text.decode("utf-8", "replace").partition("\n")[0])
            os.close(caught)
