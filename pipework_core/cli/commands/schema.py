"""`pipework schema`: print a JSON Schema of topology files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import refuse_operands

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("schema",)
HELP = (("schema", "print a JSON Schema of topology files, for editors"),)
OPTIONS = ()


def parse_request(args: ParsedArgs) -> None:
    """Return nothing: there is nothing to ask for."""
    refuse_operands(args)


def run(_request: None, settings: Settings) -> int:
    """Print the schema."""
    from pipework_core import topology
    from pipework_core.cli import output

    del settings
    output.print_json(topology.make_schema())
    return 0
