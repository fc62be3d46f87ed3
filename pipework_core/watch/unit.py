"""The unit of systemd for `pipework watch`; it travels in the package as the file that a distribution installs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The unit, for a pipework that is installed as /usr/bin/pipework.
FILE = Path(__file__).with_name("pipework-watch.service")
_INSTALLED = "/usr/bin/pipework"
#: What systemd would take for something else inside of double quotes (systemd.service(5), "Command lines").
_ESCAPES = str.maketrans({"%": "%%", "$": "$$", '"': r"\"", "\\": r"\\"})


def make_unit(command: Sequence[str], file: Path = FILE) -> str:
    """Return a unit of ours that starts pipework by this command, the absolute path of a program first."""
    return file.read_text().replace(_INSTALLED, " ".join(map(_quote, command)))


def _quote(word: str) -> str:
    escaped = word.translate(_ESCAPES)
    return f'"{escaped}"' if escaped != word or any(map(str.isspace, word)) else word
