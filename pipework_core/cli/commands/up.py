"""`pipework up`: attach all that a topology file names."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.model import Topology
    from pipework_core.topology.report import TopologyReport

USAGE = ("up [-f FILE] [-m NAMES] [--replace] [--prune] [--atomic]",)
HELP = (("up", "attach all that a topology file names; what is attached already is left as it is"),)
OPTIONS = ("file", "machine", "replace", "atomic", "prune", "json", *options.CHANGING)
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

    found = topology.load_topology(choose_file(request.file, detaches="up --prune" if request.prune else ""))
    if found.machines or settings.machines:
        return _run_on_machines(found, request, settings)

    with open_run(settings) as run:
        # An interruption with --atomic undoes all, which is what it says anyhow.
        with nullcontext() if request.atomic else topology_output.explain_interruption():
            report = apply_topology(
                found,
                run.engine,
                warn=output.print_warning,
                replace=request.replace,
                atomic=request.atomic,
                prune=request.prune,
                progress=run.tell_progress,
            )
        code = _print_report(report, settings)
        if settings.json:
            output.print_json(_encode_report(report))
        run.driver.finish(_list_notes(report))
        if report.interrupted:
            output.print_message(topology_output.INTERRUPTED)
    return code


def _run_on_machines(found: Topology, request: UpRequest, settings: Settings) -> int:
    """Attach what is missing on the machines of the file."""
    from pipework_core.cli import site_output, topology_output
    from pipework_core.cli.sites import open_sites
    from pipework_core.machines.apply import apply_machines

    with open_sites(found, settings) as run:
        with run.waiting("attach"), nullcontext() if request.atomic else topology_output.explain_interruption():
            report = apply_machines(
                run.work,
                replace=request.replace,
                atomic=request.atomic,
                prune=request.prune,
                progress=run.tell_progress,
            )
        code = site_output.print_machines(report, lambda one, name: _print_report(one, settings, name))
        site_output.print_moves(report, pruned=request.prune)
        if settings.json:
            site_output.print_document(report, _encode_report)
        site_output.finish_machines(run, report, _list_notes)
        if report.interrupted:
            atomic = "interrupted; everything was undone"
            site_output.print_interruption(atomic if request.atomic else topology_output.INTERRUPTED)
    return code


def _print_report(report: TopologyReport, settings: Settings, machine: str = "") -> int:
    """Print what came of it on a machine of the file, or on the only host; return the exit code."""
    from pipework_core.cli import output, topology_output
    from pipework_core.model.errors import Interrupted
    from pipework_core.topology.report import name_job

    where = f"{machine}: " if machine else ""
    for link, job in zip(report.links, report.jobs, strict=True):
        if job.error is not None:
            output.print_error(f"{where}{name_job(job)}: {job.error}", job.error.hint, place=link.place)
            output.print_notes(getattr(job.error, "__notes__", ()))
        elif job.whole:
            output.print_warnings(f"{where}{name_job(job)}: {text}" for text in job.report().warnings)
    topology_output.print_host_problems(report.host, where)
    stays = _print_unlisted(report, settings, where)
    if not settings.json and not settings.dry_run:
        print(f"{escape_text(where)}{topology_output.summarize_jobs(report.jobs)}", file=sys.stderr)
    if report.interrupted:
        return Interrupted.exit_code
    failed = report.host.has_failed or report.host.not_removed or any(job.error for job in report.jobs)
    return 1 if failed or stays else 0


def _encode_report(report: TopologyReport, machine: str = "") -> dict[str, Any]:
    from pipework_core.cli import topology_output
    from pipework_core.engine import report_json

    hosts = topology_output.encode_hosts(report.host, machine)
    return report_json.encode_topology(hosts, report.jobs, report.unlisted, machine)


def _list_notes(report: TopologyReport) -> list[str]:
    from pipework_core.topology.report import name_job

    return [f"{name_job(job)} is as the file says" for job in report.jobs if job.whole and not job.outcomes]


def _print_unlisted(report: TopologyReport, settings: Settings, where: str) -> bool:
    """Print what is attached and not in the file, or what became of it; return whether some of it stays."""
    from pipework_core.cli import output, topology_output
    from pipework_core.topology.report import name_status

    named = [name_status(status) for status, _ in report.unlisted]
    pruned = [(f"{where}{name_status(status)}", job) for status, job in report.unlisted if job is not None]
    if named and not pruned:
        output.print_warning(f"{where}not in the file: {', '.join(named)}; --prune detaches them")
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
