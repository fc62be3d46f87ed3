"""The queue of a process's threads in front of the host's lock."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.queue import QueuedLock
from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self


class HostLock:
    """A lock that fails the test when two hold it, or wait for it."""

    contended = False

    def __init__(self, asking: threading.Semaphore, *, busy: bool = False) -> None:
        self._asking = asking
        self._busy = busy

    def __enter__(self) -> Self:
        assert self._asking.acquire(blocking=False), "two threads ask the host's lock"
        if self._busy:
            self._asking.release()
            raise HostError("another pipework has kept this host busy.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asking.release()

    @contextmanager
    def yielded(self) -> Iterator[None]:
        self._asking.release()
        yield
        assert self._asking.acquire(blocking=False), "two threads ask the host's lock"
        self.contended = True


def test_one_thread_at_a_time_asks_for_the_host_s_lock() -> None:
    gate, asking = threading.Lock(), threading.Semaphore()
    done: list[bool] = []

    def work() -> None:
        for _ in range(50):
            lock = QueuedLock(HostLock(asking), gate)
            with lock:
                with lock.yielded():
                    pass
                done.append(lock.contended)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == [True] * 400


def test_who_does_not_get_it_leaves_the_queue() -> None:
    gate, asking = threading.Lock(), threading.Semaphore()
    with pytest.raises(HostError), QueuedLock(HostLock(asking, busy=True), gate):
        raise AssertionError("it was busy")
    with QueuedLock(HostLock(asking), gate):
        assert gate.locked()
    assert not gate.locked()
