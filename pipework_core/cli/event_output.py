"""What resident commands print of events, one a line on stdout: for people, or as JSON."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipework_core.model.event import Event


class EventPrinter:
    """Prints events as they come."""

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def print_event(self, event: Event) -> None:
        """Print one."""
        print(_encode(event) if self._json else _format(event), flush=True)


def _format(event: Event) -> str:
    who = " ".join(filter(None, (event.guest, event.interface)))
    took = f" ({event.seconds * 1000:.0f} ms)" if event.seconds else ""
    hint = f" hint: {event.hint}" if event.hint else ""
    return f"{who + ': ' if who else ''}{event.kind}: {event.text}{took}{hint}"


def _encode(event: Event) -> str:
    import json

    from pipework_core.engine import report_json

    return json.dumps({"time": time.time(), **report_json.encode_event(event)})
