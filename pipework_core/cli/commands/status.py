"""`pipework status`: compare a topology file with what is attached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.model import Topology
    from pipework_core.topology.report import TopologyReport

USAGE = ("status [-f FILE] [-m NAMES]",)
HELP = (("status", "tell what differs from the file, line by line; exit code 3 when something does"),)
#: The exit code when something differs.
DIFFERS = 3
OPTIONS = ("file", "machine", "json", *options.LOOKING)
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
    from pipework_core.topology.apply import compare_topology

    found = topology.load_topology(choose_file(file))
    if found.machines or settings.machines:
        return _run_on_machines(found, settings)
    with open_run(settings) as run, topology_output.explain_interruption():
        report = compare_topology(found, run.engine, warn=output.print_warning)
        run.driver.finish(())
    if settings.json:
        output.print_json(_encode_report(report))
    return _print_report(report, settings)


def _run_on_machines(found: Topology, settings: Settings) -> int:
    """Compare the machines of the file; one that does not answer makes it fail."""
    from pipework_core.cli import site_output, topology_output
    from pipework_core.cli.sites import open_sites
    from pipework_core.machines.apply import compare_machines

    with open_sites(found, settings) as run:
        with run.waiting("compare"), topology_output.explain_interruption():
            report = compare_machines(run.work)
        site_output.finish_machines(run, report, lambda _: ())
    if settings.json:
        site_output.print_document(report, _encode_report)
    return site_output.print_machines(report, lambda one, name: _print_report(one, settings, name))


def _print_report(report: TopologyReport, settings: Settings, machine: str = "") -> int:
    from pipework_core.model.names import escape_text

    where = f"{machine}: " if machine else ""
    if not settings.json:
        print("".join(f"{escape_text(where + line)}\n" for line in report.differences), end="")
    return DIFFERS if report.differences else 0


def _encode_report(report: TopologyReport, machine: str = "") -> dict[str, Any]:
    from pipework_core.engine import report_json

    return report_json.encode_comparison(report.jobs, report.differences, machine)
