"""Pinned paths in the words of a command: whatever a path leads to by now, the descriptor leads to the guest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORD = re.compile(r"\S+")


def replace_words(words: Iterable[str], held: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words with each that is a pinned path replaced by what it is held as; parts of words are left."""
    return tuple(held.get(word, word) for word in words)


def replace_in_text(text: str, held: Mapping[str, str]) -> str:
    """Do the same in a text, such as the lines of a batch; every blank stays as it is."""
    return _WORD.sub(lambda match: held.get(match[0], match[0]), text)


def split_words(text: str | None) -> list[str]:
    """Return the words that `replace_in_text` looks at."""
    return _WORD.findall(text or "")
