"""Answers of tools that have another shape than they should: one sentence in place of a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable

    _Given = ParamSpec("_Given")
    _Found = TypeVar("_Found")

#: What Python raises where data has another shape than the code that takes it apart.
MISSHAPEN = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def parser_of(program: str) -> Callable[[Callable[_Given, _Found]], Callable[_Given, _Found]]:
    """Mark a function that parses what a program prints: HostError is all that it raises for nonsense."""

    def mark(parse: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
        def parse_surely(*args: _Given.args, **named: _Given.kwargs) -> _Found:
            try:
                return parse(*args, **named)
            except MISSHAPEN as error:
                raise HostError(
                    f"{program} gave an answer of another shape than it should ({type(error).__name__}: {error}).",
                    hint=f"which {program} is first on PATH, and of which version is it?",
                ) from None

        parse_surely.__doc__ = parse.__doc__
        return parse_surely

    return mark
