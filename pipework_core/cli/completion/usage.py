"""Which operands a command takes, read from its usage lines: `host HOSTIF IP/N [--confirm-within SECONDS]`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.spec.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Options in brackets, which may hold a choice of their own: `[-i IF | --all]`, `[OPTION...]`.
_OPTIONAL = r"\[(?:-[^]]*|OPTION\.\.\.)\]"
_TAKING = frozenset(word for option in OPTIONS if option.value for word in (option.long, option.short))


def list_operands(usage: Iterable[str], command: str) -> list[tuple[str, ...]]:
    """Return for each place what may stand there: words as they are, and names in capitals for what is filled in."""
    places: list[dict[str, None]] = []
    for line in usage:
        for form in re.split(r"\s\|\s", re.sub(_OPTIONAL, "", line)):
            words = _drop_options(form.replace("[", "").replace("]", "").split())
            for place, word in enumerate(_drop_command(words, command)):
                if place == len(places):
                    places.append({})
                places[place] |= dict.fromkeys(word.split("|"))
    return [tuple(place) for place in places]


def _drop_options(words: list[str]) -> list[str]:
    taken = {place + 1 for place, word in enumerate(words) if word in _TAKING}
    return [word for place, word in enumerate(words) if not word.startswith("-") and place not in taken]


def _drop_command(words: list[str], command: str) -> Iterator[str]:
    """Yield the operands; none of a form that another command has. `attach` is the one that may be left out."""
    first, *rest = words or [""]
    if command in first.split("|"):
        yield from rest
    elif command == "attach" or command.startswith("-"):  # the command is left out, or an option
        yield from words
