"""`up`, `status` and `down`: what a topology file asks for, compared with what there is."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipework_core import topology
from pipework_core.errors import GuestError, Interrupted, PipeworkError
from pipework_core.names import printable
from pipework_core.parts import Parts
from pipework_core.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.arguments import Invocation
    from pipework_core.bulk import Job
    from pipework_core.driver import RunDriver
    from pipework_core.engine import Engine
    from pipework_core.hosting import Hosting
    from pipework_core.listing import Entry
    from pipework_core.plugins import Plugins
    from pipework_core.topology import HostEntry, Link, Place

#: Exit codes: something failed; something differs.
FAILED, DIFFERS = 1, 3


class Fleet:
    """One topology on one host."""

    def __init__(  # noqa: PLR0913 - all that a run has
        self,
        invocation: Invocation,
        engine: Engine,
        driver: RunDriver,
        plugins: Plugins,
        warn: Callable[[str], None],
        *,
        hosting: Callable[[], Hosting],
    ) -> None:
        self._hosting = hosting
        self._invocation = invocation
        self._engine = engine
        self._driver = driver
        self._warn = warn
        self._plugins = plugins
        self._roster = Roster(plugins=plugins, driver=driver, warn=warn)

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

    def up(self) -> int:
        """Attach what is missing; tell what failed, and what is attached and not in the file. Return the exit code."""
        (hosts, links), invocation = self._read(), self._invocation
        parts = Parts(hosts, self._hosting)
        parts.take()
        links = () if parts.errors and invocation.atomic else links
        jobs = self._engine.attach_all(
            [link.attachment for link in links],
            atomic=invocation.atomic,
            pretend=parts.steps if invocation.dry_run else None,
            progress=_progress if sys.stderr.isatty() and not invocation.verbose else None,
        )
        for place, error in parts.errors:
            _say(place, str(error), error.hint)
        for link, job in zip(links, jobs, strict=True):
            self._complain(link, job)
        failed = [job for job in jobs if job.error is not None] or parts.errors
        if failed and invocation.atomic:
            parts.give_back()
        strangers = self._strangers(jobs) if invocation.prune or self._more_than(jobs) else []
        if invocation.json:
            from pipework_core import tables  # noqa: PLC0415 - for machines only

            unnamed = [tables.as_json(entry) for entry in strangers]
            print(json.dumps({"links": [_as_json(job) for job in jobs], "not_in_file": unnamed}, indent=2))
        elif not invocation.dry_run:
            print(_summary(jobs), file=sys.stderr)
        if invocation.prune and not failed:
            self._prune(strangers)
        elif strangers:
            self._warn(f"not in the file: {', '.join(map(_name, strangers))}; --prune detaches them")
        self._driver.finish([f"{_who(job)} is as the file says" for job in jobs if job.whole and not job.outcomes])
        if not failed and not all(job.whole for job in jobs):
            raise Interrupted
        return FAILED if failed else 0

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
            print("".join(f"{printable(line)}\n" for line in lines), end="")
        return DIFFERS if lines else 0

    def down(self) -> int:
        """Detach what the file names, the last first; return the exit code."""
        failed, seen = 0, 0
        hosts, links = self._read()
        for link in reversed(links):
            try:
                seen += self._down(link)
            except PipeworkError as error:
                failed += 1
                _say(link.place, str(error), error.hint)
        parts = Parts(hosts, self._hosting)
        parts.leave(keep=self._invocation.keep_bridge)
        for place, reason in parts.errors:
            failed += 1
            _say(place, str(reason), reason.hint)
        self._driver.finish(() if seen or failed else ("nothing of the file is attached",))
        print(f"{seen} detached" + (f", {failed} failed" if failed else ""), file=sys.stderr)
        return FAILED if failed else 0

    def _down(self, link: Link) -> int:
        try:
            guest = self._engine.guest(link.attachment.guest)
        except GuestError as error:
            self._warn(f"{link.place}: {error}")
            return 0
        if link.interface not in self._engine.attached(guest):
            return 0
        keep = self._invocation.keep_bridge
        for _, report in self._engine.detach(link.attachment.guest, link.interface, keep=keep):
            for command in report.left:
                self._warn(f"`{command}` failed, and what it removes stays.")
        return 1

    def _more_than(self, jobs: Sequence[Job]) -> bool:
        """Whether the host's ends of veth pairs tell of attachments that are none of these.

        A look into all namespaces would take as long as attaching did; other kinds of links show in `status`.
        """
        named = Counter(job.inode for job in jobs if job.scene and job.scene.attachment.kind in {"bridge", "ovs"})
        return any(count > named[inode] for inode, count in self._engine.host_ends().items())

    def _strangers(self, jobs: Sequence[Job]) -> list[Entry]:
        """Return what pipework attached to guests of this host and the file does not name."""
        from pipework_core import overview  # noqa: PLC0415 - where there are any

        named = {(job.inode, (job.scene.attachment if job.scene else job.attachment).interface) for job in jobs}
        found = overview.attachments("", driver=self._driver, plugins=self._plugins, warn=self._warn)
        return [
            entry
            for entry in found
            if _is_named(entry) and not entry.adopted and (entry.inode, entry.interface) not in named
        ]

    def _prune(self, strangers: Sequence[Entry]) -> None:
        for entry in strangers:
            if entry.guest is not None:
                guest = f"{entry.guest.runtime}:{entry.guest.name}"
                self._engine.detach(guest, entry.interface, keep=self._invocation.keep_bridge)
                print(f"{_name(entry)} detached", file=sys.stderr)

    def _complain(self, link: Link, job: Job) -> None:
        if job.error is not None:
            _say(link.place, f"{_who(job)}: {job.error}", job.error.hint)
        elif job.whole:
            for text in job.report().plan.warnings:
                self._warn(f"{_who(job)}: {text}")


def _say(place: Place, message: str, hint: str) -> None:
    print(f"pipework: error: {place}: {printable(message)}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint)}", file=sys.stderr)


def _is_named(entry: Entry) -> bool:
    """Whether the guest is one that a file could name; a mere process may be another host's guest, inside this one."""
    return entry.guest is not None and entry.guest.runtime not in {"pid", "mount"}


def _name(entry: Entry) -> str:
    guest = f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else "nobody"
    return f"{guest} {entry.interface}"


def _who(job: Job) -> str:
    asked = job.scene.attachment if job.scene else job.attachment
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
    if steps and job.scene is not None and job.scene.attachment.interface not in job.scene.inside.links:
        return [f"{_who(job)}: is missing"]
    return [f"{_who(job)}: {step.why or step}" for step in steps]


def _as_json(job: Job) -> dict[str, Any]:
    from pipework_core import leases  # noqa: PLC0415 - for machines only

    plan = job.plan
    return {
        "guest": job.attachment.guest,
        "interface": (job.scene.attachment if job.scene else job.attachment).interface or None,
        "whole": job.whole,
        "changed": job.whole and bool(job.outcomes),
        "error": str(job.error) if job.error else None,
        "hint": job.error.hint if job.error else None,
        "leases": [leases.as_json(lease) for lease in leases.obtained(plan.steps, tuple(job.outcomes))] if plan else [],
        "steps": [str(step) for step in plan.all_steps] if plan else [],
    }
