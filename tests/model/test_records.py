"""Records behave as `typing.NamedTuple` does, and cost less to define."""

from __future__ import annotations

import pickle
from typing import NamedTuple

import pytest

from pipework_core.model.plan import Netns
from pipework_core.model.records import Record


class Port(Record):
    name: str
    number: int
    tag: str = ""


class Usual(NamedTuple):
    name: str
    number: int
    tag: str = ""


@pytest.mark.parametrize("words", [{"name": "a", "number": 1}, {"number": 2, "tag": "x", "name": "b"}])
def test_a_record_is_what_a_named_tuple_would_be(words: dict[str, object]) -> None:
    record, usual = Port(**words), Usual(**words)
    assert record == usual
    assert hash(record) == hash(usual)
    assert repr(record) == repr(usual).replace("Usual", "Port")
    assert record._asdict() == usual._asdict()
    assert record._replace(tag="y") == usual._replace(tag="y")
    assert type(record._replace(tag="y")) is Port
    assert (Port._fields, Port._field_defaults) == (Usual._fields, Usual._field_defaults)
    assert Port._make(["c", 3, ""]) == Usual._make(["c", 3, ""])


def test_values_may_stand_in_order() -> None:
    assert Port("a", 1) == Port(name="a", number=1, tag="")
    match Port("a", 1):
        case Port(name, number):
            assert (name, number) == ("a", 1)


@pytest.mark.parametrize(
    ("values", "named", "said"),
    [
        (("a",), {}, "lacks 'number'"),
        (("a", 1, "x", 4), {}, "takes name, number, tag"),
        (("a", 1), {"colour": 1}, "colour"),
        (("a", 1), {"name": "b"}, "name"),
    ],
)
def test_wrong_values_are_refused(values: tuple[object, ...], named: dict[str, object], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Port(*values, **named)


def test_a_field_that_does_not_exist_cannot_be_replaced() -> None:
    with pytest.raises(ValueError, match="colour"):
        Port("a", 1)._replace(colour=1)


def test_a_record_is_frozen_and_has_no_other_attributes() -> None:
    record = Port("a", 1)
    with pytest.raises(AttributeError):
        record.name = "b"
    with pytest.raises(AttributeError):
        record.colour = 1


def test_a_record_can_be_pickled() -> None:
    address = Netns(path="/run/netns/blue")
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301 - our own bytes
