"""Data that came as JSON, with the keys that lead to each value in place of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.topology.errors import find_controls
from pipework_core.topology.model import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Path = tuple[object, ...]


class JsonData(Record):
    """Data of a request; `within` are the keys that the request's author did not write, which errors leave out."""

    data: object
    file: str
    within: tuple[object, ...] = ()

    def find_place(self, path: Sequence[object], *, of_key: bool = False) -> Place:
        """Return the keys that lead to a value, `links[3].vlan`; the whole when there are none."""
        del of_key
        own = path[len(self.within) :] if tuple(path[: len(self.within)]) == self.within else path
        return Place(self.file, keys=write_keys(own) or self.file)


def write_keys(path: Sequence[object]) -> str:
    """Return a path of keys and indexes as one would write it."""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return written.removeprefix(".")


def refuse_controls(source: JsonData) -> None:
    """Raise UsageError for the first text with a control character, as in a file: no name or address has one."""
    for path, text in _list_texts(source.data, ()):
        if next(find_controls(text, source.file), None) is not None:
            place = source.find_place(path)
            raise UsageError(f"{place}: a control character stands in {text[:40]!r}.", hint="leave it out")


def _list_texts(value: object, path: _Path) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield path, key
            yield from _list_texts(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _list_texts(inner, (*path, number))
