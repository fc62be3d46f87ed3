"""The threads that engines run in. What waits for the network has threads of its own, so that it holds up nobody."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeVar

from pipework_core.engine.signals import Signals
from pipework_core.model.errors import Interrupted
from pipework_core.serve.problem import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    Lane = Literal["read", "change", "wait"]

_Answer = TypeVar("_Answer")

#: Changes take turns by the lock of the host: more threads than these would wait for it, and for the interpreter.
_THREADS: dict[Lane, int] = {"read": 4, "change": 4, "wait": 64}
#: Pieces of work in each lane, waiting or under way. More are told to come back.
_PENDING_MAX = 512


class Lanes:
    """Runs blocking work in threads, each with signals of its own."""

    def __init__(self) -> None:
        self._pools = {lane: ThreadPoolExecutor(count, f"pipework-{lane}") for lane, count in _THREADS.items()}
        self._pending: dict[Lane, int] = dict.fromkeys(_THREADS, 0)
        self._signals: set[Signals] = set()

    async def run(self, lane: Lane, work: Callable[[Signals], _Answer]) -> _Answer:
        """Return what the work returns, or raise what it raises; raise RequestError when too much waits already."""
        if self._pending[lane] >= _PENDING_MAX:
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{_PENDING_MAX} requests are waiting already.",
                hint="try again in a few seconds",
                headers={"Retry-After": "5"},
            )
        signals = Signals()
        self._pending[lane] += 1
        self._signals.add(signals)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pools[lane], _run, work, signals)
        finally:
            self._pending[lane] -= 1
            self._signals.discard(signals)

    @property
    def busy(self) -> int:
        """How many pieces of work are waiting or under way."""
        return sum(self._pending.values())

    def interrupt(self) -> None:
        """Let all work stop where nothing is half done."""
        for signals in self._signals:
            signals.wanted = True

    def close(self) -> None:
        """Take no more work."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def _run(work: Callable[[Signals], _Answer], signals: Signals) -> _Answer:
    try:
        return work(signals)
    except Interrupted:
        raise RequestError(
            HTTPStatus.SERVICE_UNAVAILABLE, "pipework is ending, and undid this.", hint="send it again"
        ) from None
