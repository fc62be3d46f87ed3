"""The files of golden cases: what is expected as TOML text, and putting it into a file beside what is given."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The keys of what is expected: lists that stand above all tables, and tables that stand at the end.
LISTS, TABLES = ("notes", "warnings"), ("steps", "error")
EXPECTED = (*LISTS, *TABLES)
#: The keys of a step and of an error, in order.
_ORDER = ("run", "expect", "undo", "unless", "guard", "type", "says", "hint")
_WIDTH = 120


class Statement(NamedTuple):
    """A statement of a TOML file with its text, comments and empty lines among them; `key` names what it is about."""

    text: str
    key: str = ""
    header: bool = False


def render_case(case: Mapping[str, Any]) -> str:
    """Return what a case expects, in one way whoever wrote it."""
    return f"{_render_lists(case)}\n{_render_tables(case)}".strip("\n") + "\n"


def rewrite_case(text: str, found: Mapping[str, Any]) -> str:
    """Return the text of a case with what it expects replaced; all else is as it was, comments included."""
    above: list[str] = []
    below: list[str] = []
    section = ""
    for statement in split_statements(text):
        if statement.header:
            section = statement.key
        key = section or statement.key
        if key not in EXPECTED:
            (below if section else above).append(statement.text)
    parts = (
        "".join(above).strip("\n"),
        _render_lists(found).strip("\n"),
        "".join(below).strip("\n"),
        _render_tables(found),
    )
    top = "\n".join(part for part in parts[:2] if part)
    return "\n\n".join(part for part in (top, *parts[2:]) if part).rstrip("\n") + "\n"


def split_statements(text: str) -> Iterator[Statement]:
    """Split a TOML document into its statements; a line that no statement ends with goes on in the next."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        try:
            found = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        header = pending.lstrip().startswith("[")
        yield Statement(pending, next(iter(found), ""), header)
        pending = ""
    if pending:
        yield Statement(pending)


def _render_lists(case: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_render_value(case[key], len(key))}\n" for key in LISTS if case.get(key))


def _render_tables(case: Mapping[str, Any]) -> str:
    tables = [_render_table("[[steps]]", step) for step in case.get("steps", ())]
    tables += [_render_table("[error]", case["error"])] if "error" in case else []
    return "\n".join(tables)


def _render_table(header: str, values: Mapping[str, Any]) -> str:
    keys = [key for key in _ORDER if key in values] + sorted(values.keys() - set(_ORDER))
    return f"{header}\n" + "".join(f"{key} = {_render_value(values[key], len(key))}\n" for key in keys)


def _render_value(value: Any, indent: int) -> str:  # noqa: ANN401 - what TOML holds
    """Return a string or a list of strings; a long list has a line for each."""
    if not isinstance(value, list):
        return _render_string(value)
    words = [_render_string(item) for item in value]
    flat = f"[{', '.join(words)}]"
    if len(words) == 1 or len(flat) + indent <= _WIDTH:
        return flat
    return "[\n" + "".join(f"  {word},\n" for word in words) + "]"


def _render_string(value: Any) -> str:  # noqa: ANN401 - as above
    # TOML's basic strings are JSON's, but for DEL, which they must not hold (TOML 1.0.0, "String").
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
