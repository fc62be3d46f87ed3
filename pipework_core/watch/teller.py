"""Tells what a watcher does: counted, escaped, one thread at a time, and what repeats itself once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pipework_core.model import event
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from pipework_core.model.event import Event, Tell

#: Sentences that are remembered, so that each is said once.
_SAID_MAX = 10_000


class Teller:
    """Passes events on to a listener; may be used by many threads."""

    def __init__(self, listener: Tell) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str], None] = {}
        self.served = self.failed = self.refused = 0

    def tell(self, told: Event) -> None:
        """Count an event, and pass it on."""
        with self._lock:
            self.served += told.kind in {event.ATTACHED, event.UNCHANGED}
            self.failed += told.kind == event.FAILED
            self.refused += told.kind == event.REFUSED
            self._listener(told._replace(text=escape_text(told.text), guest=escape_text(told.guest)))

    def tell_once(self, told: Event) -> None:
        """Tell it unless it was told of this guest already: a crash loop would say it in each of its lives."""
        key = (told.guest, told.text)
        if key in self._said:
            return
        if len(self._said) >= _SAID_MAX:
            self._said.clear()
        self._said[key] = None
        self.tell(told)

    def warn(self, text: str) -> None:
        """Tell, once, what went not quite as wished."""
        self.tell_once(event.Event(event.NOTE, text))

    def forget(self) -> None:
        """Say everything again when it comes up again, such as after rules have changed."""
        self._said.clear()

    @property
    def summary(self) -> str:
        """What was done so far, in a few words."""
        return f"{self.served} attached, {self.refused} refused, {self.failed} failed"
