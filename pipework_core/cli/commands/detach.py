"""`pipework detach GUEST`: undo an attachment, or with `--all` every one of a guest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.model.errors import NoGuestError, UsageError
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.spec import classic, grammar, options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.engine.job import Job
    from pipework_core.spec.options import ParsedArgs

USAGE = ("detach GUEST [-i IF | --all] [--keep-bridge]",)
HELP = (
    (
        "detach GUEST",
        "undo an attachment: the earlier default route, the NIC's name and state, and what nobody uses any more",
    ),
)
OPTIONS = ("interface", "all", "keep-bridge", "json", *options.CHANGING, *options.REACHING)
EXAMPLES = (
    ("detach web1", "the only attachment of web1"),
    ("detach web1 -i eth2", "one of several"),
    ("detach web1 --all", "all of web1"),
)


class DetachRequest(Record):
    """Which attachment of a guest is to go: that of `interface`, the only one when that is empty, or all."""

    guest: str
    interface: str = ""
    everything: bool = False
    keep_bridge: bool = False


def parse_request(args: ParsedArgs) -> DetachRequest:
    """Return the guest and which of its attachments the words name."""
    if len(args.operands) != 1:
        found = (
            f"detach takes one guest, and {' '.join(args.operands)} are several"
            if args.operands
            else "detach needs a guest"
        )
        raise UsageError(f"{found}.", hint="write for instance pipework detach web1 -i eth1")
    everything, interface = args.has("all"), classic.parse_name(args, "interface", "guest interface")
    if everything and interface:
        raise UsageError("-i and --all contradict each other.", hint="leave one of them out")
    return DetachRequest(
        guest=grammar.parse_guest(args.operands[0]),
        interface=interface,
        everything=everything,
        keep_bridge=args.has("keep-bridge"),
    )


def run(request: DetachRequest, settings: Settings) -> int:
    """Detach, and return 1 when something stays that should have gone."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        guest, interface, everything, keep = request
        notes: tuple[str, ...] = ()
        try:
            jobs = run.engine.detach(guest, interface, everything=everything, keep=keep, last=True)
        except NoGuestError as error:  # its attachments are gone with it
            from pipework_core.cli import corrections

            meant = "" if settings.driver or settings.replay else corrections.guess_guest(guest)
            jobs, notes = [], (f"{error} Nothing of it is attached{f'; {meant}' if meant else '.'}",)
        if not jobs and interface and not notes:
            others = ", ".join(status.interface for status in run.engine.list_attachments(guest)[0])
            notes = (f"{guest} has no interface {interface!r}; attached is {others or 'none'}.",)
        for note in notes:
            output.print_warning(note)
        notes = notes or (() if jobs else (f"nothing is attached to {guest}",))
        unsure = any(job.plan is not None and (job.plan.losses or job.plan.warnings) for job in jobs)
        rest = run.engine.collect_rest() if (unsure or not jobs) and not keep else None
        run.driver.finish(notes)
        code = _print_jobs(jobs, notes, settings)
        return 1 if (rest and output.print_rest(rest)) or code else 0


def _print_jobs(jobs: list[Job], notes: tuple[str, ...], settings: Settings) -> int:
    from pipework_core.cli import output

    reports = [job.report() for job in jobs if job.error is None]
    not_removed = [text for report in reports for text in report.not_removed]
    output.print_warnings(text for report in reports for text in report.warnings)
    output.print_warnings(not_removed)
    failed = [(job.attachment.interface, job.error) for job in jobs if job.error is not None]
    for interface, error in failed:
        output.print_error(f"{interface} stays: {error}", error.hint)
    if settings.json:
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_detached(jobs, notes, dry_run=settings.dry_run))
    elif settings.verbose:
        for note in notes:
            print(f"# {escape_text(note)}", file=sys.stderr)
    return 1 if not_removed or failed else 0
