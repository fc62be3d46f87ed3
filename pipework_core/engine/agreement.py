"""What engines agree on that attach all or nothing together, each on a machine of its own."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Agreement(Protocol):
    """How one engine hears of the others. Each runs in a thread of its own."""

    #: Whether all is kept; good once it was decided.
    kept: bool

    def turn(self) -> AbstractContextManager[None]:
        """Wait until it is this engine's turn to take the lock of its host; the block takes it.

        Whoever takes several locks takes them in one order, so that two runs never wait for each other.
        """

    def decide(self, *, whole: bool) -> bool:
        """Say whether all of this engine's is whole, wait for the others, and return whether all is kept.

        It is called with the lock held, while all that was done can be undone.
        """


class _Alone:
    """There is no other engine."""

    kept = True

    def turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def decide(self, *, whole: bool) -> bool:
        return whole


#: For an engine that works alone.
ALONE: Agreement = _Alone()
