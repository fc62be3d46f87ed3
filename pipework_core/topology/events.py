"""YAML text to plain data whose every value knows its place. No value is ever guessed into another.

The parser's events are read rather than the trees or objects that PyYAML makes of them, for four reasons. They carry
line and column. They are typed by us: YAML 1.1 takes `no` for false, `010` for 8 and `00:11:22` for a number to the
base of 60. They come one by one, so that a nesting of a hundred thousand brackets is refused where PyYAML's composer
in C overflows its stack. And an alias can be counted as often as it is used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from pipework_core.topology.document import Document, Marks, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yaml.events import Event, ScalarEvent

#: Deeper than any file needs: file, links, link, options, value are five.
DEPTH_MAX = 16
#: Values in a file, aliases counted each time they are used.
VALUES_MAX = 500_000

_MERGE = "<<"
#: What means the same to every reader of YAML; all other plain text is text.
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_OCTAL = re.compile(r"[-+]?0[0-9_]+")

#: libyaml, where there is one, is a dozen times as fast.
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(text: str, file: str) -> Document:
    """Return the one document in `text`.

    Raise UsageError with the place for what cannot be a topology, yaml.MarkedYAMLError for what is no YAML.
    """
    return _Reader(text, file).document()


class _Reader:
    """Turns the events of one document into data, with bounds for depth and number."""

    def __init__(self, text: str, file: str) -> None:
        self._events: Iterator[Event] = yaml.parse(text, _Loader)
        self._file = file
        self._anchors: dict[str, object] = {}
        self._marks: dict[int, dict[object, Marks]] = {}
        #: How many values a container holds, by its `id`; all containers are kept, so that no `id` is used again.
        self._sizes: dict[int, int] = {}
        self._kept: list[object] = []

    def document(self) -> Document:
        next(self._events)  # the stream's beginning
        data = None
        if isinstance(next(self._events), yaml.DocumentStartEvent):
            data = self._value(next(self._events), 0)
            next(self._events)  # the document's end
            behind = next(self._events)
            if isinstance(behind, yaml.DocumentStartEvent):
                raise self._error(behind, "a second document begins here.", "put all into one, without ---")
        return Document(data, self._file, self._marks)

    def _error(self, event: Any, message: str, hint: str) -> Exception:  # noqa: ANN401 - untyped in the library
        return place(self._file, event.start_mark).error(message, hint=hint)

    def _value(self, event: Any, depth: int) -> object:  # noqa: ANN401 - untyped in the library
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                hint = f"define it above with &{event.anchor}, or put text that begins with * in quotes"
                raise self._error(event, f"*{event.anchor} stands for an anchor, and there is none.", hint)
            return self._anchors[event.anchor]
        if depth > DEPTH_MAX:
            raise self._error(event, f"this is nested more than {DEPTH_MAX} deep.", "a link's options are four deep")
        value: object
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        else:
            self._no_tag(event)
            value = self._list(depth) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _list(self, depth: int) -> list[object]:
        items: list[object] = []
        marks = self._keep(items)
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            marks[len(items)] = Marks(event.start_mark, event.start_mark)
            items.append(self._value(event, depth + 1))
            self._count(items, items[-1], event)
        return items

    def _mapping(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        marks = self._keep(found)
        for key_event in self._events:
            if isinstance(key_event, yaml.MappingEndEvent):
                break
            key = self._key(key_event, found, marks)
            event = next(self._events)
            marks[key] = Marks(key_event.start_mark, event.start_mark)
            found[key] = self._value(event, depth + 1)
            self._count(found, found[key], event)
        if _MERGE in found:
            self._merge(found, marks)
        return found

    def _key(self, event: Event, found: Mapping[str, object], marks: Mapping[object, Marks]) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._error(event, "a key is expected here, a word.", "put it in quotes when it is one")
        self._no_tag(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = event.value
        key: str = event.value
        if key in found:
            first = place(self._file, marks[key].key).line
            raise self._error(event, f"{key!r} is given twice, first in line {first}.", "leave one of them out")
        return key

    def _merge(self, found: dict[str, object], marks: dict[object, Marks]) -> None:
        """Fill in what `<<` names: keys of the mapping itself come first, then those of the first one named."""
        mark = marks.pop(_MERGE)
        named = found.pop(_MERGE)
        for other in named if isinstance(named, list) else [named]:
            if not isinstance(other, dict):
                where = place(self._file, mark.value)
                raise where.error("<< takes mappings only.", hint="write for instance <<: *name, with &name above")
            for key in other.keys() - found.keys():
                found[key] = other[key]
                marks[key] = self._marks[id(other)][key]
                self._sizes[id(found)] += self._sizes.get(id(other[key]), 1)

    def _keep(self, container: list[object] | dict[str, object]) -> dict[object, Marks]:
        self._kept.append(container)
        self._sizes[id(container)] = 1
        return self._marks.setdefault(id(container), {})

    def _count(self, container: object, value: object, event: Any) -> None:  # noqa: ANN401 - untyped in the library
        self._sizes[id(container)] += self._sizes.get(id(value), 1)
        if self._sizes[id(container)] > VALUES_MAX:
            message = f"here the file exceeds {VALUES_MAX:,} values, each alias counted as often as it is used."
            raise self._error(event, message, "split the file")

    def _no_tag(self, event: Any) -> None:  # noqa: ANN401 - untyped in the library
        if event.tag not in {None, "!", "tag:yaml.org,2002:str"}:
            raise self._error(event, f"the tag {event.tag!r} means nothing here.", "leave out what begins with !")

    def _scalar(self, event: ScalarEvent) -> object:
        self._no_tag(event)
        text: str = event.value
        if event.tag is not None or not event.implicit[0]:  # in quotes, or said to be text
            return text
        if _OCTAL.fullmatch(text):
            number = text.lstrip("+-0_") or "0"
            message = f"{text} begins with 0, which makes it another number to some readers of YAML."
            raise self._error(event, message, f"write {number}, or put it in quotes")
        if _WHOLE.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
        return _WORDS.get(text, text)
