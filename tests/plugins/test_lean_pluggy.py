"""pluggy without `inspect`: what the stand-in answers is what `inspect` answers, and only pluggy sees it."""

from __future__ import annotations

import functools
import inspect

import pytest

from pipework_core.plugins import hookspecs
from pipework_core.plugins.lean_pluggy import _Inspect


class Shape:
    def method(self) -> None: ...

    @staticmethod
    def static() -> None: ...

    @functools.wraps(method)
    def wrapped(self) -> None: ...


@pytest.mark.parametrize(
    "value", [Shape, Shape(), Shape().method, Shape.method, Shape.static, len, hookspecs, 7, str.join]
)
@pytest.mark.parametrize("question", ["isclass", "ismodule", "isfunction", "ismethod", "isroutine"])
def test_it_answers_as_inspect_does(question: str, value: object) -> None:
    assert getattr(_Inspect("inspect"), question)(value) == getattr(inspect, question)(value)


@pytest.mark.parametrize("name", ["method", "static", "wrapped", "__init__", "nothing"])
@pytest.mark.parametrize("value", [Shape, Shape(), hookspecs], ids=["class", "object", "module"])
def test_it_finds_what_inspect_finds(value: object, name: str) -> None:
    assert _Inspect("inspect").getattr_static(value, name, None) is inspect.getattr_static(value, name, None)
    assert _Inspect("inspect").unwrap(Shape.wrapped) is inspect.unwrap(Shape.wrapped)
