"""`pipework down`: detach all that a topology file names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.commands.up import DEFAULT_FILE
from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("down [-f FILE]",)
HELP = (("down", "detach all that the file names"),)
OPTIONS = ("file", "keep-bridge", *options.CHANGING)


class DownRequest(Record):
    """The topology file, and whether bridges and VLANs are to stay that nobody uses any more."""

    file: str
    keep_bridge: bool = False


def parse_request(args: ParsedArgs) -> DownRequest:
    """Return the topology file, and what is to stay."""
    refuse_operands(args)
    return DownRequest(read_file(args, "file") or DEFAULT_FILE, keep_bridge=args.has("keep-bridge"))


def run(request: DownRequest, settings: Settings) -> int:
    """Detach what the file names."""
    from pipework_core.cli.fleet import Fleet
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        fleet = Fleet(run, settings, request.file, keep_bridge=request.keep_bridge)
        return fleet.run(fleet.down)
