"""One queue for the threads of a process in front of the host's lock.

Between processes the lock is asked for again and again (flock(2) knows no time limit). A hundred threads that do so
hold each other up, and some come last every time.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from pipework_core.model.driver import Lock, RunDriver


class QueuedLock:
    """The lock of a host (`Lock`), for which only one thread of this process asks at a time: the holder of `gate`."""

    def __init__(self, lock: Lock, gate: threading.Lock) -> None:
        self._lock = lock
        self._gate = gate

    @property
    def contended(self) -> bool:
        """Whether somebody else held it while it was let go."""
        return self._lock.contended

    def __enter__(self) -> Self:
        self._gate.acquire()
        try:
            self._lock.__enter__()
        except BaseException:
            self._gate.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._lock.__exit__(kind, error, trace)
        finally:
            self._gate.release()

    @contextmanager
    def yielded(self) -> Iterator[None]:
        """Let others have it during the block, those of this process included."""
        with self._lock.yielded():
            self._gate.release()
            try:
                yield
            finally:
                self._gate.acquire()


class _QueuingDriver:
    """Does what `inner` does; its lock has a queue."""

    def __init__(self, inner: RunDriver, gate: threading.Lock) -> None:
        self._inner = inner
        self._gate = gate

    def lock(self) -> Lock:
        return QueuedLock(self._inner.lock(), self._gate)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a driver has
        return getattr(self._inner, name)


def queue_threads(driver: RunDriver, gate: threading.Lock) -> RunDriver:
    """Return a driver for one of many threads, which share `gate`."""
    return cast("RunDriver", _QueuingDriver(driver, gate))
