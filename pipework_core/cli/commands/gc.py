"""`pipework gc`: take away what dead guests and killed runs left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import parse_nothing
from pipework_core.model.names import escape_text
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

USAGE = ("gc [--dry-run] [--json]",)
HELP = (
    (
        "gc",
        "take away what dead guests and killed runs left; a NIC that came home gets its name and state back",
    ),
)
OPTIONS = ("json", *options.CHANGING, *options.REACHING)
EXAMPLES = (("gc --dry-run", "see what would go"), ("gc", "take it away"))
parse_request = parse_nothing


def run(_request: None, settings: Settings) -> int:
    """Collect, and return 1 when something could not be taken away."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        done = run.engine.collect_garbage()
        notes = () if done.plan.cleanup else ("nothing is left over on this host",)
        run.driver.finish(notes)
        failed = output.print_rest(done)
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_collected(done, notes, dry_run=settings.dry_run))
        elif not settings.dry_run:
            for command in done.gone:
                print(escape_text(command.reason))
            for note in notes:
                output.print_message(note)
    return 1 if failed else 0
