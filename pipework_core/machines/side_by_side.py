"""Work on many machines at once, each in a thread of its own, and what a signal means then.

The kernel gives signals to the main thread alone. It passes the wish on to the signals of each machine, and waits for
those where something is half done.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from pipework_core.model.errors import HostError, Interrupted, PipeworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pipework_core.engine.signals import Signals

#: How many machines are worked on at once: beyond that nothing gets faster, and many lines begin to fail.
WIDTH = 16
#: Seconds between two looks for a signal, and for how long nothing has to be half done until nobody waits any more.
_TURN, _QUIET = 0.1, 1.0

_Value = TypeVar("_Value")
#: What came of one machine: a value, or why there is none.
Outcome: TypeAlias = "_Value | PipeworkError | Interrupted"


def run_side_by_side(
    tasks: Mapping[str, Callable[[], _Value]],
    *,
    signals: Signals,
    inner: Collection[Signals] = (),
    width: int = WIDTH,
    limit: float = 0.0,
) -> dict[str, Outcome[_Value]]:
    """Run a task for each machine; return what came of each, in the order of the tasks.

    At most `width` run at once, each for `limit` seconds (0: as long as it takes) and then for nobody. `signals` are
    the main thread's, `inner` those of the machines' engines. A signal begins nothing more and waits for what is half
    done; what has not ended then is Interrupted. Raises whatever else a task raises, when all have ended.
    """
    crew = _Crew(tasks, limit)
    quiet_since = 0.0
    with signals.deferred():
        while crew.running or (crew.waiting and not signals.wanted):
            if signals.wanted:
                for one in inner:
                    one.wanted = True
                if not quiet_since or any(one.are_deferred for one in inner):
                    quiet_since = time.monotonic()
                elif time.monotonic() - quiet_since > _QUIET:
                    break
            else:
                crew.begin_tasks(width)
            crew.take_outcomes()
    return {name: _check_outcome(crew.found.get(name, Interrupted())) for name in tasks}


class _Crew(Generic[_Value]):
    """The threads, and what came of them so far."""

    def __init__(self, tasks: Mapping[str, Callable[[], _Value]], limit: float) -> None:
        self.waiting = list(tasks)
        #: When each began.
        self.running: dict[str, float] = {}
        self.found: dict[str, Outcome[_Value] | BaseException] = {}
        self._tasks = tasks
        self._limit = limit
        self._ended: SimpleQueue[tuple[str, Outcome[_Value] | BaseException]] = SimpleQueue()

    def begin_tasks(self, width: int) -> None:
        """Begin as many as may run at once."""
        while self.waiting and len(self.running) < width:
            name = self.waiting.pop(0)
            self.running[name] = time.monotonic()
            Thread(target=self._run_task, args=(name,), daemon=True).start()

    def take_outcomes(self) -> None:
        """Wait a moment for one that ends, and give up those that have had their time."""
        try:
            name, outcome = self._ended.get(timeout=_TURN)
        except Empty:
            pass
        else:
            if self.running.pop(name, None) is not None:
                self.found[name] = outcome
        now = time.monotonic()
        for name in [name for name, begun in self.running.items() if self._limit and now - begun > self._limit]:
            del self.running[name]
            error = HostError(f"it has not answered within {self._limit:.0f} seconds.", hint="is it running?")
            self.found[name] = error

    def _run_task(self, name: str) -> None:
        try:
            self._ended.put((name, self._tasks[name]()))
        except BaseException as error:  # noqa: BLE001 - it is raised in the main thread
            self._ended.put((name, error))


def _check_outcome(outcome: Outcome[_Value] | BaseException) -> Outcome[_Value]:
    """Return what came of a task; raise what nobody expects."""
    if isinstance(outcome, BaseException) and not isinstance(outcome, (PipeworkError, Interrupted)):
        raise outcome
    return outcome
