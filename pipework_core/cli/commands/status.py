"""`pipework status`: compare a topology file with what is attached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.commands.up import DEFAULT_FILE
from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("status [-f FILE]",)
HELP = (("status", "tell what differs from the file, line by line; exit code 3 when something does"),)
OPTIONS = ("file", "json", *options.LOOKING)


def parse_request(args: ParsedArgs) -> str:
    """Return the topology file."""
    refuse_operands(args)
    return read_file(args, "file") or DEFAULT_FILE


def run(file: str, settings: Settings) -> int:
    """Print the differences."""
    from pipework_core.cli.fleet import Fleet
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        fleet = Fleet(run, settings, file)
        return fleet.run(fleet.status)
