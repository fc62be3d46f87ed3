"""Passes events on to all who listen. Who reads too slowly is told so and dropped; nobody else waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pipework_core.serve.problem import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Events that may wait for a listener, that are remembered for `since`, and listeners at once.
_LAG_MAX, _MEMORY, _LISTENERS_MAX = 512, 1000, 256

#: What an event about no attachment has to say of one.
_NOTHING = dict.fromkeys(("guest", "interface", "seconds", "hint", "attachment"))
#: One event as data, with `event`, `id` and `time` at least.
Told = dict[str, Any]


class Listener:
    """Somebody who listens. Iterate over it by `get`; None is the end."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Told | None] = asyncio.Queue()
        self._reader = asyncio.current_task()

    async def get(self, seconds: float) -> Told | None:
        """Return the next event, None at the end; raise TimeoutError when none came for so many seconds."""
        async with asyncio.timeout(seconds):
            return await self._queue.get()

    def put(self, told: Told) -> bool:
        """Let it have an event; return False when it lags too far, and gets no more."""
        if self._queue.qsize() < _LAG_MAX:
            self._queue.put_nowait(told)
            return True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait({**told, "event": "dropped", "text": "too slow: events are lost, read the list again"})
        self.end()
        return False

    def end(self) -> None:
        """Let it end after what it has."""
        self._queue.put_nowait(None)

    def cut(self) -> None:
        """End whoever made it, who may wait for a client that reads nothing."""
        if self._reader is not None:
            self._reader.cancel()


class Hub:
    """The listeners, and the latest events. To be used in the thread of the loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._memory: deque[Told] = deque(maxlen=_MEMORY)
        self._last = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    def publish(self, fields: dict[str, Any]) -> None:
        """Tell all of an event."""
        told = self.stamp(fields)
        self._memory.append(told)
        self._listeners = {listener for listener in self._listeners if listener.put(told)}

    def stamp(self, fields: dict[str, Any]) -> Told:
        """Return an event with the time, and a number that no earlier one has, not even one of an earlier server."""
        now = time.time()
        self._last = max(self._last + 1, int(now * 1_000_000))
        return {"id": self._last, "time": round(now, 3), **_NOTHING, **fields}

    def subscribe(self) -> Listener:
        """Return a new listener; raise RequestError when too many listen already."""
        if len(self._listeners) >= _LISTENERS_MAX:
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS, f"{_LISTENERS_MAX} clients listen already.", hint="close some of them"
            )
        listener = Listener()
        self._listeners.add(listener)
        if self._is_closed:
            listener.end()
        return listener

    def unsubscribe(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    def list_since(self, number: int) -> Iterator[Told]:
        """Yield what was told after an event, first of all that some of it is forgotten if it is."""
        if not self._memory or self._memory[0]["id"] > number + 1:
            text = "earlier events are not known any more: read the list again"
            yield self.stamp({"event": "forgotten", "text": text})
        yield from (told for told in self._memory if told["id"] > number)

    def close(self) -> None:
        """Let all listeners end."""
        self._is_closed = True
        for listener in self._listeners:
            listener.end()

    def cut(self) -> None:
        """End those that did not end by themselves."""
        for listener in self._listeners:
            listener.cut()
