"""What the libraries complain of, as one sentence with a place and a hint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipework_core.topology.model import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipework_core.model.errors import UsageError
    from pipework_core.topology.model import Source

#: Not printable to YAML (section 5.1 of YAML 1.2.2); the parser refuses them as well, without saying in which line.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "keys with values",
    "null": "nothing",
}
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+|\.\.\.)\]")
_QUOTED = re.compile(r"`([^`]*)`")


def find_controls(text: str, file: str) -> Iterator[UsageError]:
    """Yield an error for each control character in the text."""
    if _CONTROL.search(text):
        for number, line in enumerate(text.split("\n"), 1):
            for found in _CONTROL.finditer(line):
                where = Place(file, number, found.start() + 1)
                yield where.error(f"a control character ({found.group()!r}) stands here.", hint="is this a text file?")


def explain_syntax(error: Any, text: str, file: str) -> UsageError:  # noqa: ANN401 - a yaml.MarkedYAMLError
    """Return what the parser of YAML said."""
    mark = error.problem_mark or error.context_mark
    where = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    lines = text.split("\n")
    here = lines[where.line - 1][where.column - 1 :] if where.line <= len(lines) else ""
    problem = error.problem or "it cannot be read"
    if here.startswith("\t") or " tab " in problem:
        return where.error("a tab stands here, and YAML is indented with spaces only.", hint="replace it by spaces")
    if "undefined alias" in problem:
        anchor = re.split(r"[\s,\]}]", here[1:], maxsplit=1)[0]
        hint = f"define it above with &{anchor}, or put text that begins with * in quotes"
        return where.error(f"*{anchor} stands for an anchor, and there is none.", hint=hint)
    if "duplicate anchor" in f"{problem} {error.context}":
        anchor = re.split(r"[\s,\[\]{}]", here[1:], maxsplit=1)[0]
        first = f", first in line {error.context_mark.line + 1}" if error.context_mark else ""
        return where.error(f"the anchor &{anchor} is defined twice{first}.", hint="give one of the two another name")
    hint = "put text with special characters in quotes, such as '*' or 'a: b'"
    if "end of stream" in problem or (where.line >= len(lines) and not here):
        hint = "close the quotation or the bracket"
    return where.error(f"this is no YAML: {' '.join(filter(None, (problem, error.context)))}.", hint=hint)


def explain_shape(
    said: str,
    document: Source,
    list_keys: Callable[[str], list[str]],
    choices: Mapping[str, str],
    within: tuple[str | int, ...] = (),
) -> UsageError:
    """Return what msgspec said of the data: `SENTENCE - at `$.links[3].vlan``.

    `list_keys` tells the keys at a path, `choices` the values of keys that have few. `within` leads to the part of the
    data that msgspec was given.
    """
    sentence, _, where = said.partition(" - at ")
    part: Any = document.data
    for step in within:
        part = part[step]
    found, value = _follow_path(part, where.strip("`"))
    path: tuple[object, ...] = (*within, *found)
    quoted = _QUOTED.findall(sentence)
    if "unknown field" in sentence:
        place = document.find_place((*path, quoted[0]), of_key=True)
        return place.error(f"there is no key {quoted[0]!r} here.", hint=_suggest_key(quoted[0], list_keys(where)))
    place = document.find_place(path)
    if "missing required" in sentence:
        return place.error(f"the key {quoted[0]!r} is missing here.", hint=f"add a line such as {quoted[0]}: …")
    key = path[-1] if path else None
    named = f"{key!r}" if isinstance(key, str) else "an item of this list" if path else "the file"
    if "Invalid enum" in sentence:
        return place.error(f"{named} cannot be {value!r}.", hint=f"write {choices[str(key)]}")
    due = " or ".join(dict.fromkeys(_KINDS.get(kind, kind) for kind in quoted[0].split(" | "))) if quoted else ""
    got = _KINDS.get(quoted[1], quoted[1]) if len(quoted) > 1 else "something else"
    hint = _suggest_value(value, due, named)
    return place.error(f"{named} has to be {due or 'something else'}, and is {got}.", hint=hint)


def _suggest_value(value: object, due: str, named: str) -> str:
    if value is None:
        return "write a value after the colon, or leave the key out"
    if due == "true or false":
        return "write true or false; yes, no, on and off are text here"
    if isinstance(value, (int, float)) and "text" in due:
        return f"put it in quotes: '{str(value).lower()}'"
    return f"write {due} for {named}"


def _follow_path(data: object, where: str) -> tuple[tuple[object, ...], object]:
    """Return the keys and indexes of msgspec's path, and the value there.

    The step into a mapping that is no struct is `[...]` in the path: there it is the first value that is no scalar
    text, which is what can be wrong with it.
    """
    path: list[object] = []
    value: Any = data
    for name, index in _STEP.findall(where):
        key: object = name
        if isinstance(value, list):
            key = int(index)
        elif isinstance(value, dict) and index == "...":
            key = next((k for k, v in value.items() if not isinstance(v, (str, int)) or isinstance(v, bool)), None)
        path.append(key)
        value = value[key]
    return tuple(path), value


def _suggest_key(unknown: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only for who mistyped

    close = get_close_matches(unknown.lower().replace("_", "-"), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
