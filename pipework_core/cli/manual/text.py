"""Pages for a terminal, 80 columns wide."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.cli.manual.model import Entry, Page, Section

WIDTH = 80
_INDENT = "  "
#: The longest term that has its sentence beside it.
_TERM_MAX = 22


def render_page(page: Page) -> str:
    """Return the whole page, ending in a newline."""
    head = "".join(f"{line}\n" for line in _wrap(f"{page.name} - {page.summary}", "", "")) if page.summary else ""
    blank = "\n" if head else ""
    return head + blank + "\n".join(map(_render_section, page.sections))


def _render_section(section: Section) -> str:
    title = f"{section.title}, {section.about}" if section.about else section.title
    lines = [title, *_wrap(section.text, _INDENT, _INDENT)]
    if section.text and section.lines:
        lines.append("")
    lines += [f"{_INDENT}{line}" for line in section.lines]
    lines += _render_wide(section) if section.wide else _render_entries(section.entries)
    return "".join(f"{line}\n" for line in lines)


def _render_wide(section: Section) -> Iterator[str]:
    for entry in section.entries:
        yield f"{_INDENT}{entry.term}"
        yield from _wrap(entry.text, _INDENT * 3, _INDENT * 3)


def _render_entries(entries: tuple[Entry, ...]) -> Iterator[str]:
    """Yield the lines of a list of terms, each with its sentence beside it."""
    column = len(_INDENT) + 2 + min(_TERM_MAX, max((len(entry.term) for entry in entries), default=0))
    for entry in entries:
        start = f"{_INDENT}{entry.term}"
        if len(start) + 2 > column:
            yield start
            start = ""
        yield from _wrap(entry.text, start.ljust(column), " " * column)
        for term, text in entry.more:
            yield from _wrap(f"{term}  {text}", " " * column, " " * (column + 4))


def _wrap(words: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
