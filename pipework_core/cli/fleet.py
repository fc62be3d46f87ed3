"""`up`, `status` and `down`: what a topology file asks for, compared with what there is."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipework_core import topology
from pipework_core.engine.roster import GuestDirectory
from pipework_core.model.errors import GuestError, Interrupted, PipeworkError
from pipework_core.model.names import escape_text
from pipework_core.topology.host_access import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.cli.parser import Invocation
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.batch import Job
    from pipework_core.engine.engine import Engine
    from pipework_core.model.driver import RunDriver
    from pipework_core.model.plan import Report
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.topology import HostEntry, Link, Place
    from pipework_core.topology.host_access import HostingMaker

#: Exit codes: something failed; something differs.
FAILED, DIFFERS = 1, 3
_INTERRUPTED = "interrupted; each attachment is whole, or not there"


class Fleet:
    """One topology on one host."""

    def __init__(  # noqa: PLR0913 - all that a run has
        self,
        invocation: Invocation,
        engine: Engine,
        driver: RunDriver,
        plugins: PluginManager,
        warn: Callable[[str], None],
        *,
        hosting: HostingMaker,
    ) -> None:
        self._hosting = hosting
        self._invocation = invocation
        self._engine = engine
        self._driver = driver
        self._warn = warn
        self._plugins = plugins
        self._roster = GuestDirectory(plugins=plugins, driver=driver, warn=warn)

    def _read(self) -> tuple[tuple[HostEntry, ...], tuple[Link, ...]]:
        """Read the file; return the host's own parts, and the links, each with the guest it means."""
        read = topology.load(self._invocation.file)
        patterns = {link.attachment.guest for link in read.links if link.is_pattern}
        links = topology.expand(read, self._roster.everybody(patterns) if patterns else ())
        explicit = self._roster.explicit({link.attachment.guest for link in links})
        return read.hosts, tuple(
            link._replace(attachment=link.attachment._replace(guest=explicit.get(name, name)))
            for link in links
            for name in (link.attachment.guest,)
        )

    def run(self) -> int:
        """Do what the command says and return the exit code; raise Interrupted, which says what holds then."""
        try:
            return {"up": self.up, "status": self.status, "down": self.down}[self._invocation.command]()
        except Interrupted:
            if self._invocation.atomic:  # all of it was undone
                raise
            raise Interrupted(_INTERRUPTED) from None

    def up(self) -> int:
        """Attach what is missing; tell what failed, and what is attached and not in the file. Return the exit code."""
        (hosts, links), invocation = self._read(), self._invocation
        parts = Parts(hosts, self._hosting)
        jobs = self._attached(links, parts)
        failed = [job for job in jobs if job.error is not None] or parts.errors
        interrupted = not failed and not all(job.whole for job in jobs)
        strangers = self._strangers(jobs) if invocation.prune or self._more_than(jobs) else []
        pruned = self._prune(strangers) if invocation.prune and not failed and not interrupted else {}
        if strangers and not pruned:
            self._warn(f"not in the file: {', '.join(map(_name, strangers))}; --prune detaches them")
        if invocation.json:
            from pipework_core.cli import output  # noqa: PLC0415 - for machines only

            unnamed = [output.as_json(entry) | {"pruned": pruned.get(entry) == ""} for entry in strangers]
            links_as_json = [_as_json(job) for job in jobs]
            print(json.dumps({"host": parts.as_json(), "links": links_as_json, "not_in_file": unnamed}, indent=2))
        elif not invocation.dry_run:
            print(_summary(jobs), file=sys.stderr)
        self._driver.finish([f"{_who(job)} is as the file says" for job in jobs if job.whole and not job.outcomes])
        if interrupted:
            print(f"pipework: {_INTERRUPTED}", file=sys.stderr)
            return Interrupted.exit_code
        return FAILED if failed or parts.stays or any(pruned.values()) else 0

    def _attached(self, links: tuple[Link, ...], parts: Parts) -> list[Job]:
        """Let the host take part, attach the guests, and tell what went wrong; with `atomic` all of it or nothing."""
        invocation = self._invocation
        try:
            parts.take()
            wanted = () if parts.errors and invocation.atomic else links
            jobs = self._engine.attach_all(
                [link.attachment for link in wanted],
                atomic=invocation.atomic,
                pretend=parts.steps if invocation.dry_run else None,
                progress=_progress if sys.stderr.isatty() and not invocation.verbose else None,
            )
        except Interrupted:
            if invocation.atomic:
                parts.give_back()
            raise
        for link, job in zip(wanted, jobs, strict=True):
            self._complain(link, job)
        whole, failed = all(job.whole for job in jobs), any(job.error for job in jobs)
        if invocation.atomic and (parts.errors or not whole):
            parts.give_back()
        if invocation.atomic and not (whole or failed or parts.errors):
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
        if self._invocation.json:
            print(json.dumps({"links": [_as_json(job) for job in jobs], "differences": lines}, indent=2))
        else:
            print("".join(f"{escape_text(line)}\n" for line in lines), end="")
        return DIFFERS if lines else 0

    def down(self) -> int:
        """Detach what the file names, the last first; return the exit code, 1 when anything stays that should go."""
        seen, failed, not_removed = 0, 0, 0
        hosts, links = self._read()
        for link in reversed(links):
            try:
                reports = self._down(link)
            except PipeworkError as error:
                failed += 1
                _say(link.place, str(error), error.hint)
                continue
            seen += bool(reports)
            not_removed += sum(self._stays(report, f"{link.attachment.guest} {link.interface}") for report in reports)
        parts = Parts(hosts, self._hosting)
        parts.leave(keep=self._invocation.keep_bridge)
        self._complain_of(parts)
        failed, not_removed = failed + len(parts.errors), not_removed + len(parts.stays)
        self._driver.finish(() if seen or failed else ("nothing of the file is attached",))
        counts = {"failed": failed, "left behind": not_removed}
        told = "".join(f", {count} {what}" for what, count in counts.items() if count)
        print(f"{seen} detached{told}", file=sys.stderr)
        return FAILED if failed or not_removed else 0

    def _down(self, link: Link) -> list[Report]:
        try:
            guest = self._engine.guest(link.attachment.guest)
        except GuestError as error:
            self._warn(f"{link.place}: {error}")
            return []
        if link.interface not in self._engine.attached(guest):
            return []
        keep = self._invocation.keep_bridge
        return [report for _, report in self._engine.detach(link.attachment.guest, link.interface, keep=keep)]

    def _stays(self, report: Report, who: str) -> int:
        """Warn of what a detachment says; return how much stays that should have gone."""
        for text in (*report.warnings, *report.not_removed):
            self._warn(f"{who}: {text}")
        return len(report.not_removed)

    def _more_than(self, jobs: Sequence[Job]) -> bool:
        """Whether the host's ends of veth pairs tell of attachments that are none of these.

        A look into all namespaces would take as long as attaching did; other kinds of links show in `status`.
        """
        named = Counter(job.inode for job in jobs if job.context and job.context.attachment.kind in {"bridge", "ovs"})
        return any(count > named[inode] for inode, count in self._engine.host_ends(jobs).items())

    def _strangers(self, jobs: Sequence[Job]) -> list[AttachmentStatus]:
        """Return what pipework attached to guests of this host and the file does not name."""
        from pipework_core.cli import overview  # noqa: PLC0415 - where there are any

        named = {(job.inode, (job.context.attachment if job.context else job.attachment).interface) for job in jobs}
        found = overview.attachments("", driver=self._driver, plugins=self._plugins, warn=self._warn)
        return [
            entry
            for entry in found
            if _is_named(entry) and not entry.adopted and (entry.inode, entry.interface) not in named
        ]

    def _prune(self, strangers: Sequence[AttachmentStatus]) -> dict[AttachmentStatus, str]:
        """Detach them, each for itself; return for each what went wrong, which is nothing where it is gone."""
        wrong: dict[AttachmentStatus, str] = {}
        for entry in strangers:
            guest = f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else ""
            try:
                done = self._engine.detach(guest, entry.interface, keep=self._invocation.keep_bridge)
            except PipeworkError as error:
                wrong[entry] = str(error)
                _say(_name(entry), f"stays: {error}", error.hint)
                continue
            not_removed = sum(self._stays(report, _name(entry)) for _, report in done)
            wrong[entry] = "something of it stays" if not_removed else ""
            if not self._invocation.dry_run:
                print(f"{_name(entry)} detached", file=sys.stderr)
        return wrong

    def _complain(self, link: Link, job: Job) -> None:
        if job.error is not None:
            _say(link.place, f"{_who(job)}: {job.error}", job.error.hint)
        elif job.whole:
            for text in job.report().warnings:
                self._warn(f"{_who(job)}: {text}")

    def _complain_of(self, parts: Parts) -> None:
        for entry, error in parts.errors.items():
            _say(entry.place, str(error), error.hint)
        for text in (*parts.warnings, *parts.stays):
            self._warn(text)


def _say(what: Place | str, message: str, hint: str) -> None:
    print(f"pipework: error: {what}: {escape_text(message)}", file=sys.stderr)
    if hint:
        print(f"hint: {escape_text(hint)}", file=sys.stderr)


def _is_named(entry: AttachmentStatus) -> bool:
    """Whether the guest is one that a file could name; a mere process may be another host's guest, inside this one."""
    return entry.guest is not None and entry.guest.runtime not in {"pid", "mount"}


def _name(entry: AttachmentStatus) -> str:
    guest = f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else "nobody"
    return f"{guest} {entry.interface}"


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


def _as_json(job: Job) -> dict[str, Any]:
    from pipework_core.model import lease as leases  # noqa: PLC0415 - for machines only

    plan = job.plan
    return {
        "guest": job.attachment.guest,
        "interface": (job.context.attachment if job.context else job.attachment).interface or None,
        "whole": job.whole,
        "changed": job.whole and bool(job.outcomes),
        "error": str(job.error) if job.error else None,
        "hint": job.error.hint if job.error else None,
        "warnings": list(job.report().warnings) if job.whole else [],
        "leases": [leases.as_json(lease) for lease in leases.find_leases(plan.steps, tuple(job.outcomes))]
        if plan
        else [],
        "steps": [str(step) for step in plan.all_steps] if plan else [],
    }
