"""YAML text to plain data whose every value has a place. No value is guessed into another one.

PyYAML composes a tree of nodes, which know their lines and columns. Three things it leaves to us. Plain words are
typed here: YAML 1.1 takes `no` for false, `010` for 8 and `00:11:22` for a number to the base of 60. The depth is
checked before anything is composed, since the composer in C overflowed its stack on 100,000 brackets (PyYAML up to
6.0.3). And a value that has an anchor is counted each time it is used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from pipework_core.model.records import Record
from pipework_core.topology.model import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from yaml.nodes import MappingNode, Node, ScalarNode

#: Deeper than any file needs: file, links, link, options, value are five.
DEPTH_MAX = 16
#: Values in a file, each anchor's counted as often as it is used.
VALUES_MAX = 500_000

_MERGE = "<<"
_PLAIN, _TEXT = "plain", "text"
_TAGS = frozenset({_PLAIN, _TEXT, "tag:yaml.org,2002:str"})
#: What means the same to every reader of YAML; all other plain text is text.
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
#: How a number begins; the empty text does, too, and is none.
_NUMERIC = "+-0123456789"
_OCTAL = re.compile(r"[-+]?0[0-9_]+")

#: libyaml, where there is one, is a dozen times as fast.
_Base: type[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Loader(_Base):  # type: ignore[misc] # one of two classes
    """Tells plain scalars from quoted ones, and gives neither a type."""

    def resolve(self, kind: type[Node], _value: object, implicit: Any) -> str:  # noqa: ANN401 - a pair, or a truth value
        """Return the tag of a node that has none."""
        return _PLAIN if kind is yaml.ScalarNode and implicit[0] else _TEXT


class Document(Record):
    """A file's data, and the tree of nodes that it was made of."""

    data: object
    root: Node | None
    file: str

    def find_place(self, path: Sequence[object], *, of_key: bool = False) -> Place:
        """Return where the value at a path of keys and indexes begins (or its key); where that leads nowhere, the file.

        A key that a mapping takes from another one by `<<` is found there.
        """
        node, key = self.root, None
        for step in path:
            if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                key = node = node.value[step]
            else:
                key, node = next(_find_pairs(node, step), (None, None))
        found = key if of_key else node
        return _place(self.file, found.start_mark if found is not None else None)


def read_document(text: str, file: str) -> Document:
    """Return the one document in `text`.

    Raise UsageError with the place for what cannot be a topology, yaml.MarkedYAMLError for what is no YAML.
    """
    _check_depth(text, file)
    root = yaml.compose(text, _Loader)
    return Document(None if root is None else _Converter(file).convert(root, 0), root, file)


def _check_depth(text: str, file: str) -> None:
    """Raise UsageError for what is nested too deep, and for a second document."""
    depth, documents = 0, 0
    for event in yaml.parse(text, _Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_MAX + 1:
                place = _place(file, event.start_mark)
                raise place.error(f"this is nested more than {DEPTH_MAX} deep.", hint="a link's options are four deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                place = _place(file, event.start_mark)
                raise place.error("a second document begins here.", hint="put all into one, without ---")


def _place(file: str, mark: Any) -> Place:  # noqa: ANN401 - two classes, in Python and in C
    """Return the place of a parser's mark, which counts from 0; the file's beginning when there is none."""
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


def _find_pairs(node: Node | None, key: object) -> Iterator[tuple[Node, Node]]:
    """Yield the pairs of nodes with that key: those of the mapping itself, then those of what `<<` names."""
    if isinstance(node, yaml.MappingNode):
        yield from ((found, value) for found, value in node.value if found.value == key)
        for found, value in node.value:
            if found.value == _MERGE:
                for other in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    yield from _find_pairs(other, key)


class _Converter:
    """Turns nodes into data, each node once, and counts the values."""

    def __init__(self, file: str) -> None:
        self._file = file
        #: By a node's `id`: what it became, and how many values that holds. All nodes live as long as the tree.
        self._known: dict[int, tuple[object, int]] = {}
        self._open: set[int] = set()

    def convert(self, node: Node, depth: int) -> object:
        """Return a node's data."""
        return self._convert_counted(node, depth)[0]

    def _convert_counted(self, node: Any, depth: int) -> tuple[object, int]:  # noqa: ANN401 - one of three nodes
        if isinstance(node, yaml.ScalarNode):
            return self._convert_scalar(node), 1
        known = self._known.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open or depth > DEPTH_MAX:
            raise self._error(node, "this holds itself, by its own anchor.", "leave the * out")
        self._open.add(id(node))
        self._refuse_tag(node)
        value: object
        count = 1
        if isinstance(node, yaml.SequenceNode):
            pairs = [self._convert_counted(item, depth + 1) for item in node.value]
            value, count = [item for item, _ in pairs], count + sum(number for _, number in pairs)
        else:
            value, count = self._convert_mapping(node, depth)
        if count > VALUES_MAX:
            message = f"here the file exceeds {VALUES_MAX:,} values, each alias counted as often as it is used."
            raise self._error(node, message, "split the file")
        self._open.discard(id(node))
        self._known[id(node)] = value, count
        return value, count

    def _refuse_tag(self, node: Node) -> None:
        if node.tag not in _TAGS:
            raise self._error(node, f"the tag {node.tag!r} means nothing here.", "leave out what begins with !")

    def _convert_scalar(self, node: ScalarNode) -> object:
        if node.tag == _PLAIN:
            return self._type_scalar(node)
        self._refuse_tag(node)
        return node.value

    def _convert_mapping(self, node: MappingNode, depth: int) -> tuple[dict[str, object], int]:
        found: dict[str, object] = {}
        lines: dict[str, int] = {}
        merged: list[dict[str, object]] = []
        total = 1
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key is expected here, a word.", "put it in quotes when it is one")
            self._convert_scalar(key_node)
            key: str = key_node.value
            if key in lines:
                raise self._error(
                    key_node, f"{key!r} is given twice, first in line {lines[key]}.", "leave one of them out"
                )
            lines[key] = key_node.start_mark.line + 1
            value, count = self._convert_counted(value_node, depth + 1)
            total += count
            if key == _MERGE:
                merged = self._list_merged(value, value_node)
            else:
                found[key] = value
        for other in merged:
            found = {**other, **found}
        return found, total

    def _list_merged(self, value: object, node: Node) -> list[dict[str, object]]:
        """Return the mappings that `<<` names, which must be such."""
        named = value if isinstance(value, list) else [value]
        mappings = [other for other in named if isinstance(other, dict)]
        if len(mappings) != len(named):
            raise self._error(node, "<< takes mappings only.", "write for instance <<: *name, with &name above")
        return mappings

    def _type_scalar(self, node: Node) -> object:
        text: str = node.value
        if text[:1] not in _NUMERIC:
            return _WORDS.get(text, text)
        if _OCTAL.fullmatch(text):
            number = text.lstrip("+-0_") or "0"
            message = f"{text} begins with 0, which makes it another number to some readers of YAML."
            raise self._error(node, message, f"write {number}, or put it in quotes")
        if _WHOLE.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
        return _WORDS.get(text, text)

    def _error(self, node: Node, message: str, hint: str) -> Exception:
        return _place(self._file, node.start_mark).error(message, hint=hint)
