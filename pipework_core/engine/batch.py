"""Many attachments at once: each all or nothing, in as few processes as for one.

The plans do not depend on each other, so their steps are carried out in rounds: the first stretch of every plan on the
host goes into one batch, the stretches in guests run side by side, then the next stretch of each. Where nothing tells
that a guest's interface exists, it is taken not to exist, which spares reading the guest: the kernel refuses to make
what exists, and whoever was refused so is planned again with all the facts.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pipework_core.engine import transaction
from pipework_core.engine.planner import IPV6
from pipework_core.model import ownership
from pipework_core.model.driver import has_succeeded
from pipework_core.model.errors import CommandError, Interrupted, PipeworkError, UndoError
from pipework_core.model.link import GuestState, HostState
from pipework_core.model.plan import HOST
from pipework_core.state import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.engine.job import Job
    from pipework_core.engine.planner import Planner
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.driver import Driver, Lock
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.plugins.manager import PluginManager

#: What makes one stretch of a plan: where its commands run and whether they take their time.
_Stretch = tuple["Command", ...]


class Batch:
    """Carries many attachments out. `stop` says that a signal has come; observers are told through `plugins`."""

    def __init__(
        self,
        *,
        planner: Planner,
        driver: Driver,
        hold: Lock,
        stop: Callable[[], bool],
        plugins: PluginManager,
    ) -> None:
        self._planner = planner
        self._driver = driver
        self._hold = hold
        self._stop = stop
        self._plugins = plugins

    def preview(self, jobs: Sequence[Job], before: Iterable[Command]) -> frozenset[str]:
        """Do as `run` does with a driver that changes nothing: what is made for the first is not made for the next.

        `before` was done, or would have been, in front of all of them.
        """
        self.prepare(jobs, assume=False)
        made = set(before)
        for job in jobs:
            if job.plan is not None:
                new = tuple(step for step in job.plan.steps if step not in made)
                made |= {step for step in new if step.netns is None}
                job.plan = job.plan._replace(steps=new)
        self._carry_out(jobs)
        return frozenset()

    def run(self, jobs: Sequence[Job], progress: Callable[[int, int], None] | None = None) -> frozenset[str]:
        """Make all of them hold that can; see each job for how it went. The guests are pinned, the lock is held.

        Return the names of the host that were made with them: nobody there has heard of anything yet.

        What several need and none has (a bridge, a VLAN) is made with the first that needs it. Of one guest there is
        one at a time, since the default route that one replaces may be another's.
        """
        before: HostState | None = None
        for wave in _waves(jobs):
            host = self._planner.host()
            before = before or host
            first = _pioneers(wave, host)
            self._attempt(first, host)
            self._show(jobs, progress)
            self._attempt([job for job in wave if job not in first], None if first else host)
            self._show(jobs, progress)
        made = {job.attachment.host for job in jobs if before and job.attachment.host not in before.links}
        return frozenset(made - {""})

    def _show(self, jobs: Sequence[Job], progress: Callable[[int, int], None] | None) -> None:
        if progress is not None:
            progress(sum(job.whole for job in jobs), len(jobs))

    def undo_all(self, jobs: Sequence[Job]) -> None:
        """Undo all that was done, the newest first."""
        for job in reversed(jobs):
            if job.outcomes:
                self.undo(job)

    def _attempt(self, jobs: Sequence[Job], host: HostState | None) -> None:
        if not jobs or self._stop():
            return
        self.prepare(jobs, assume=True, host=host)
        self._carry_out(jobs)
        refused = [job for job in jobs if _is_refused(job)]
        if refused and not self._stop():
            self.prepare(refused, assume=False)
            self._carry_out(refused)

    def prepare(self, jobs: Sequence[Job], *, assume: bool, host: HostState | None = None) -> None:
        """Plan them; one that cannot be planned has its error. With `assume`, guests are looked into only at need.

        `host` is what the host has, where nothing was changed since somebody looked.
        """
        host = host or self._planner.host()
        ours = {tag.netns for link in host.links.values() if (tag := ownership.read_tag(link)) and tag.netns}
        for job in jobs:
            job.assumed = assume and _needs_links_alone(job.attachment) and str(job.inode) not in ours
        known: dict[Command, Outcome] = {}
        for job in jobs:
            if job.assumed:
                self._prepare(job, host, GuestState(), known)
        unknown = self._changed([job for job in jobs if not job.assumed], host, known)
        seen = self._look_into(unknown)
        for job in unknown:
            self._prepare(job, host, seen.get(job.inode, GuestState()), known)

    def _changed(self, jobs: Sequence[Job], host: HostState, known: dict[Command, Outcome]) -> list[Job]:
        """Return those jobs of which a glance into the guest does not tell that nothing is to be done."""
        likely = [job for job in jobs if job.guest is not None and _needs_links_alone(job.attachment)]
        spaces = [job.guest.netns for job in likely if job.guest is not None]
        for job, links in zip(likely, self._driver.peek_links(spaces), strict=True):
            if links is not None:
                self._prepare(job, host, GuestState(links=links), known)
        return [job for job in jobs if not _is_settled(job)]

    def _look_into(self, jobs: Iterable[Job]) -> dict[int, GuestState]:
        guests = {job.inode: job.guest for job in jobs if job.guest}
        six = {job.inode for job in jobs if IPV6 in job.attachment.families}
        queries = {f"guest {inode}": facts.guest_query(guest.netns) for inode, guest in guests.items()}
        queries |= {f"ipv6 {inode}": facts.ipv6_query(guests[inode].netns) for inode in six}
        answers = self._planner.read(queries)
        found = {inode: facts.parse_guest(answers[f"guest {inode}"].stdout) for inode in guests}
        for inode in six:
            found[inode] = found[inode]._replace(ipv6_off=answers[f"ipv6 {inode}"].stdout.strip() == "1")
        return found

    def _prepare(self, job: Job, host: HostState, guest_state: GuestState, known: dict[Command, Outcome]) -> None:
        guest = job.guest
        if guest is None:
            return
        job.error, job.outcomes, job.plan = None, [], None
        try:
            job.context, backend = self._planner.context(job.attachment, guest, host, guest_state, known)
            job.plan = self._planner.plan(job.context, backend)
        except PipeworkError as error:
            job.error = error

    def _carry_out(self, jobs: Sequence[Job]) -> None:
        """Carry the plans out; undo those that fail, or that a signal keeps from becoming whole."""
        self._driver.pin(HOST)
        ready = [job for job in jobs if job.error is None]
        for job in ready:
            job.begun = True
            if job.context is not None and job.plan is not None:
                self._plugins.fire_plan_ready(job.context, job.plan)
        todo = {id(job): _stretches(job.steps) for job in ready}
        while any(todo.values()) and not self._stop():
            heads = [(job, todo[id(job)].pop(0)) for job in jobs if todo.get(id(job))]
            try:
                self._round(heads)
            except PipeworkError as error:  # such as a program that is missing: these jobs cannot go on
                for job, _ in heads:
                    job.error = job.error or error
            for job in jobs:
                if job.error is not None:
                    todo.pop(id(job), None)
        for job in reversed(jobs):
            if not job.whole and job.outcomes:
                self.undo(job)

    def undo(self, job: Job) -> None:
        """Undo what was done of a job; what cannot be undone becomes its error."""
        done = transaction.undoable(job.steps, job.outcomes)
        left = transaction.undo(done, self._driver, contended=self._hold.contended)
        job.outcomes = []
        if left:
            job.error = UndoError(job.error or Interrupted(), left)

    def _round(self, heads: Sequence[tuple[Job, _Stretch]]) -> None:
        """Carry out one stretch of each: on the host in order, in guests side by side, what takes its time last."""
        patient = [(job, stretch) for job, stretch in heads if stretch[0].timeout]
        host = [(job, stretch) for job, stretch in heads if not stretch[0].timeout and stretch[0].netns is None]
        guest_state = [
            (job, stretch) for job, stretch in heads if not stretch[0].timeout and stretch[0].netns is not None
        ]
        for members in _same_program(host):
            self._in_order(members)
        self._side_by_side(guest_state)
        if patient and not self._stop():
            with self._hold.yielded():
                self._side_by_side(patient)

    def _in_order(self, members: Sequence[tuple[Job, _Stretch]]) -> None:
        """Carry stretches out as one; behind one that fails, go on with the other jobs."""
        todo = [(job, command) for job, stretch in members for command in stretch]
        while todo and not self._stop():
            outcomes = self._driver.apply([[command for _, command in todo]], stop=self._stop)[0]
            for (job, command), outcome in zip(todo, outcomes, strict=False):
                self._note(job, command, outcome)
            if not outcomes:
                return
            todo = [(job, command) for job, command in todo[len(outcomes) :] if job.error is None]

    def _side_by_side(self, members: Sequence[tuple[Job, _Stretch]]) -> None:
        if not members:
            return
        found = self._driver.apply([stretch for _, stretch in members], stop=self._stop)
        for (job, stretch), outcomes in zip(members, found, strict=True):
            for command, outcome in zip(stretch, outcomes, strict=False):
                self._note(job, command, outcome)

    def _note(self, job: Job, command: Command, outcome: Outcome) -> None:
        job.outcomes.append(outcome)
        self._plugins.fire_step_done(command, outcome, job.context)
        if not has_succeeded(command, outcome):
            job.error = CommandError(command, outcome)


def _is_refused(job: Job) -> bool:
    """Whether the kernel had what was taken not to be there."""
    return job.assumed and isinstance(job.error, CommandError) and "File exists" in job.error.outcome.stderr


def _waves(jobs: Iterable[Job]) -> list[list[Job]]:
    """Part the jobs so that each part has one of each guest at most, in order."""
    waves: list[list[Job]] = []
    count: dict[int, int] = {}
    for job in jobs:
        number = count[job.inode] = count.get(job.inode, -1) + 1
        waves[number:] = waves[number:] or [[]]
        waves[number].append(job)
    return waves


def _pioneers(jobs: Sequence[Job], host: HostState) -> list[Job]:
    """Return the first job of each host interface, or VLAN of one, that may have to be made."""
    first: dict[tuple[str, str], Job] = {}
    for job in jobs:
        attachment = job.attachment
        if attachment.vlan or attachment.host not in host.links:
            first.setdefault((attachment.where, attachment.vlan), job)
    return list(first.values())


def _is_settled(job: Job) -> bool:
    """Whether all is there, as a link whose kind has nothing to it that a glance leaves out."""
    there = job.context and job.context.guest_state.links.get(job.context.attachment.interface)
    return bool(there and there.kind == "veth" and job.plan and not job.plan.all_steps)


def _needs_links_alone(attachment: Attachment) -> bool:
    """Whether a plan depends on no more of the guest than its links: not on routes, IPv6 settings or leases."""
    return not (attachment.gateways or attachment.dhcp or attachment.auto or attachment.probe) and (
        IPV6 not in attachment.families
    )


def _stretches(steps: Sequence[Command]) -> list[_Stretch]:
    """Split steps where the namespace or the program changes, around each that takes its time, and before questions.

    What the plans ask of one switch can so become one process, behind the one that makes all of its ports.
    """
    return [tuple(members) for _, members in groupby(steps, key=_kind_of_stretch)]


def _kind_of_stretch(step: Command) -> tuple[object, ...]:
    return step.netns, step.argv[0], step.timeout and id(step), step.expect is not None


def _same_program(heads: Sequence[tuple[Job, _Stretch]]) -> list[list[tuple[Job, _Stretch]]]:
    """Group stretches by their program, so that one process can take all of a group."""
    groups: dict[str, list[tuple[Job, _Stretch]]] = {}
    for job, stretch in heads:
        groups.setdefault(stretch[0].argv[0], []).append((job, stretch))
    return list(groups.values())
