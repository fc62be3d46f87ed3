"""What `pipework` alone prints: a screen that leads on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from pipework_core.cli.manual import words
from pipework_core.cli.manual.pages import TOPICS
from pipework_core.cli.manual.text import WIDTH
from pipework_core.spec.options import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable


def render_overview() -> str:
    """Return twenty lines at most, ending in a newline."""
    column = max(len(line) for line, _ in words.FIRST) + 2
    first = [f"  pipework {line.ljust(column)}{text}" for line, text in words.FIRST]
    pointers = (
        ("pipework help", "all of it, on one page"),
        ("pipework help COMMAND", "one command, as COMMAND --help"),
        ("pipework help TOPIC", "a topic, a kind, an option"),
    )
    lines = [
        f"pipework - {words.SUMMARY}",
        *("", *first, ""),
        *_wrap("commands: ", COMMANDS),
        *_wrap("topics: ", TOPICS),
        *("", *(f"  {term.ljust(column + len('pipework '))}{text}" for term, text in pointers)),
    ]
    return "".join(f"{line}\n" for line in lines)


def _wrap(head: str, names: Iterable[str]) -> list[str]:
    return textwrap.wrap(head + ", ".join(names), WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False)
