"""What commands that stay print of events, one a line: for people, or as JSON."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, TextIO

from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.model.event import Event


class EventPrinter:
    """Prints events on stdout, one a line: for people, or as JSON. Scripts of a dry run go there, and events to stderr.

    May be called from any thread. Where nobody reads any more, the process stops as by SIGTERM; `raise_error` says why.
    """

    def __init__(self, settings: Settings) -> None:
        self.argv = settings.argv
        self._json = settings.json
        self._events = sys.stderr if settings.dry_run else sys.stdout
        self._error: OSError | None = None

    def print_event(self, event: Event) -> None:
        """Print one."""
        self._print(_encode(event) if self._json else format_event(event), self._events)

    def print_script(self, text: str) -> None:
        """Print what a dry run would have done."""
        self._print(text.rstrip("\n"), sys.stdout)

    def raise_error(self) -> None:
        """Raise the OSError that printing ended with, if there was one."""
        if self._error is not None:
            raise self._error

    def _print(self, text: str, stream: TextIO) -> None:
        if self._error is not None:
            return
        try:
            print(text, file=stream, flush=True)
        except OSError as error:
            self._error = error
            signal.raise_signal(signal.SIGTERM)


def format_event(event: Event) -> str:
    """Return an event as people read it, on one line and without anything that steers a terminal."""
    who = " ".join(filter(None, (event.guest, event.interface)))
    took = f" ({event.seconds * 1000:.0f} ms)" if event.seconds else ""
    hint = f" hint: {event.hint}" if event.hint else ""
    return escape_text(f"{who + ': ' if who else ''}{event.kind}: {event.text}{took}{hint}")


def _encode(event: Event) -> str:
    import json

    from pipework_core.engine import report_json

    return json.dumps(report_json.make_document({"time": time.time(), **report_json.encode_event(event)}))
