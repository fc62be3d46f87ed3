"""Scripts of ours in the words of a command: another machine has none of them, so they travel as text."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A file of pipework, or of a plugin of it, by the name that its package has.
_OURS = re.compile(r"/(?:[^/]+/)*pipework_\w+/.*")
#: A script that asks for its own name wants the files beside it, or to be found by its command line.
_OWN_NAME = re.compile(r"\$\{?0")


def make_portable(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the words that need no file of ours: `sh FILE WORD…` has the text of FILE in its place (sh(1), -c).

    It may have a program in front that runs it, such as timeout(1).
    """
    at = next((at for at, pair in enumerate(pairwise(argv)) if pair[0] == "sh" and _is_ours(pair[1])), None)
    if at is None:
        return tuple(argv)
    file_name = argv[at + 1]
    with open(file_name, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    if _OWN_NAME.search(text):
        return tuple(argv)
    return (*argv[:at], "sh", "-c", text, os.path.basename(file_name), *argv[at + 2 :])


def find_left_file(argv: Sequence[str]) -> str:
    """Return the first file of ours that stays in the words, by its name alone; empty when there is none."""
    return next((os.path.basename(word) for word in make_portable(argv) if _is_ours(word)), "")


def _is_ours(word: str) -> bool:
    return bool(_OURS.fullmatch(word)) and os.path.isfile(word)
