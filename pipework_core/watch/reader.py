"""Listens to one engine for as long as the watcher lives: subscribes, lists what runs, reads, and connects again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pipework_core.model import event
from pipework_core.model.errors import HostError, PipeworkError, RuntimeDownError
from pipework_core.model.records import Record
from pipework_core.watch import runtime
from pipework_core.watch.selection import is_selected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipework_core.model.event import Tell
    from pipework_core.watch.runtime import Change, Connection

#: Seconds between two attempts to connect: the first, and the most.
_PAUSE, _PAUSE_MAX = 0.1, 2.0


class Heard(Record):
    """A change, the connection to ask about it, and when it was heard of (time.monotonic). Without a change: listed."""

    runtime: str
    change: Change | None = None
    connection: Connection | None = None
    at: float = 0.0


class Reader(threading.Thread):
    """One engine's thread. `put` gets what is heard, in order; with `once` what runs now, and no more."""

    def __init__(
        self, name: str, filters: Mapping[str, list[str]], put: Callable[[Heard], None], tell: Tell, *, once: bool
    ) -> None:
        super().__init__(name=f"reader of {name}", daemon=True)
        self._runtime = name
        self._filters = filters
        self._put = put
        self._tell = tell
        self._once = once
        self._stopping = threading.Event()
        self._connection: Connection | None = None

    def run(self) -> None:
        """Listen until `stop` is called."""
        pause, is_down = _PAUSE, False
        while not self._stopping.is_set():
            try:
                self._listen()
                pause, is_down = _PAUSE, False
            except RuntimeDownError as error:
                kind = event.FAILED if self._once else event.NOTE
                if not is_down:
                    self._tell(event.Event(kind, str(error), hint=error.hint))
                is_down = True
            except HostError as error:
                self._tell(event.Event(event.FAILED, str(error), hint=error.hint))
                self._put(Heard(self._runtime))
                return
            if self._once:
                self._put(Heard(self._runtime))
                return
            self._stopping.wait(pause)
            pause = min(pause * 2, _PAUSE_MAX)

    def stop(self) -> None:
        """Let the thread end as soon as it can."""
        self._stopping.set()
        if self._connection is not None:
            self._connection.close()

    def _listen(self) -> None:
        """Connect, and pass on what is heard until the stream ends.

        First subscribe, then list: what starts in between is heard twice, and nothing is missed. What runs already is
        planned, and needs nothing.
        """
        if not runtime.is_there(self._runtime):
            raise RuntimeDownError(f"{self._runtime} has no socket.", hint=f"start {self._runtime}; this waits for it")
        connection = self._connection = runtime.Connection(self._runtime)
        try:
            stream = iter(()) if self._once else connection.subscribe()
            for change in connection.list_running():
                self._pass_on(change, connection)
            if not self._once:
                self._put(Heard(self._runtime))
            for change in stream:
                self._pass_on(change, connection)
        except PipeworkError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK passes on whatever its libraries raise for a cut stream
            if not self._stopping.is_set():
                raise RuntimeDownError(f"{self._runtime} is silent ({error}).", hint="this connects again") from None
        finally:
            if not self._once:
                connection.close()

    def _pass_on(self, change: Change, connection: Connection) -> None:
        if change.action == runtime.END or is_selected(change, self._filters):
            self._put(Heard(self._runtime, change, connection, time.monotonic()))
