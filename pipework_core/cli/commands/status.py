"""`pipework status`: compare a topology file with what is attached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("status [-f FILE]",)
HELP = (("status", "tell what differs from the file, line by line; exit code 3 when something does"),)
#: The exit code when something differs.
DIFFERS = 3
OPTIONS = ("file", "json", *options.LOOKING)
EXAMPLES = (("status -f lab.yaml", "what differs from the file"),)


def parse_request(args: ParsedArgs) -> str:
    """Return the topology file; empty for the default."""
    refuse_operands(args, f"write pipework {args.command} -f FILE")
    return read_file(args, "file")


def run(file: str, settings: Settings) -> int:
    """Print the differences, one a line; return 3 when there are any."""
    from pipework_core import topology
    from pipework_core.cli import output, topology_output
    from pipework_core.cli.run import open_run
    from pipework_core.cli.topology_file import choose_file
    from pipework_core.engine import report_json
    from pipework_core.model.names import escape_text
    from pipework_core.topology.apply import compare_topology

    with open_run(settings) as run, topology_output.explain_interruption():
        report = compare_topology(topology.load_topology(choose_file(file)), run.engine, warn=output.print_warning)
        run.driver.finish(())
    if settings.json:
        output.print_json(report_json.encode_comparison(report.jobs, report.differences))
    else:
        print("".join(f"{escape_text(line)}\n" for line in report.differences), end="")
    return DIFFERS if report.differences else 0
