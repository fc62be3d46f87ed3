"""Scripts of ours in the words of a command: another machine has none of them.

One that needs nothing but itself travels as text, and leaves nothing there. One that asks for its own name wants the
files beside it, starts itself again, or is found by its command line: it needs a place there, see `ScriptFolder`.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A file of pipework, or of a plugin of it, by the name that its package has.
_OURS = re.compile(r"/(?:[^/]+/)*pipework_\w+/.*")
_OWN_NAME = re.compile(r"\$\{?0|__file__")
#: A line that reads a file beside the script.
_READ_BESIDE = re.compile(r'^\. "\$\{0%/\*\}/([\w.]+)"$', re.MULTILINE)
#: What takes a script, with what stands between the two words.
_READERS = (("sh",), ("python3", "-I", "-S"))
_ENDINGS = (".sh", ".py")
_ROOT = "/run/pipework-scripts-"


class ScriptFolder(Record):
    """The scripts of a folder of ours, and where they are on another machine.

    The name `path` says what is in them: versions do not mix, and what is there need not be sent again.
    """

    path: str
    files: tuple[tuple[str, str], ...]


def read_folder(folder: str) -> ScriptFolder:
    """Return the scripts of a folder here."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(_ENDINGS))
    files = tuple((name, _read_text(os.path.join(folder, name))) for name in names)
    digest = hashlib.sha256(repr(files).encode()).hexdigest()
    return ScriptFolder(path=f"{_ROOT}{digest[:16]}", files=files)


def list_folders(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the folders of the scripts in these words that need a place there."""
    placed = (word for word in _send_as_text(argv) if _is_ours(word) and word.endswith(_ENDINGS))
    return tuple(dict.fromkeys(map(os.path.dirname, placed)))


def find_left_file(argv: Sequence[str]) -> str:
    """Return the first file of ours in the words that is no script, by its name alone; empty when there is none."""
    left = (word for word in argv if _is_ours(word) and not word.endswith(_ENDINGS))
    return os.path.basename(next(left, ""))


def make_portable(argv: Sequence[str], places: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words as they are there. `places` says where folders of `list_folders` are there."""
    return tuple(
        f"{places[os.path.dirname(word)]}/{os.path.basename(word)}"
        if _is_ours(word) and os.path.dirname(word) in places
        else word
        for word in _send_as_text(argv)
    )


def _send_as_text(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the words with the text of a script in place of its name, if it needs no more (sh(1), -c).

    What reads it may have a program in front that runs it, such as timeout(1).
    """
    at = next((at for at, word in enumerate(argv) if _is_ours(word)), 0)
    reader = next((one for one in _READERS if tuple(argv[max(at - len(one), 0) : at]) == one), None)
    text = _read_whole(argv[at]) if reader else ""
    if reader is None or _OWN_NAME.search(text):
        return tuple(argv)
    # Python has no name for it: sys.argv[0] is "-c".
    name = (os.path.basename(argv[at]),) if reader == ("sh",) else ()
    return (*argv[:at], "-c", text, *name, *argv[at + 1 :])


def _read_whole(script: str) -> str:
    """Return the text of a script, with what it reads beside itself in place of the lines that do."""
    folder = os.path.dirname(script)
    return _READ_BESIDE.sub(lambda line: _read_text(os.path.join(folder, line[1])), _read_text(script))


def _read_text(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def _is_ours(word: str) -> bool:
    return bool(_OURS.fullmatch(word)) and os.path.isfile(word)
