"""`pipework version`; alone, `__main__` answers it, and `--version` and `-V` as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core import __version__
from pipework_core.cli.parser import parse_nothing

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

USAGE = ("version",)
HELP = (("version", "print the version; --version and -V do as well"),)
OPTIONS = ()
parse_request = parse_nothing


def run(_request: None, settings: Settings) -> int:
    """Print the version."""
    del settings
    print(f"pipework {__version__}")
    return 0
