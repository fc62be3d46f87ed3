"""Many attachments undone at once: each all or nothing, and all as if they were undone one after the other.

The host and the guests are read once. Each plan is made from the state that the plans before it will have left, so
that only the last user of a bridge removes it. Of one guest there is one at a time, since it may have to restore a
default route that the next one replaced.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipework_core.engine import attached, detach
from pipework_core.engine.job import Job, split_by_guest
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import Interrupted, PipeworkError
from pipework_core.model.link import GuestState
from pipework_core.model.plan import HOST
from pipework_core.state import facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.engine.executor import Executor
    from pipework_core.engine.planner import Planner, Survey
    from pipework_core.engine.signals import Signals
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import HostState
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.model.snapshot import ParentUse
    from pipework_core.plugins.manager import PluginManager


#: Seconds in which leases are given back: a server that is silent costs some for each, one guest's one after the other.
_RELEASES = 20.0


class DetachBatch:
    """Undoes attachments. The guests are pinned, the host's lock is held.

    `keep` leaves the bridges and VLANs that nobody uses any more. With `dry_run` nothing goes: jobs are carried out one
    by one, each from the state that the jobs before it would have left.
    """

    def __init__(  # noqa: PLR0913 - the parts of an engine
        self,
        *,
        planner: Planner,
        executor: Executor,
        driver: Driver,
        plugins: PluginManager,
        signals: Signals,
        keep: bool,
        dry_run: bool,
    ) -> None:
        self._planner = planner
        self._executor = executor
        self._driver = driver
        self._plugins = plugins
        self._signals = signals
        self._keep = keep
        self._dry_run = dry_run
        #: What the last job of each guest left.
        self._after: dict[int, Context] = {}
        self._deadline = time.monotonic() + _RELEASES
        self._last: Context | None = None
        self._survey: Survey | None = None

    def choose(self, guest: Guest, interface: str, *, everything: bool) -> list[Job]:
        """Return jobs for attachments of a guest, the newest first; raise GuestError or UsageError for an unclear one.

        See `attached.choose_interfaces`.
        """
        self._survey = self._read([guest])
        if guest.inode in self._survey.errors:
            raise self._survey.errors[guest.inode]
        state, host = self._survey.guest_states[guest.inode], self._survey.host_state
        names = attached.choose_interfaces(state, guest, interface, everything=everything, host=host)
        return [Job(Attachment(guest=guest.name, host="", interface=name), guest) for name in names]

    def run(self, jobs: Sequence[Job], *, last: bool = False) -> None:
        """Undo those that there are, in this order; see each job for how it went. Raise Interrupted.

        With `last`, a signal after it is too late.
        """
        rounds = [[job] for job in jobs] if self._dry_run else split_by_guest(jobs)
        for members in rounds:
            self._prepare(members)
            with self._signals.deferred(last=last and members is rounds[-1]):
                self._carry_out(members)

    def _carry_out(self, jobs: Sequence[Job]) -> None:
        ready = [job for job in jobs if job.plan is not None and job.error is None]
        self._executor.carry_out(ready)
        self._executor.undo_if_stopped(ready)
        if all(job.whole for job in ready):
            self._executor.clean_up(ready)
        else:
            self._executor.clean_up_anew(ready, self._planner)
        for job in ready:
            if job.whole and job.context is not None:
                self._plugins.fire_detached(job.context, job.report())
            elif job.context is not None:
                self._plugins.fire_failed(job.context, job.error or Interrupted())
                self._after.pop(job.inode, None)
        if any(not job.whole and job.error is None for job in ready):
            raise Interrupted

    def _prepare(self, jobs: Sequence[Job]) -> None:
        """Plan them, one after the other; one that cannot be planned has its error."""
        survey = self._survey or self._read([job.guest for job in jobs if job.guest is not None], jobs)
        self._survey = None
        host, states = self._simulate(survey, jobs)
        known: dict[Command, Outcome] = {}
        elsewhere: list[tuple[Mapping[int, GuestState], Mapping[int, str]]] = []

        def find_uses(host: HostState, inside: Mapping[int, GuestState]) -> ParentUse:
            from pipework_core.state import namespaces  # noqa: PLC0415 - few share more than a bridge

            if not elsewhere:
                elsewhere.append(self._planner.find_namespace_states(inside))
            others, unreadable = elsewhere[0]
            return namespaces.judge_parent_uses({**others, **inside}, unreadable, host.links.values())

        for job in jobs:
            guest = job.guest
            if guest is None or job.error is not None:
                continue
            if guest.inode in survey.errors:
                job.error = survey.errors[guest.inode]
                continue
            asked = job.attachment
            try:
                state = states[guest.inode]
                interface = attached.find_interface(state, guest, host, asked.interface, asked.host_name)
                if not interface:
                    continue
                done = self._planner.plan_detach(
                    guest,
                    interface,
                    survey._replace(host_state=host, guest_states=states),
                    keep=self._keep,
                    known=known,
                    find_uses=find_uses,
                    in_time=time.monotonic() < self._deadline,
                )
            except PipeworkError as error:
                job.error = error
                continue
            job.context, job.plan, job.notes, self._last = done
            self._after[guest.inode] = self._last
            host, states[guest.inode] = self._last.host_state, self._last.guest_state

    def _simulate(self, survey: Survey, jobs: Sequence[Job]) -> tuple[HostState, dict[int, GuestState]]:
        """Return what the host and the guests have; what earlier jobs took away is gone also when they only pretended.

        A driver that changes nothing, or that replays such a run, still shows it.
        """
        host, states = survey.host_state, dict(survey.guest_states)
        pretended = False
        for inode in {job.inode for job in jobs} & self._after.keys() & states.keys():
            if self._after[inode].attachment.interface in states[inode].links:
                states[inode] = self._after[inode].guest_state
                pretended = True
        if self._last is not None and pretended:
            host = self._last.host_state
        return host, states

    def _read(self, guests: Sequence[Guest], jobs: Sequence[Job] = ()) -> Survey:
        """Read the host and the guests; before that, remove what killed runs left half detached."""
        states = self._peek(jobs) if len(guests) > 1 else {}
        rest = [guest for guest in guests if guest.inode not in states]
        survey = self._planner.survey(rest, host_query=facts.HOST_ADDRESSES)
        if detach.find_unfinished(survey.host_state, self._plugins) and self._last is None:
            with self._signals.deferred():
                self._driver.pin(HOST)
                self._executor.clean_up_plan(self._planner.unfinished(guests[0]), None)
            survey = self._planner.survey(rest, host_query=facts.HOST_ADDRESSES)
        found = {**survey.guest_states, **states}
        for guest in guests:
            if guest.inode in found:
                found[guest.inode] = attached.add_lost_ends(found[guest.inode], guest, survey.host_state)
        return survey._replace(guest_states=found)

    def _peek(self, jobs: Sequence[Job]) -> dict[int, GuestState]:
        """Return what is in those guests whose links tell enough, without a process for each."""
        wanted = [job for job in jobs if job.guest is not None]
        peeked = self._driver.peek_links([job.guest.netns for job in wanted if job.guest is not None])
        return {
            job.inode: GuestState(links=links)
            for job, links in zip(wanted, peeked, strict=True)
            if links is not None and detach.needs_links_alone(links, job.attachment.interface)
        }
