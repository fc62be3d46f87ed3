"""What the libraries complain of, as one sentence with a place and a hint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipework_core.topology import shape
from pipework_core.topology.document import place
from pipework_core.topology.model import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.errors import UsageError
    from pipework_core.topology.document import Document

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


def controls(text: str, file: str) -> Iterator[UsageError]:
    """Yield an error for each control character in the text."""
    if _CONTROL.search(text):
        for number, line in enumerate(text.split("\n"), 1):
            for found in _CONTROL.finditer(line):
                where = Place(file, number, found.start() + 1)
                yield where.error(f"a control character ({found.group()!r}) stands here.", hint="is this a text file?")


def of_syntax(error: Any, text: str, file: str) -> UsageError:  # noqa: ANN401 - a yaml.MarkedYAMLError
    """Return what the parser of YAML said."""
    where = place(file, error.problem_mark or error.context_mark)
    lines = text.split("\n")
    here = lines[where.line - 1][where.column - 1 :] if where.line <= len(lines) else ""
    problem = error.problem or "it cannot be read"
    if here.startswith("\t") or " tab " in problem:
        return where.error("a tab stands here, and YAML is indented with spaces only.", hint="replace it by spaces")
    hint = "put text with special characters in quotes, such as '*' or 'a: b'"
    if "end of stream" in problem:
        hint = "close the quotation or the bracket"
    return where.error(f"this is no YAML: {' '.join(filter(None, (problem, error.context)))}.", hint=hint)


def of_shape(said: str, document: Document) -> UsageError:
    """Return what msgspec said of the data: `SENTENCE - at `$.links[3].vlan``."""
    sentence, _, path = said.partition(" - at ")
    container, key, value = _walk(document.data, path.strip("`"))
    quoted = _QUOTED.findall(sentence)
    if "unknown field" in sentence:
        unknown = quoted[0]
        where = document.place(value, unknown, of_key=True)
        return where.error(f"there is no key {unknown!r} here.", hint=_keys_near(unknown, path))
    where = document.place(container, key) if container is not None else Place(document.file)
    if "missing required" in sentence:
        return where.error(f"the key {quoted[0]!r} is missing here.", hint=f"add a line such as {quoted[0]}: …")
    named = f"{key!r}" if isinstance(key, str) else "an item of this list" if container is not None else "the file"
    if "Invalid enum" in sentence:
        return where.error(f"{named} cannot be {value!r}.", hint="write 4 or 6, or leave it out")
    due = " or ".join(dict.fromkeys(_KINDS.get(kind, kind) for kind in quoted[0].split(" | "))) if quoted else ""
    got = _KINDS.get(quoted[1], quoted[1]) if len(quoted) > 1 else "something else"
    return where.error(f"{named} has to be {due or 'something else'}, and is {got}.", hint=_hint(value, due, named))


def _hint(value: object, due: str, named: str) -> str:
    if value is None:
        return "write a value behind the colon, or leave the key out"
    if due == "true or false":
        return "write true or false; yes, no, on and off are text here"
    if isinstance(value, (int, float)) and "text" in due:
        return f"put it in quotes: '{str(value).lower()}'"
    return f"write {due} for {named}"


def _walk(data: object, path: str) -> tuple[object, object, object]:
    """Return the container that the path's last step leads from, the step, and the value there.

    The step into a mapping that is no struct is `[...]` in the path: there it is the first value that is no scalar
    text, which is what can be wrong with it.
    """
    container, key, value = None, None, data
    for name, index in _STEP.findall(path):
        container = value
        if isinstance(container, list):
            key = int(index)
        elif isinstance(container, dict) and index == "...":
            key = next((k for k, v in container.items() if not isinstance(v, (str, int)) or isinstance(v, bool)), None)
        else:
            key = name
        value = container[key]  # type: ignore[index] # msgspec has just walked the same way
    return container, key, value


def _keys_near(unknown: str, path: str) -> str:
    known = shape.keys("links" if "links" in path else "host" if "host" in path else "defaults" if path else "")
    from difflib import get_close_matches  # noqa: PLC0415 - only for who mistyped

    close = get_close_matches(unknown.lower().replace("_", "-"), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
