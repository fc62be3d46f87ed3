"""All or nothing over many machines: nobody drops what undoes its part before all parts are whole."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Seconds between two looks for a signal.
_TURN = 0.1
#: Seconds that a machine waits for the others. Another machine gives its lock up after two minutes without a word.
PATIENCE = 100.0


class Verdict:
    """What the threads of machines agree on: the first no is everybody's, and so is a signal (`stop`).

    The order of `names` is that in which locks are taken.
    """

    def __init__(self, names: Sequence[str], *, stop: Callable[[], bool], patience: float = PATIENCE) -> None:
        self.kept: bool | None = None
        self._changed = Condition()
        self._order = list(names)
        self._undecided = set(names)
        self._stop = stop
        self._patience = patience

    def make_part(self, name: str) -> Part:
        """Return what one machine's engine agrees by."""
        return Part(self, name)

    def leave(self, name: str) -> None:
        """Take note that a machine's thread has ended: what it has not called whole by now never will be."""
        with self._changed:
            self._pass_turn(name)
            if name in self._undecided:
                self._decide(kept=False)

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Wait until all machines before this one have their locks, or it does not matter any more."""
        with self._changed:
            while self.kept is None and self._order and self._order[0] != name and not self._stop():
                self._changed.wait(_TURN)
        try:
            yield
        finally:
            with self._changed:
                self._pass_turn(name)

    def vote(self, name: str, *, whole: bool) -> bool:
        """Say whether a machine's part is whole, wait for the others, and return whether all is kept."""
        deadline = time.monotonic() + self._patience
        with self._changed:
            self._undecided.discard(name)
            if not whole:
                self._decide(kept=False)
            elif not self._undecided:
                self._decide(kept=True)
            while self.kept is None:
                if self._stop() or time.monotonic() > deadline:
                    self._decide(kept=False)
                self._changed.wait(_TURN)
            return self.kept

    def _pass_turn(self, name: str) -> None:
        if name in self._order:
            self._order.remove(name)
            self._changed.notify_all()

    def _decide(self, *, kept: bool) -> None:
        if self.kept is None:
            self.kept = kept
            self._changed.notify_all()


class Part:
    """One machine's part in a verdict (`Agreement`)."""

    def __init__(self, verdict: Verdict, name: str) -> None:
        self._verdict = verdict
        self._name = name
        self.kept = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Take the lock in turn."""
        with self._verdict.turn(self._name):
            yield

    def decide(self, *, whole: bool) -> bool:
        """Return whether all is kept."""
        self.kept = self._verdict.vote(self._name, whole=whole)
        return self.kept
