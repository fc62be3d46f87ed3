"""What a page is made of. A page knows nothing of how it is printed."""

from __future__ import annotations

from pipework_core.model.records import Record


class Entry(Record):
    """A term, one sentence about it, and pairs of the same that belong to it, such as the options of a kind."""

    term: str
    text: str
    more: tuple[tuple[str, str], ...] = ()


class Section(Record):
    """A part of a page: a paragraph, lines that are shown as they are, entries, each of them perhaps missing.

    `about` ends the title. With `wide` each term has a line to itself.
    """

    title: str
    about: str = ""
    text: str = ""
    lines: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    wide: bool = False


class Page(Record):
    """A page: what it is about, one sentence of that, and its sections."""

    name: str
    summary: str
    sections: tuple[Section, ...]
