"""`pipework up`: attach all that a topology file names."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.model.driver import RunDriver
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.report import TopologyReport

USAGE = ("up [-f FILE] [--replace] [--prune] [--atomic]",)
HELP = (("up", "attach all that a topology file names; what is attached already is left as it is"),)
OPTIONS = ("file", "replace", "atomic", "prune", "json", *options.CHANGING)
EXAMPLES = (
    ("up -f lab.yaml", "attach what is missing"),
    ("up -f lab.yaml --prune", "and detach what the file does not name"),
)


class UpRequest(Record):
    """The topology file (empty: the default), and how it is applied.

    With `replace` what was attached for an earlier version of the file makes way, with `atomic` all of the file holds
    or nothing, with `prune` what it does not name goes.
    """

    file: str
    replace: bool = False
    atomic: bool = False
    prune: bool = False


def parse_request(args: ParsedArgs) -> UpRequest:
    """Return the file, and how it is to be applied."""
    refuse_operands(args, f"write pipework {args.command} -f FILE")
    return UpRequest(
        read_file(args, "file"),
        replace=args.has("replace"),
        atomic=args.has("atomic"),
        prune=args.has("prune"),
    )


def run(request: UpRequest, settings: Settings) -> int:
    """Attach what is missing."""
    from pipework_core import topology
    from pipework_core.cli import output, topology_output
    from pipework_core.cli.run import open_run
    from pipework_core.cli.topology_file import choose_file
    from pipework_core.topology.apply import apply_topology

    file = choose_file(request.file, detaches="up --prune" if request.prune else "")

    with open_run(settings) as run:
        # An interruption with --atomic undoes all, which is what it says anyhow.
        with nullcontext() if request.atomic else topology_output.explain_interruption():
            report = apply_topology(
                topology.load_topology(file),
                run.engine,
                warn=output.print_warning,
                replace=request.replace,
                atomic=request.atomic,
                prune=request.prune,
                progress=run.tell_progress,
            )
        return _print_report(report, settings, run.driver)


def _print_report(report: TopologyReport, settings: Settings, driver: RunDriver) -> int:
    """Print what came of it, tell the driver of the end, and return the exit code."""
    from pipework_core.cli import output, topology_output
    from pipework_core.engine import report_json
    from pipework_core.model.errors import Interrupted
    from pipework_core.topology.report import name_job

    for link, job in zip(report.links, report.jobs, strict=True):
        if job.error is not None:
            output.print_error(f"{name_job(job)}: {job.error}", job.error.hint, place=link.place)
            output.print_notes(getattr(job.error, "__notes__", ()))
        elif job.whole:
            output.print_warnings(f"{name_job(job)}: {text}" for text in job.report().warnings)
    topology_output.print_host_problems(report.host)
    stays = _print_unlisted(report, settings)
    if settings.json:
        hosts = topology_output.encode_hosts(report.host)
        output.print_json(report_json.encode_topology(hosts, report.jobs, report.unlisted))
    elif not settings.dry_run:
        print(topology_output.summarize_jobs(report.jobs), file=sys.stderr)
    driver.finish([f"{name_job(job)} is as the file says" for job in report.jobs if job.whole and not job.outcomes])
    if report.interrupted:
        output.print_message(topology_output.INTERRUPTED)
        return Interrupted.exit_code
    failed = report.host.has_failed or report.host.not_removed or any(job.error for job in report.jobs)
    return 1 if failed or stays else 0


def _print_unlisted(report: TopologyReport, settings: Settings) -> bool:
    """Print what is attached and not in the file, or what became of it; return whether some of it stays."""
    from pipework_core.cli import output, topology_output
    from pipework_core.topology.report import name_status

    named = [name_status(status) for status, _ in report.unlisted]
    pruned = [(name_status(status), job) for status, job in report.unlisted if job is not None]
    if named and not pruned:
        output.print_warning(f"not in the file: {', '.join(named)}; --prune detaches them")
    stays = False
    for name, job in pruned:
        if job.error is not None:
            output.print_error(f"stays: {job.error}", job.error.hint, place=name)
            stays = True
            continue
        stays |= job.plan is not None and bool(topology_output.print_report_warnings(job.report(), name))
        if not settings.dry_run:
            notes = "".join(f"; {note}" for note in job.plan.notes) if job.plan is not None else ""
            print(escape_text(f"{name} detached{notes}"), file=sys.stderr)
    return stays
