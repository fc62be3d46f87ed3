"""`pipework --version` beside other options; alone, `__main__` answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core import __version__

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = HELP = OPTIONS = ()


def parse_request(args: ParsedArgs) -> None:
    """Return nothing: there is nothing to ask for."""
    del args


def run(_request: None, settings: Settings) -> int:
    """Print the version."""
    del settings
    print(f"pipework {__version__}")
    return 0
