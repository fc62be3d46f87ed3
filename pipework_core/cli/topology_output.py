"""What `up` and `down` print of a topology's report, on stderr."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipework_core.cli import output
from pipework_core.model.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipework_core.engine.job import Job
    from pipework_core.model.plan import Report
    from pipework_core.topology.report import HostReport

#: What holds after a signal.
INTERRUPTED = "interrupted; each attachment is whole, or not there"


@contextmanager
def explain_interruption() -> Iterator[None]:
    """Let an interruption of the block say what holds after it."""
    try:
        yield
    except Interrupted:
        raise Interrupted(INTERRUPTED) from None


def print_host_problems(host: HostReport, where: str = "") -> None:
    """Print what went wrong with the host's own entries; `where` begins each sentence."""
    for result in host.results:
        if result.error is not None:
            output.print_error(f"{where}{result.error}", result.error.hint, place=result.entry.place)
    output.print_warnings(f"{where}{text}" for text in (*host.warnings, *host.not_removed))


def encode_hosts(host: HostReport, machine: str = "") -> list[dict[str, Any]]:
    """Return the host's own entries for machines."""
    from pipework_core.engine import report_json

    return [
        report_json.encode_host_entry(
            result.entry.host, result.report, result.error, changed=result.changed, machine=machine
        )
        for result in host.results
    ]


def print_report_warnings(report: Report, who: str) -> int:
    """Print what a detachment warns of; return how much was not removed that should have gone."""
    output.print_warnings(f"{who}: {text}" for text in (*report.warnings, *report.not_removed))
    return len(report.not_removed)


def summarize_jobs(jobs: Sequence[Job]) -> str:
    """Return how many links were attached, were as they are, failed, were undone, or were not begun."""
    done = sum(job.whole and bool(job.outcomes) for job in jobs)
    same = sum(job.whole and not job.outcomes for job in jobs)
    failed = sum(job.error is not None for job in jobs)
    undone = sum(job.begun and not job.whole and job.error is None for job in jobs)
    rest = len(jobs) - done - same - failed - undone
    counts = {"attached": done, "unchanged": same, "failed": failed, "undone": undone, "not begun": rest}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "the file names no guest"
