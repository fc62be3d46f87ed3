"""The units of systemd for `pipework serve`: the service, and the socket that starts it; they travel in the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core.watch.unit import make_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = "/etc/systemd/system"
_NAMES = ("pipework-serve.service", "pipework-serve.socket")


def make_units(command: Sequence[str]) -> dict[str, str]:
    """Return the texts of the units by their file names; `command` is what starts pipework."""
    return {name: make_unit(command, Path(__file__).with_name(name)) for name in _NAMES}
