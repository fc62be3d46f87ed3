"""`pipework schema [json]`: print a JSON Schema of topology files, or of what `--json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("schema [json]",)
HELP = (
    ("schema", "print a JSON Schema of topology files, for editors"),
    ("schema json", "print that of the documents that --json prints"),
)
OPTIONS = ()
EXAMPLES = (("schema > pipework.schema.json", "for an editor"),)

_OF_DOCUMENTS = ("json",)


def parse_request(args: ParsedArgs) -> bool:
    """Return whether the schema of documents is meant; raise UsageError for a schema that there is not."""
    if args.operands not in {(), _OF_DOCUMENTS}:
        message = f"there is no schema of {' '.join(args.operands)!r}."
        raise UsageError(message, hint="write pipework schema for topology files, or pipework schema json")
    return args.operands == _OF_DOCUMENTS


def run(of_documents: bool, settings: Settings) -> int:  # noqa: FBT001 - the request is one of two
    """Print the schema."""
    del settings
    if of_documents:
        from importlib.resources import files

        print(files("pipework_core.engine").joinpath("report_schema.json").read_text(encoding="utf-8"), end="")
        return 0
    import json

    from pipework_core import topology

    print(json.dumps(topology.make_schema(), indent=2))
    return 0
