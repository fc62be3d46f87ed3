"""The engine: the list of steps from a request to a report, readable from top to bottom."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from pipework_core.engine import detach as detaching
from pipework_core.engine import guests, transaction
from pipework_core.engine.planner import Planner
from pipework_core.model import ownership
from pipework_core.model.errors import CommandError, Interrupted, PipeworkError
from pipework_core.model.plan import HOST, Plan, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.engine.batch import Job
    from pipework_core.engine.signals import Signals
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.driver import Driver, Lock
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.plugins.manager import PluginManager

#: How often a plan is made anew because somebody else was quicker to create what it wanted to create.
_ATTEMPTS = 3


class Engine:
    """Carries requests out: resolve, look, plan, act, announce."""

    def __init__(self, *, plugins: PluginManager, driver: Driver, signals: Signals) -> None:
        self._plugins = plugins
        self._driver = driver
        self._signals = signals
        self._planner = Planner(plugins=plugins, driver=driver)

    def attach(self, attachment: Attachment) -> tuple[Context, Report]:
        """Make the request hold, or change nothing; return what it was planned from and what was done.

        Raises any PipeworkError, or Interrupted; the host and the guest are then as they were before.
        """
        guest = self.guest(attachment.guest)
        with self._driver.lock() as hold:
            context, report = self._converge(attachment, guest, hold)
        self._driver.start(report.plan.announce)
        self._plugins.fire_attached(context, report)
        return context, report

    def attach_all(
        self,
        attachments: Sequence[Attachment],
        *,
        atomic: bool = False,
        pretend: Iterable[Command] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Job]:
        """Make all requests hold that can, each or none of it; return them in order, with what was done or went wrong.

        With `atomic` all or none. A signal leaves whole attachments only, or with `atomic` none. `pretend` is for a
        driver that changes nothing: what it would have done before; `progress` is told how many of how many are whole.
        """
        from pipework_core.engine.batch import Batch  # noqa: PLC0415 - one attachment does not need it

        jobs = self._jobs(attachments)
        found = [job for job in jobs if job.guest is not None]
        with self._driver.lock() as hold, self._signals.deferred():
            bulk = Batch(planner=self._planner, driver=self._driver, hold=hold, stop=self._stop, plugins=self._plugins)
            wanted = found if not atomic or len(found) == len(jobs) else []
            try:
                fresh = bulk.run(wanted, progress) if pretend is None else bulk.pretend(wanted, pretend)
                if atomic and not all(job.whole for job in jobs):
                    bulk.undo_all(found)
            finally:
                self._tell_ends(jobs)
        for job in jobs:
            if job.whole and job.context is not None and job.plan is not None:
                self._driver.start(() if job.context.attachment.host in fresh else job.plan.announce)
        return jobs

    def _tell_ends(self, jobs: Sequence[Job]) -> None:
        """Tell what became of those that were begun; all of them have ended, also when an error ends the whole run."""
        reason = next((job.error for job in jobs if job.error is not None), None) or Interrupted()
        for job in jobs:
            if job.context is None:
                continue
            if job.whole:
                self._plugins.fire_attached(job.context, job.report())
            elif job.begun:
                self._plugins.fire_failed(job.context, job.error or reason)

    def compare(self, attachments: Sequence[Attachment]) -> list[Job]:
        """Plan all requests and carry none out; a job without steps holds already."""
        from pipework_core.engine.batch import Batch  # noqa: PLC0415 - one attachment does not need it

        jobs = self._jobs(attachments)
        with self._driver.lock() as hold:
            bulk = Batch(planner=self._planner, driver=self._driver, hold=hold, stop=self._stop, plugins=self._plugins)
            bulk.prepare([job for job in jobs if job.guest is not None], assume=False)
        return jobs

    def host_ends(self, jobs: Sequence[Job]) -> Counter[int]:
        """Return how many ends of veth pairs of ours the host has behind these, by the namespace that marks name."""
        looked = next((job.context.host_state for job in jobs if job.context), None)
        host = looked if looked and all(job.whole and not job.outcomes for job in jobs) else self._planner.host()
        found = filter(None, map(ownership.read_tag, host.links.values()))
        return Counter(int(tag.netns) for tag in found if tag.netns.isdigit())

    def attached(self, guest: Guest) -> frozenset[str]:
        """Return the names of the guest's interfaces that are ours."""
        return frozenset(link.name for link in detaching.attached(self._planner.guest_state(guest)))

    def _jobs(self, attachments: Sequence[Attachment]) -> list[Job]:
        from pipework_core.engine.batch import Job  # noqa: PLC0415 - one attachment does not need it

        jobs = [Job(attachment) for attachment in attachments]
        for job in jobs:
            job.find(self.guest)
        return jobs

    def detach(  # noqa: PLR0913 - as the command line says it
        self,
        name: str,
        interface: str = "",
        *,
        everything: bool = False,
        keep: bool = False,
        last: bool = False,
        complain: Callable[[str, PipeworkError], None] | None = None,
    ) -> list[tuple[Context, Report]]:
        """Undo attachments of a guest, the newest first, each for itself; return what each was planned from and did.

        Without `interface` the only one, or with `everything` all. `keep` leaves the bridges and VLANs that nobody uses
        any more. With `last`, a signal behind it is too late.

        Raises any PipeworkError, or Interrupted; the attachment that was about to go is then whole. `complain` is told
        of the interface and the error instead, and the others go all the same.
        """
        guest = self.guest(name)
        done: list[tuple[Context, Report]] = []
        next_context: Context | None = None
        self._finish_detaching(guest)
        guest_state = self._planner.guest_state(guest)
        names = detaching.chosen(guest_state, guest, interface, everything=everything)
        for chosen in names:
            try:
                with self._driver.lock() as hold:
                    context, plan, behind = self._planner.plan_detach(
                        guest, chosen, keep=keep, next_context=next_context
                    )
                    self._plugins.fire_plan_ready(context, plan)
                    with self._signals.deferred(last=last and chosen == names[-1]):
                        report = self._carry_out(plan, hold, context)
                        self._plugins.fire_detached(context, report)
            except PipeworkError as error:
                if complain is None:
                    raise
                complain(chosen, error)
                continue
            next_context = behind
            done.append((context, report))
        return done

    def _finish_detaching(self, guest: Guest) -> None:
        """Sweep what a killed run did not come to."""
        if not detaching.unfinished(self._planner.host()):
            return
        with self._driver.lock(), self._signals.deferred():
            self._driver.pin(HOST)
            transaction.cleanup(self._planner.unfinished(guest), self._driver, tell=partial(self._tell, None))

    def guest(self, name: str) -> Guest:
        """Return the guest of that name with its namespace pinned."""
        return guests.resolve(name, plugins=self._plugins, driver=self._driver)

    def _converge(self, attachment: Attachment, guest: Guest, hold: Lock) -> tuple[Context, Report]:
        for attempt in range(1, _ATTEMPTS + 1):
            context, backend = self._planner.look(attachment, guest)
            plan = self._planner.plan(context, backend)
            self._plugins.fire_plan_ready(context, plan)
            try:
                with self._signals.deferred(last=True):
                    return context, self._carry_out(plan, hold, context, once_more=attempt < _ATTEMPTS)
            except CommandError as error:
                if attempt == _ATTEMPTS or not _was_quicker(error):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _carry_out(self, plan: Plan, hold: Lock, context: Context, *, once_more: bool = False) -> Report:
        """Carry a plan out, or tell that it failed, unless it is made anew (`once_more`) for somebody was quicker."""
        self._driver.pin(HOST)
        tell = partial(self._tell, context)
        try:
            outcomes = transaction.run(plan, self._driver, hold, stop=self._stop, tell=tell)
        except (PipeworkError, Interrupted) as error:
            if not (once_more and _was_quicker(error)):
                self._plugins.fire_failed(context, error)
            raise
        return Report(plan=plan, outcomes=outcomes, failed_cleanup=transaction.cleanup(plan, self._driver, tell=tell))

    def _stop(self) -> bool:
        return self._signals.wanted

    def _tell(self, context: Context | None, command: Command, outcome: Outcome) -> None:
        self._plugins.fire_step_done(command, outcome, context)


def _was_quicker(error: BaseException) -> bool:
    """Whether somebody else made meanwhile what the plan wanted to make."""
    return isinstance(error, CommandError) and "File exists" in error.outcome.stderr
