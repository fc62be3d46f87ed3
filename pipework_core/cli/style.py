"""What a terminal can show: colours, and how wide it is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.spec.options import ParsedArgs

#: The values of `--color`.
COLOURS = ("auto", "always", "never")
#: Select Graphic Rendition (ECMA-48): the eight colours that every terminal lets its user choose.
_CODES = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "dim": "2"}


class Style(Record):
    """How to write on stdout: with colour or without, in how many columns (0: any number), and what ends a cut text."""

    colour: bool = False
    width: int = 0
    more: str = "…"

    def paint(self, text: str, name: str) -> str:
        """Return the text in a colour, or as it is where there is none."""
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self.colour and name else text


def parse_colour(args: ParsedArgs) -> str:
    """Return the value of `--color`; raise UsageError for another word."""
    colour = args.get("color")
    if colour is None:
        return COLOURS[0]
    if colour not in COLOURS:
        raise UsageError(f"{colour!r} says not when to use colour.", hint=f"write one of {', '.join(COLOURS)}")
    return colour


def detect_style(colour: str, *, wide: bool = False) -> Style:
    """Return what fits stdout. NO_COLOR (no-color.org) is obeyed unless the command line asks for colour."""
    is_terminal = sys.stdout.isatty()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    painted = colour == "always" or (colour == "auto" and is_terminal and not plain)
    if wide or not is_terminal:
        return Style(colour=painted)
    from shutil import get_terminal_size

    return Style(colour=painted, width=get_terminal_size().columns, more=_choose_more(sys.stdout.encoding))


def _choose_more(encoding: str) -> str:
    try:
        "…".encode(encoding)
    except UnicodeEncodeError:
        return "~"
    return "…"
