"""A file as plain data whose every value knows its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record
from pipework_core.topology.model import Place

if TYPE_CHECKING:
    from collections.abc import Mapping


class Marks(Record):
    """Where a key and its value begin, in the parser's words; an item of a list has itself as its key."""

    key: Any
    value: Any


class Document(Record):
    """A file's data, and the places of everything in it: by the container's `id`, then by key or index."""

    data: object
    file: str
    marks: Mapping[int, Mapping[object, Marks]]

    def place(self, container: object, key: object, *, of_key: bool = False) -> Place:
        """Return where the value of `key` begins (or the key itself); the file's beginning when nobody knows."""
        found = self.marks.get(id(container), {}).get(key)
        return place(self.file, (found.key if of_key else found.value) if found else None)


def place(file: str, mark: Any) -> Place:  # noqa: ANN401 - two classes, in Python and in C
    """Return the place of a parser's mark, which counts from 0; the file's beginning when there is none."""
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
