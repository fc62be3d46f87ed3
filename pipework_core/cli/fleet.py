"""`up`, `status` and `down`: what a topology file asks for, compared with what there is."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from pipework_core import topology
from pipework_core.cli import output
from pipework_core.engine import report_json
from pipework_core.engine.roster import GuestDirectory
from pipework_core.engine.signals import Signals
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import GuestError, Interrupted
from pipework_core.model.names import escape_text
from pipework_core.topology.host_access import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.cli.run import Run
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.host_access import Hosting
    from pipework_core.engine.job import Job
    from pipework_core.model.plan import Report
    from pipework_core.topology import HostEntry, Link

#: Exit codes: something failed; something differs.
FAILED, DIFFERS = 1, 3
_INTERRUPTED = "interrupted; each attachment is whole, or not there"


class Fleet:
    """One topology on one host."""

    def __init__(  # noqa: PLR0913 - all that a run has
        self,
        run: Run,
        settings: Settings,
        file: str,
        *,
        atomic: bool = False,
        prune: bool = False,
        keep_bridge: bool = False,
    ) -> None:
        self._run = run
        self._settings = settings
        self._file = file
        self._atomic = atomic
        self._prune_wanted = prune
        self._keep_bridge = keep_bridge
        self._engine = run.engine
        self._driver = run.driver
        self._warn = output.print_warning
        self._plugins = run.plugins
        self._roster = GuestDirectory(plugins=run.plugins, driver=run.driver, warn=output.print_warning)

    def _hosting(self, *, hears: bool = True) -> Hosting:
        from pipework_core.engine.host_access import Hosting

        signals = self._run.signals if hears else Signals()
        return Hosting(plugins=self._plugins, driver=self._driver, signals=signals, dry_run=self._settings.dry_run)

    def _read(self) -> tuple[tuple[HostEntry, ...], tuple[Link, ...]]:
        """Read the file; return the host's own parts, and the links, each with the guest it means."""
        read = topology.load_topology(self._file)
        patterns = {link.attachment.guest for link in read.links if link.is_pattern}
        links = topology.expand_topology(read, self._roster.everybody(patterns) if patterns else ())
        explicit = self._roster.explicit({link.attachment.guest for link in links})
        return read.hosts, tuple(
            link._replace(attachment=link.attachment._replace(guest=explicit.get(name, name)))
            for link in links
            for name in (link.attachment.guest,)
        )

    def run(self, action: Callable[[], int]) -> int:
        """Do one of the three and return the exit code; raise Interrupted, which says what holds then."""
        try:
            return action()
        except Interrupted:
            if self._atomic:  # all of it was undone
                raise
            raise Interrupted(_INTERRUPTED) from None

    def up(self) -> int:
        """Attach what is missing; tell what failed, and what is attached and not in the file. Return the exit code."""
        (hosts, links), settings = self._read(), self._settings
        parts = Parts(hosts, self._hosting)
        jobs = self._attached(links, parts)
        failed = [job for job in jobs if job.error is not None] or parts.errors
        interrupted = not failed and not all(job.whole for job in jobs)
        strangers = self._strangers(jobs) if self._prune_wanted or self._more_than(jobs) else []
        pruned = self._prune(strangers) if self._prune_wanted and not failed and not interrupted else {}
        if strangers and not pruned:
            self._warn(f"not in the file: {', '.join(map(_name, strangers))}; --prune detaches them")
        if settings.json:
            unnamed = [report_json.encode_status(entry) | {"pruned": pruned.get(entry) == ""} for entry in strangers]
            links_as_json = [report_json.encode_job(job) for job in jobs]
            output.print_json({"host": parts.as_json(), "links": links_as_json, "not_in_file": unnamed})
        elif not settings.dry_run:
            print(_summary(jobs), file=sys.stderr)
        self._driver.finish([f"{_who(job)} is as the file says" for job in jobs if job.whole and not job.outcomes])
        if interrupted:
            output.print_message(_INTERRUPTED)
            return Interrupted.exit_code
        return FAILED if failed or parts.stays or any(pruned.values()) else 0

    def _attached(self, links: tuple[Link, ...], parts: Parts) -> list[Job]:
        """Let the host take part, attach the guests, and tell what went wrong; with `atomic` all of it or nothing."""
        settings = self._settings
        try:
            parts.take()
            wanted = () if parts.errors and self._atomic else links
            jobs = self._engine.attach_all(
                [link.attachment for link in wanted],
                atomic=self._atomic,
                before=parts.steps,
                progress=_progress if sys.stderr.isatty() and not settings.verbose else None,
            )
        except Interrupted:
            if self._atomic:
                parts.give_back()
            raise
        for link, job in zip(wanted, jobs, strict=True):
            self._complain(link, job)
        whole, failed = all(job.whole for job in jobs), any(job.error for job in jobs)
        if self._atomic and (parts.errors or not whole):
            parts.give_back()
        if self._atomic and not (whole or failed or parts.errors):
            raise Interrupted
        self._complain_of(parts)
        return jobs

    def status(self) -> int:
        """Tell what differs from the file, line by line; return the exit code."""
        hosts, links = self._read()
        jobs = self._engine.compare([link.attachment for link in links])
        self._driver.finish(())
        lines = Parts(hosts, self._hosting).differences()
        lines += [line for job in jobs for line in _differences(job)]
        lines += [f"{_name(entry)}: is attached, and not in the file" for entry in self._strangers(jobs)]
        if self._settings.json:
            output.print_json({"links": [report_json.encode_job(job) for job in jobs], "differences": lines})
        else:
            print("".join(f"{escape_text(line)}\n" for line in lines), end="")
        return DIFFERS if lines else 0

    def down(self) -> int:
        """Detach what the file names, the last first; return the exit code, 1 when anything stays that should go."""
        seen, failed, not_removed = 0, 0, 0
        hosts, links = self._read()
        wanted = [link.attachment._replace(interface=link.interface) for link in links]
        jobs = self._engine.detach_all(wanted, keep=self._keep_bridge)
        for link, job in reversed(list(zip(links, jobs, strict=True))):
            if job.guest is None and isinstance(job.error, GuestError):
                self._warn(f"{link.place}: {job.error}")
            elif job.error is not None:
                failed += 1
                output.print_error(str(job.error), job.error.hint, place=link.place)
            elif job.plan is not None:
                seen += 1
                not_removed += self._stays(job.report(), f"{link.attachment.guest} {link.interface}")
        parts = Parts(hosts, self._hosting)
        parts.leave(keep=self._keep_bridge)
        self._complain_of(parts)
        failed, not_removed = failed + len(parts.errors), not_removed + len(parts.stays)
        self._driver.finish(() if seen or failed else ("nothing of the file is attached",))
        counts = {"failed": failed, "left behind": not_removed}
        told = "".join(f", {count} {what}" for what, count in counts.items() if count)
        print(f"{seen} detached{told}", file=sys.stderr)
        return FAILED if failed or not_removed else 0

    def _stays(self, report: Report, who: str) -> int:
        """Warn of what a detachment says; return how much stays that should have gone."""
        for text in (*report.warnings, *report.not_removed):
            self._warn(f"{who}: {text}")
        return len(report.not_removed)

    def _more_than(self, jobs: Sequence[Job]) -> bool:
        """Whether the host's ends of veth pairs tell of attachments that are none of these.

        A look into all namespaces would take as long as attaching did; other kinds of links show in `status`.
        """
        named = Counter(job.inode for job in jobs if self._engine.has_host_end(job))
        return any(count > named[inode] for inode, count in self._engine.count_host_ends(jobs).items())

    def _strangers(self, jobs: Sequence[Job]) -> list[AttachmentStatus]:
        """Return what pipework attached to guests of this host and the file does not name."""
        named = {(job.inode, (job.context.attachment if job.context else job.attachment).interface) for job in jobs}
        found = self._engine.list_attachments()
        output.print_warnings(found.warnings)
        return [
            entry
            for entry in found.attachments
            if _is_named(entry) and not entry.adopted and (entry.inode, entry.interface) not in named
        ]

    def _prune(self, strangers: Sequence[AttachmentStatus]) -> dict[AttachmentStatus, str]:
        """Detach them, each for itself; return for each what went wrong, which is nothing where it is gone."""
        wrong: dict[AttachmentStatus, str] = {}
        wanted = [Attachment(guest=_guest_of(entry), host="", interface=entry.interface) for entry in strangers]
        jobs = self._engine.detach_all(wanted[::-1], keep=self._keep_bridge)[::-1]
        for entry, job in zip(strangers, jobs, strict=True):
            if job.error is not None:
                wrong[entry] = str(job.error)
                output.print_error(f"stays: {job.error}", job.error.hint, place=_name(entry))
                continue
            not_removed = self._stays(job.report(), _name(entry)) if job.plan is not None else 0
            wrong[entry] = "something of it stays" if not_removed else ""
            if not self._settings.dry_run:
                print(f"{_name(entry)} detached", file=sys.stderr)
        return wrong

    def _complain(self, link: Link, job: Job) -> None:
        if job.error is not None:
            output.print_error(f"{_who(job)}: {job.error}", job.error.hint, place=link.place)
        elif job.whole:
            for text in job.report().warnings:
                self._warn(f"{_who(job)}: {text}")

    def _complain_of(self, parts: Parts) -> None:
        for entry, error in parts.errors.items():
            output.print_error(str(error), error.hint, place=entry.place)
        for text in (*parts.warnings, *parts.stays):
            self._warn(text)


def _is_named(entry: AttachmentStatus) -> bool:
    """Whether the guest is one that a file could name; a mere process may be another host's guest, inside this one."""
    return entry.guest is not None and entry.guest.runtime not in {"pid", "mount"}


def _guest_of(entry: AttachmentStatus) -> str:
    return f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else ""


def _name(entry: AttachmentStatus) -> str:
    return f"{_guest_of(entry) or 'nobody'} {entry.interface}"


def _who(job: Job) -> str:
    asked = job.context.attachment if job.context else job.attachment
    return f"{asked.guest} {asked.interface or 'eth1'}"


def _summary(jobs: Sequence[Job]) -> str:
    done = sum(job.whole and bool(job.outcomes) for job in jobs)
    same = sum(job.whole and not job.outcomes for job in jobs)
    failed = sum(job.error is not None for job in jobs)
    undone = len(jobs) - done - same - failed
    counts = {"attached": done, "as they were": same, "failed": failed, "undone": undone}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "the file names no guest"


def _progress(done: int, of: int) -> None:
    end = "\n" if done == of else "\r"
    print(f"{done} of {of}", end=end, file=sys.stderr, flush=True)


def _differences(job: Job) -> list[str]:
    if job.error is not None:
        return [f"{_who(job)}: {job.error}"]
    steps = job.plan.all_steps if job.plan else ()
    if steps and job.context is not None and job.context.attachment.interface not in job.context.guest_state.links:
        return [f"{_who(job)}: is missing"]
    return [f"{_who(job)}: {step.reason or step}" for step in steps]
