"""Passes events on to all who listen. Who reads too slowly is told so and dropped; nobody else waits."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record
from pipework_core.serve.bodies import encode
from pipework_core.serve.problem import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipework_core.serve.peer import Peer

#: Events that are remembered for `since`, and listeners at once.
_MEMORY, _LISTENERS_MAX = 1000, 256
#: Bytes of events that are remembered, and that may wait for one listener: a guest can give itself many addresses.
_MEMORY_BYTES, _LAG_BYTES = 8 << 20, 1 << 20

#: What an event about no attachment has to say of one.
_NOTHING = dict.fromkeys(("guest", "interface", "seconds", "hint", "attachment"))


class Told(Record):
    """One event, encoded once for all: its number, and its line of JSON."""

    id: int
    line: bytes


class Listener:
    """Somebody who listens. Iterate over it by `get`; None is the end."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._queue: asyncio.Queue[Told | None] = asyncio.Queue()
        self._bytes = 0
        self._reader = asyncio.current_task()

    async def get(self, seconds: float) -> Told | None:
        """Return the next event, None at the end; raise TimeoutError when none came for so many seconds."""
        async with asyncio.timeout(seconds):
            told = await self._queue.get()
        self._bytes -= len(told.line) if told else 0
        return told

    def put(self, told: Told) -> bool:
        """Let it have an event; return False when it lags too far for that."""
        if self._bytes > _LAG_BYTES:
            return False
        self._bytes += len(told.line)
        self._queue.put_nowait(told)
        return True

    def drop(self, told: Told) -> None:
        """Let it have this event alone, and no more."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(told)
        self.end()

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
        self._memory: deque[Told] = deque()
        self._bytes = 0
        self._last = 0
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._listeners)

    def publish(self, fields: dict[str, Any]) -> None:
        """Tell all of an event."""
        told = self.stamp(fields)
        self._remember(told)
        lagging = {listener for listener in self._listeners if not listener.put(told)}
        self._listeners -= lagging
        for listener in lagging:
            text = "too slow: events are lost, read the list again"
            listener.drop(self.stamp({"event": "dropped", "text": text}))

    def _remember(self, told: Told) -> None:
        self._memory.append(told)
        self._bytes += len(told.line)
        while len(self._memory) > _MEMORY or self._bytes > _MEMORY_BYTES:
            self._bytes -= len(self._memory.popleft().line)

    def stamp(self, fields: dict[str, Any]) -> Told:
        """Return an event with the time, and a number that no earlier one has, not even one of an earlier server."""
        now = time.time()
        self._last = max(self._last + 1, int(now * 1_000_000))
        return Told(self._last, encode({"id": self._last, "time": round(now, 3), **_NOTHING, **fields}))

    def subscribe(self, peer: Peer) -> Listener:
        """Return a new listener; raise RequestError when too many listen already."""
        self.require_room()
        listener = Listener(peer)
        self._listeners.add(listener)
        if self._is_closed:
            listener.end()
        return listener

    def require_room(self) -> None:
        """Raise RequestError when no more may listen."""
        if len(self._listeners) >= _LISTENERS_MAX:
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS, f"{_LISTENERS_MAX} clients listen already.", hint="close some of them"
            )

    def unsubscribe(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    def dismiss(self, may_stay: Callable[[Peer], bool]) -> None:
        """End those who may not listen any more."""
        for listener in self._listeners:
            if not may_stay(listener.peer):
                listener.cut()

    def list_since(self, number: int) -> Iterator[Told]:
        """Yield what was told after an event, first of all that some of it is forgotten if it is."""
        if not self._memory or self._memory[0].id > number + 1:
            text = "earlier events are not known any more: read the list again"
            yield self.stamp({"event": "forgotten", "text": text})
        yield from (told for told in self._memory if told.id > number)

    def close(self) -> None:
        """Let all listeners end."""
        self._is_closed = True
        for listener in self._listeners:
            listener.end()

    def cut(self) -> None:
        """End those that did not end by themselves."""
        for listener in self._listeners:
            listener.cut()
