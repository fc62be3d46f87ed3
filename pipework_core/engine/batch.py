"""Many attachments at once: each all or nothing, in as few processes as for one.

The plans do not depend on each other, so their steps are carried out in rounds: the first stretch of every plan on the
host goes into one batch, the stretches in guests run side by side, then the next stretch of each. Where nothing tells
that a guest's interface exists, it is taken not to exist, which spares reading the guest: the kernel refuses to make
what exists, and whoever was refused so is planned again with all the facts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipework_core.engine.executor import already_exists
from pipework_core.engine.job import split_by_guest
from pipework_core.engine.planner import IPV6, Departures
from pipework_core.model import ownership
from pipework_core.model.context import Peer
from pipework_core.model.errors import CommandError, ConflictError, HostError, PipeworkError
from pipework_core.model.link import GuestState
from pipework_core.state import facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.engine.executor import Executor
    from pipework_core.engine.job import Job
    from pipework_core.engine.planner import Planner, Survey
    from pipework_core.engine.signals import Signals
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import HostState
    from pipework_core.model.plan import Command, Outcome, Report

#: How often an attachment is planned because somebody else was quicker to create what it wanted to create.
_ATTEMPTS = 3
#: Seconds that the kernel has for taking the network namespaces of guests apart that nothing keeps any more, and
#: between two looks.
_TAKING_APART, _PAUSE = 3.0, 0.1


class Batch:
    """Makes attachments. The guests are pinned, the host's lock is held.

    With `atomic`, one that could not be undone once it is made fails. `end_stale` ends what of ours runs on for guests
    that are gone, and says whether there was anything.
    """

    def __init__(  # noqa: PLR0913 - the parts of an engine
        self,
        *,
        planner: Planner,
        executor: Executor,
        driver: Driver,
        signals: Signals,
        atomic: bool = False,
        end_stale: Callable[[], bool] = lambda: False,
    ) -> None:
        self._planner = planner
        self._executor = executor
        self._driver = driver
        self._signals = signals
        self._atomic = atomic
        self._end_stale = end_stale

    def run_one(self, job: Job) -> Report:
        """Make one attachment, or change nothing; raise its error, or Interrupted."""
        self._attach([job], None, assume=False, last=True)
        with self._signals.deferred(last=True):
            return self._executor.finish(job)

    def preview(self, jobs: Sequence[Job], before: Iterable[Command]) -> frozenset[str]:
        """Do as `run` does with a driver that changes nothing: what is made for the first is not made for the next.

        `before` was done, or would have been, before all of them.
        """
        self.prepare(jobs, assume=False)
        made = set(before)
        for job in jobs:
            if job.plan is not None:
                new = tuple(step for step in job.plan.steps if step not in made)
                made |= {step for step in new if step.netns is None}
                job.plan = job.plan._replace(steps=new)
        self._executor.carry_out(jobs)
        self._executor.clean_up(jobs)
        return frozenset()

    def run(self, jobs: Sequence[Job], progress: Callable[[int, int], None] | None = None) -> frozenset[str]:
        """Make all of them that can be made; see each job for how it went.

        Return the names of the host that were made with them: nobody there has heard of anything yet.

        What several need and none has (a bridge, a VLAN) is made with the first that needs it. Of one guest there is
        one at a time, since the default route that one replaces may be another's.
        """
        before: HostState | None = None
        for members in split_by_guest(jobs):
            host = self._planner.host(_choose_query(members))
            before = before or host
            missing = [job for job in members if self._is_missing(job, host)]
            first = _find_first_users(missing, lambda attachment: attachment.where)
            others = [job for job in members if job not in first and job.attachment.vlan]
            second = _find_first_users(others, lambda attachment: (attachment.where, attachment.vlan))
            fresh: HostState | None = host
            for part in (first, second, [job for job in members if not job.is_first_user]):
                self._attach(part, fresh)
                _report_progress(jobs, progress)
                fresh = None if part else fresh
        self._executor.clean_up_anew(jobs, self._planner)
        made = {job.attachment.host for job in jobs if before and self._is_missing(job, before)}
        return frozenset(made - {""})

    def _is_missing(self, job: Job, host: HostState) -> bool:
        """Whether the host lacks the interface that the job names; one that is elsewhere is nobody's to make first."""
        return job.attachment.host not in host.links and not self._planner.is_elsewhere(job.attachment)

    def undo_all(self, jobs: Sequence[Job]) -> None:
        """Undo all that was done, the newest first."""
        self._executor.undo(jobs)

    def _attach(self, jobs: Sequence[Job], host: HostState | None, *, assume: bool = True, last: bool = False) -> None:
        """Plan and carry out; where that fails while guests that are gone still hold what they had, once these let go.

        The network of a guest that was restarted stays as long as an announcer or a DHCP client of ours is in it.
        """
        self._attempt(jobs, host, assume=assume, last=last)
        deadline, found = time.monotonic() + _TAKING_APART, False
        while failed := [job for job in jobs if isinstance(job.error, (HostError, ConflictError, CommandError))]:
            found = self._end_stale() or found
            if not found or self._signals.wanted or time.monotonic() >= deadline:
                return
            time.sleep(_PAUSE)
            self._attempt(failed, None, assume=False, last=last)

    def _attempt(self, jobs: Sequence[Job], host: HostState | None, *, assume: bool = True, last: bool = False) -> None:
        """Plan and carry out; plan anew, with all facts, where something exists that was to be made."""
        todo = list(jobs)
        for attempt in range(_ATTEMPTS):
            if not todo or self._signals.wanted:
                return
            self.prepare(todo, assume=assume and not attempt, host=None if attempt else host)
            with self._signals.deferred(last=last):
                self._executor.carry_out(todo)
            todo = [job for job in todo if already_exists(job.error)]

    def prepare(self, jobs: Sequence[Job], *, assume: bool, host: HostState | None = None) -> None:
        """Plan them; one that cannot be planned has its error. With `assume`, guests are looked into only at need.

        `host` is what the host has, where nothing was changed since somebody looked.
        """
        known: dict[Command, Outcome] = {}
        if len(jobs) == 1 and not assume:
            survey = self._survey(jobs, _choose_query(jobs))
            self._plan(jobs, survey.host_state, survey, known)
            return
        host = host or self._planner.host(_choose_query(jobs))
        ours = {tag.netns for link in host.links.values() if (tag := ownership.read_tag(link)) and tag.netns}
        for job in jobs:
            job.assumed = assume and _needs_links_alone(job.attachment) and str(job.inode) not in ours
        for job in jobs:
            if job.assumed:
                self._prepare(job, host, GuestState(), known)
        unknown = self._find_unsettled([job for job in jobs if not job.assumed], host, known)
        if unknown:
            self._plan(unknown, host, self._survey(unknown, None), known)

    def _survey(self, jobs: Iterable[Job], host_query: Command | None) -> Survey:
        ipv6 = {job.inode for job in jobs if IPV6 in job.attachment.families}
        guests = [guest for job in jobs for guest in (job.guest, job.peer) if guest is not None]
        return self._planner.survey(guests, ipv6=ipv6, host_query=host_query)

    def _plan(self, jobs: Iterable[Job], host: HostState, survey: Survey, known: dict[Command, Outcome]) -> None:
        departures = Departures()
        for job in jobs:
            inodes = (job.inode, job.peer.inode) if job.peer else (job.inode,)
            errors = (survey.errors[inode] for inode in inodes if inode in survey.errors)
            job.error, job.outcomes, job.plan = next(errors, None), [], None
            if job.error is None:
                states = [survey.guest_states.get(inode, GuestState()) for inode in inodes]
                peer = Peer(job.peer, states[-1], job.attachment.peer_interface) if job.peer else None
                self._prepare(job, host, states[0], known, peer=peer, departures=departures)

    def _find_unsettled(self, jobs: Sequence[Job], host: HostState, known: dict[Command, Outcome]) -> list[Job]:
        """Return those jobs of which a glance into the guest does not tell that nothing is to be done."""
        likely = [job for job in jobs if job.guest is not None and _needs_links_alone(job.attachment)]
        spaces = [job.guest.netns for job in likely if job.guest is not None]
        for job, links in zip(likely, self._driver.peek_links(spaces), strict=True):
            if links is not None:
                self._prepare(job, host, GuestState(links=links), known)
        return [job for job in jobs if not _is_settled(job)]

    def _prepare(  # noqa: PLR0913 - what one plan of a batch depends on
        self,
        job: Job,
        host: HostState,
        guest_state: GuestState,
        known: dict[Command, Outcome],
        *,
        peer: Peer | None = None,
        departures: Departures | None = None,
    ) -> None:
        guest = job.guest
        if guest is None:
            return
        job.error, job.outcomes, job.plan = None, [], None
        try:
            job.context, backend = self._planner.context(job.attachment, guest, host, guest_state, known)
            job.context = job.context._replace(peer=peer)
            job.plan = self._planner.plan(job.context, backend, departures)
            job.notes = tuple(step for step in job.plan.steps if departures and step in departures.notes)
            if self._atomic and job.plan.commit:
                raise ConflictError(
                    f"replacing {job.context.attachment.interface} of {guest.name} could not be undone.",
                    hint="repeat without --atomic",
                )
        except PipeworkError as error:
            job.error = error


def _choose_query(jobs: Iterable[Job]) -> Command:
    """Return what reads the host: with addresses where something may be replaced, for these keep a bridge."""
    return facts.HOST_ADDRESSES if any(job.attachment.replace for job in jobs) else facts.HOST_LINKS


def _report_progress(jobs: Sequence[Job], progress: Callable[[int, int], None] | None) -> None:
    if progress is not None:
        progress(sum(job.whole for job in jobs), len(jobs))


def _find_first_users(jobs: Iterable[Job], key: Callable[[Attachment], object]) -> list[Job]:
    first: dict[object, Job] = {}
    for job in jobs:
        first.setdefault(key(job.attachment), job)
    for job in first.values():
        job.is_first_user = True
    return list(first.values())


def _is_settled(job: Job) -> bool:
    """Whether all is there, as a link whose kind has nothing to it that a glance leaves out."""
    there = job.context and job.context.guest_state.links.get(job.context.attachment.interface)
    return bool(there and there.kind == "veth" and job.plan and not job.plan.all_steps)


def _needs_links_alone(attachment: Attachment) -> bool:
    """Whether a plan depends on no more of the guest than its links: not on routes, IPv6 settings or leases."""
    return not (attachment.peer or attachment.gateways or attachment.dhcp or attachment.auto or attachment.probe) and (
        IPV6 not in attachment.families
    )
