"""`pipework down`: detach all that a topology file names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.records import Record
from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.engine.gc import Collected
    from pipework_core.engine.job import Job
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.topology.report import TopologyReport

USAGE = ("down [-f FILE] [--json]",)
HELP = (("down", "detach all that the file names"),)
OPTIONS = ("file", "keep-bridge", "json", *options.CHANGING)
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
    from pipework_core.topology.apply import withdraw_topology

    with open_run(settings) as run, topology_output.explain_interruption():
        file = topology.load_topology(choose_file(request.file, detaches="down"))
        report = withdraw_topology(file, run.engine, warn=output.print_warning, keep=request.keep_bridge)
        seen, failed, stays = _print_jobs(report)
        topology_output.print_host_problems(report.host)
        failed += sum(result.error is not None for result in report.host.results)
        stays += len(report.host.not_removed)
        rest = None
        if not request.keep_bridge and any(_may_leave(job) for job in report.jobs):
            rest = run.engine.collect_rest()
            failed += output.print_rest(rest)
        run.driver.finish(() if seen or failed else ("nothing of the file is attached",))
        if settings.json:
            _print_document(report, rest, dry_run=settings.dry_run)
        counts = {"failed": failed, "left behind": stays}
        more = "".join(f", {count} {what}" for what, count in counts.items() if count)
        print(f"{seen} {'to detach' if settings.dry_run else 'detached'}{more}", file=sys.stderr)
    return 1 if failed or stays else 0


def _print_document(report: TopologyReport, rest: Collected | None, *, dry_run: bool) -> None:
    from pipework_core.cli import output, topology_output
    from pipework_core.engine import report_json

    host = report.host
    output.print_json(
        report_json.encode_withdrawal(
            topology_output.encode_hosts(host),
            report.jobs,
            rest,
            warnings=host.warnings,
            stays=host.not_removed,
            dry_run=dry_run,
        )
    )


def _print_jobs(report: TopologyReport) -> tuple[int, int, int]:
    """Print what came of each link, the last first; return how many were detached, failed, and left something."""
    from pipework_core.cli import output, topology_output

    seen = failed = stays = 0
    for link, job in reversed(list(zip(report.links, report.jobs, strict=True))):
        if job.error is not None and _has_failed(job):
            failed += 1
            output.print_error(str(job.error), job.error.hint, place=link.place)
        elif job.error is not None:
            output.print_warning(f"{link.place}: {job.error}")
        elif job.plan is not None:
            seen += 1
            stays += topology_output.print_report_warnings(job.report(), f"{link.attachment.guest} {link.interface}")
    return seen, failed, stays


def _has_failed(job: Job) -> bool:
    """Whether something may be attached still; nothing is to a guest that is gone."""
    return job.error is not None and not job.is_guest_gone


def _may_leave(job: Job) -> bool:
    """Whether something of it may be there that its interface did not tell of, or could not any more."""
    if job.plan is None:
        return not _has_failed(job)
    return bool(job.plan.losses or job.plan.warnings)
