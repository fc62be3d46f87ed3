"""`pipework schema`: print a JSON Schema of topology files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import parse_nothing

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

USAGE = ("schema",)
HELP = (("schema", "print a JSON Schema of topology files, for editors"),)
OPTIONS = ()
EXAMPLES = (("schema > pipework.schema.json", "for an editor"),)
parse_request = parse_nothing


def run(_request: None, settings: Settings) -> int:
    """Print the schema."""
    from pipework_core import topology
    from pipework_core.cli import output

    del settings
    output.print_json(topology.make_schema())
    return 0
