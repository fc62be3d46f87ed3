"""What every command prints with: messages on stderr, data on stdout. No text can steer a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.engine.gc import Collected


def print_message(text: str) -> None:
    """Print what is neither an error nor a warning."""
    print(f"pipework: {escape_text(text)}", file=sys.stderr)


def print_error(text: str, hint: str = "", *, place: object = "") -> None:
    """Print an error and what to do about it; `place` is where it is, such as a line of a file."""
    where = f"{place}: " if place else ""
    print(f"pipework: error: {where}{escape_text(text)}", file=sys.stderr)
    if hint:
        print(f"hint: {escape_text(hint)}", file=sys.stderr)


def print_notes(notes: Iterable[str]) -> None:
    """Print what was added to an error on its way."""
    for note in notes:
        print(f"note: {escape_text(note)}", file=sys.stderr)


def print_warning(text: str) -> None:
    """Print one warning."""
    print(f"pipework: warning: {escape_text(text)}", file=sys.stderr)


def print_warnings(texts: Iterable[str]) -> None:
    """Print warnings, one a line."""
    for text in texts:
        print_warning(text)


def print_rest(rest: Collected, where: str = "") -> int:
    """Print what could not be removed of what attachments left that were gone already; return how much that is.

    `where` begins each sentence.
    """
    print_warnings(f"{where}{text}" for text in rest.plan.warnings)
    for command, message in rest.failed:
        print_error(f"{where}cannot {command.reason}: {message}")
    return len(rest.failed)


def print_json(data: Mapping[str, Any]) -> None:
    """Print a document for machines, with its version."""
    from pipework_core.engine import report_json

    print(json.dumps(report_json.make_document(data), indent=2))
