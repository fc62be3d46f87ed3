"""`pipework down`: detach all that a topology file names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.engine.gc import Collected
    from pipework_core.engine.job import Job
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.model import Topology
    from pipework_core.topology.report import TopologyReport

USAGE = ("down [-f FILE] [-m NAMES] [--json]",)
HELP = (("down", "detach all that the file names"),)
OPTIONS = ("file", "machine", "keep-bridge", "json", *options.CHANGING)
EXAMPLES = (("down -f lab.yaml", "detach all of it"),)


class DownRequest(Record):
    """The topology file (empty: the default), and whether bridges and VLANs are to stay that nobody uses any more."""

    file: str
    keep_bridge: bool = False


def parse_request(args: ParsedArgs) -> DownRequest:
    """Return the topology file, and what is to stay."""
    refuse_operands(args, f"write pipework {args.command} -f FILE")
    return DownRequest(read_file(args, "file"), keep_bridge=args.has("keep-bridge"))


def run(request: DownRequest, settings: Settings) -> int:
    """Detach what the file names; return 1 when anything stays that should go."""
    from pipework_core import topology
    from pipework_core.cli import output, topology_output
    from pipework_core.cli.run import open_run
    from pipework_core.cli.topology_file import choose_file
    from pipework_core.topology.apply import may_leave, withdraw_topology

    found = topology.load_topology(choose_file(request.file, detaches="down"))
    if found.machines or settings.machines:
        return _run_on_machines(found, request, settings)
    with open_run(settings) as run, topology_output.explain_interruption():
        report = withdraw_topology(found, run.engine, warn=output.print_warning, keep=request.keep_bridge)
        unsure = not request.keep_bridge and any(may_leave(job) for job in report.jobs)
        rest = run.engine.collect_rest() if unsure else None
        code = _print_report(report, rest, settings)
        run.driver.finish(_list_notes(report))
        if settings.json:
            output.print_json(_encode_report(report, rest, settings))
    return code


def _run_on_machines(found: Topology, request: DownRequest, settings: Settings) -> int:
    """Detach what the file names on its machines; one that does not answer makes it fail."""
    from pipework_core.cli import site_output, topology_output
    from pipework_core.cli.sites import open_sites
    from pipework_core.machines.apply import withdraw_machines

    with open_sites(found, settings) as run, topology_output.explain_interruption():
        with run.waiting("detach"):
            report = withdraw_machines(run.work, keep=request.keep_bridge)
        rest = {one.name: one.rest for one in report.machines}
        code = site_output.print_machines(report, lambda one, name: _print_report(one, rest[name], settings, name))
        site_output.finish_machines(run, report, _list_notes)
        if settings.json:
            site_output.print_document(report, lambda one, name: _encode_report(one, rest.get(name), settings, name))
        if report.interrupted:
            site_output.print_interruption(topology_output.INTERRUPTED)
    return code


def _print_report(report: TopologyReport, rest: Collected | None, settings: Settings, machine: str = "") -> int:
    """Print what came of it on a machine of the file, or on the only host; return the exit code."""
    from pipework_core.cli import output, topology_output

    where = f"{machine}: " if machine else ""
    seen, failed, stays = _print_jobs(report, where)
    topology_output.print_host_problems(report.host, where)
    failed += sum(result.error is not None for result in report.host.results)
    stays += len(report.host.not_removed)
    failed += output.print_rest(rest, where) if rest else 0
    counts = {"failed": failed, "left behind": stays}
    more = "".join(f", {count} {what}" for what, count in counts.items() if count)
    print(escape_text(f"{where}{seen} {'to detach' if settings.dry_run else 'detached'}{more}"), file=sys.stderr)
    return 1 if failed or stays else 0


def _encode_report(
    report: TopologyReport, rest: Collected | None, settings: Settings, machine: str = ""
) -> dict[str, Any]:
    from pipework_core.cli import topology_output
    from pipework_core.engine import report_json

    host = report.host
    return report_json.encode_withdrawal(
        topology_output.encode_hosts(host, machine),
        report.jobs,
        rest,
        warnings=host.warnings,
        stays=host.not_removed,
        dry_run=settings.dry_run,
        machine=machine,
    )


def _list_notes(report: TopologyReport) -> Sequence[str]:
    failed = any(job.error is not None and _has_failed(job) for job in report.jobs)
    done = failed or report.host.has_failed or any(job.plan is not None and job.error is None for job in report.jobs)
    return () if done else ("nothing of the file is attached",)


def _print_jobs(report: TopologyReport, where: str) -> tuple[int, int, int]:
    """Print what came of each link, the last first; return how many were detached, failed, and left something."""
    from pipework_core.cli import output, topology_output

    seen = failed = stays = 0
    for link, job in reversed(list(zip(report.links, report.jobs, strict=True))):
        if job.error is not None and _has_failed(job):
            failed += 1
            output.print_error(f"{where}{job.error}", job.error.hint, place=link.place)
        elif job.error is not None:
            output.print_warning(f"{link.place}: {where}{job.error}")
        elif job.plan is not None:
            seen += 1
            who = f"{where}{link.attachment.guest} {link.interface}"
            stays += topology_output.print_report_warnings(job.report(), who)
    return seen, failed, stays


def _has_failed(job: Job) -> bool:
    """Whether something may be attached still; nothing is to a guest that is gone."""
    return job.error is not None and not job.is_guest_gone
