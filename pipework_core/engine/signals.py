"""SIGINT, SIGTERM and SIGHUP: at once where nothing is half done, at the next safe point where something is."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.model.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Signals:
    """Turns the signals into `Interrupted`, or into a wish (`wanted`) while they are deferred."""

    def __init__(self) -> None:
        self.wanted = False
        self._deferred = False

    @property
    def are_deferred(self) -> bool:
        """Whether something is half done that must come to an end first."""
        return self._deferred

    def install(self) -> None:
        """Take the signals over; main thread only. A SIGHUP that is ignored (nohup(1)) stays so."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle_signal)

    def raise_if_wanted(self) -> None:
        """Raise Interrupted where a signal has come and nothing is half done.

        For threads beside the main one, in which no signal raises anything: somebody else sets `wanted`.
        """
        if self.wanted and not self._deferred:
            raise Interrupted

    def settle(self) -> None:
        """Keep signals back for good: all is done, and what still comes is too late to undo it."""
        self._deferred = True

    @contextmanager
    def deferred(self, *, last: bool = False) -> Iterator[None]:
        """Keep a signal back; the block looks at `wanted` where it can stop, and raises Interrupted when it has undone.

        A signal that comes too late for that leaves the block's work done, and whoever sent it with a success. So does
        with `last` one that comes after the block, unless that raised: there is no moment in between.
        """
        before, self._deferred = self._deferred, True
        try:
            yield
        except BaseException:
            self._deferred = before
            raise
        self._deferred = last or before

    def _handle_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True
        if not self._deferred:
            raise Interrupted
