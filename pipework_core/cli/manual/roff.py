"""Pages as a manual page: the macros of man(7), for every `man` there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.cli.manual.model import Page, Section

#: Characters that roff would print as others, so that what is copied from the page could not be typed (groff_char(7)).
_PLAIN = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
#: What is to be typed as it stands.
_CODE = re.compile(r"`([^`]*)`")


def render_page(page: Page, version: str) -> str:
    """Return the page, for the section of system administration (8)."""
    lines = [
        f'.TH PIPEWORK 8 "" "pipework {_escape(version)}" "System Administration"',
        ".nh",  # a broken path or option could not be typed
        ".ad l",
        ".SH NAME",
        f"pipework \\- {_escape(page.summary)}",
    ]
    for section in page.sections:
        lines += _render_section(section)
    return "".join(f"{line}\n" for line in lines)


def _render_section(section: Section) -> Iterator[str]:
    title = {"USAGE": "SYNOPSIS", "WHAT IT DOES": "DESCRIPTION"}.get(section.title, section.title)
    yield f".SH {_escape(title)}"
    if section.about:
        yield _protect(_escape(f"{section.about[:1].upper()}{section.about[1:]}."))
    if section.text:
        yield _mark_up(section.text)
    if section.lines:
        yield from (".PP", ".nf", *map(_protect, map(_escape, section.lines)), ".fi")
    for entry in section.entries:
        yield from _render_entry(entry.term, entry.text)
        if entry.more:
            yield ".RS"
            for term, text in entry.more:
                yield from _render_entry(term, text)
            yield ".RE"


def _render_entry(term: str, text: str) -> Iterable[str]:
    return (".TP", f"\\fB{_escape(term)}\\fR", _mark_up(text))


def _mark_up(text: str) -> str:
    """Return text with what is between backquotes in bold."""
    parts = _CODE.split(text)
    return _protect("".join(f"\\fB{_escape(part)}\\fR" if i % 2 else _escape(part) for i, part in enumerate(parts)))


def _escape(text: str) -> str:
    return "".join(_PLAIN.get(char, char) for char in text)


def _protect(line: str) -> str:
    """Keep a line that begins with a period from being a request."""
    return f"\\&{line}" if line.startswith(".") else line
