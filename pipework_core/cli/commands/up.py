"""`pipework up`: attach all that a topology file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("up [-f FILE] [--atomic] [--prune]",)
HELP = (("up", "attach all that a topology file names; what is attached already is left as it is"),)
OPTIONS = ("file", "atomic", "prune", "json", *options.CHANGING)

DEFAULT_FILE = "pipework.yaml"


class UpRequest(Record):
    """The topology file, whether all of it or nothing is to hold, and whether what it does not name is to go."""

    file: str
    atomic: bool = False
    prune: bool = False


def parse_request(args: ParsedArgs) -> UpRequest:
    """Return the file, and how it is to be applied."""
    refuse_operands(args)
    return UpRequest(read_file(args, "file") or DEFAULT_FILE, atomic=args.has("atomic"), prune=args.has("prune"))


def run(request: UpRequest, settings: Settings) -> int:
    """Attach what is missing."""
    from pipework_core.cli.fleet import Fleet
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        fleet = Fleet(run, settings, request.file, atomic=request.atomic, prune=request.prune)
        return fleet.run(fleet.up)
