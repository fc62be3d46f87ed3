"""What other packages offer to pipework: the entry points of the distributions on the path, read as the files they are.

`importlib.metadata` would say the same, and importing it costs more than everything else pipework does before its first
command. The format is that of the Python packaging guide, "Entry points specification": an INI file with a section for
each group and a line `NAME = MODULE:ATTRIBUTE` for each entry. Archives on the path are not looked into.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: How the sections for pipework begin.
_OURS = "pipework."
_INFO = (".dist-info", ".egg-info")


class EntryPoint(Record):
    """One entry point: its group and name, what it leads to, and the folder with the distribution's metadata."""

    group: str
    name: str
    value: str
    folder: str

    @property
    def package(self) -> str:
        """The distribution's name as it gives it."""
        return self._read_metadata("Name") or os.path.basename(self.folder).partition("-")[0].removesuffix(".egg")

    @property
    def version(self) -> str:
        """The distribution's version; empty when it gives none."""
        return self._read_metadata("Version")

    def _read_metadata(self, key: str) -> str:
        """Return a field of the metadata, whose head ends at the first empty line (as in RFC 822)."""
        for file in ("METADATA", "PKG-INFO"):
            for line in _read_text(os.path.join(self.folder, file)).partition("\n\n")[0].splitlines():
                name, _, value = line.partition(":")
                if name.lower() == key.lower():
                    return value.strip()
        return ""


def list_entry_points(path: Iterable[str] | None = None) -> list[EntryPoint]:
    """Return the entry points for pipework, by package; of a distribution that is there twice, the first counts."""
    seen: set[str] = set()
    found: list[EntryPoint] = []
    for folder in sys.path if path is None else path:
        for name in _list_distributions(folder):
            distribution = name.partition("-")[0].removesuffix(".egg").lower().replace("_", "-").replace(".", "-")
            if distribution not in seen:
                seen.add(distribution)
                found += _parse_entry_points(os.path.join(folder, name))
    return sorted(found, key=lambda point: (os.path.basename(point.folder), point.group, point.name))


class InstalledMethods:
    """The words that other packages have for addresses, looked up when the first one is asked for; and `more`."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._more = frozenset(more)
        self._names: frozenset[str] | None = None

    def __contains__(self, word: object) -> bool:
        if word in self._more:
            return True
        if self._names is None:
            self._names = frozenset(point.name for point in list_entry_points() if point.group == "pipework.addressing")
        return word in self._names


def _list_distributions(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder or ".") if name.endswith(_INFO)]
    except OSError:
        return []


def _parse_entry_points(folder: str) -> Iterator[EntryPoint]:
    text = _read_text(os.path.join(folder, "entry_points.txt"))
    if f"[{_OURS}" not in text:
        return
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif group.startswith(_OURS) and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield EntryPoint(group, name.strip(), value.partition("[")[0].strip(), folder)


def _read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
