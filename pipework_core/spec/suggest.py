"""What somebody who mistyped a word probably meant. Imported when something is wrong already."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_close(word: str, known: Iterable[str]) -> str:
    """Return the known word that is spelt most like this one; empty when none is."""
    names = list(known)
    longer = [name for name in names if len(word) > 1 and name.startswith(word)]
    close = longer or get_close_matches(word, names, n=1, cutoff=0.65)
    return close[0] if close else ""
