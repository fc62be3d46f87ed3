"""The engine: the list of steps from a request to a report, readable from top to bottom."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pipework_core.engine.agreement import ALONE
from pipework_core.engine.executor import Executor
from pipework_core.engine.guests import GuestDirectory
from pipework_core.engine.job import Job
from pipework_core.engine.planner import Planner
from pipework_core.engine.signals import Signals
from pipework_core.model import ownership
from pipework_core.model.errors import HostError, Interrupted
from pipework_core.model.plan import Command
from pipework_core.state import facts
from pipework_core.toolkit.veth import VETH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import NoReturn

    from pipework_core.engine.agreement import Agreement
    from pipework_core.engine.batch import Batch
    from pipework_core.engine.detach_batch import DetachBatch
    from pipework_core.engine.gc import Collected
    from pipework_core.engine.host_access import Hosting
    from pipework_core.engine.inventory import HostInventory, Inventory
    from pipework_core.model.attachment import Attachment, HostAccess
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.driver import Lock, RunDriver
    from pipework_core.model.plan import Outcome, Plan, Report
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.state.link_cache import LinkCache


class Engine:
    """The use cases of pipework as a library: nouns in, reports out.

    It prints nothing, installs no handlers of signals and keeps no state between two calls: `signals` says when a run
    has to stop. With `dry_run` the driver changes nothing. `links` are the host's as a process that stays knows them;
    without, they are read for each call.
    """

    def __init__(
        self,
        *,
        plugins: PluginManager,
        driver: RunDriver,
        signals: Signals,
        dry_run: bool = False,
        links: LinkCache | None = None,
    ) -> None:
        self._plugins = plugins
        self._driver = driver
        self._signals = signals
        self._dry_run = dry_run
        self._planner = Planner(plugins=plugins, driver=driver, links=links)

    def find_guest(self, name: str) -> Guest:
        """Return the guest of that name; raise GuestError when there is none, or when it may not be entered."""
        with self._pins():
            return self._find_guest(name)

    def attach(self, attachment: Attachment) -> tuple[Context, Report]:
        """Make the attachment, or change nothing; return what it was planned from and what was done.

        Raises any PipeworkError, or Interrupted; the host and the guest are then as they were before.
        """
        with self._pins():
            job = self._find_guests([attachment])[0]
            if job.error is not None:
                raise job.error
            with self._driver.lock() as lock:
                report = self._batch(lock).run_one(job)
            if job.context is None:
                raise RuntimeError("an attachment that was made was not planned")
            self._driver.start(report.plan.announce)
            self._plugins.fire_attached(job.context, report)
            return job.context, report

    def attach_all(
        self,
        attachments: Sequence[Attachment],
        *,
        atomic: bool = False,
        before: Iterable[Command] = (),
        progress: Callable[[int, int], None] | None = None,
        agreement: Agreement = ALONE,
    ) -> list[Job]:
        """Make all attachments that can be made, each all or nothing; return a job for each, in order.

        With `atomic` all or none, and what `agreement` says is kept. A signal leaves whole attachments only, or with
        `atomic` none. `before` is what a dry run would have done on the host before. `progress` is told how many of how
        many are whole.
        """
        with self._pins():
            jobs = self._find_guests(attachments)
            found = [job for job in jobs if job.guest is not None]
            with self._lock_in_turn(agreement) as lock, self._signals.deferred():
                batch = self._batch(lock, atomic=atomic)
                wanted = found if not atomic or len(found) == len(jobs) else []
                try:
                    fresh = batch.preview(wanted, before) if self._dry_run else batch.run(wanted, progress)
                    if atomic and not agreement.decide(whole=all(job.whole for job in jobs)):
                        batch.undo_all(found)
                finally:
                    self._report_ends(jobs)
            for job in jobs:
                if job.whole and job.context is not None and job.plan is not None:
                    self._driver.start(() if job.context.attachment.host in fresh else job.plan.announce)
            return jobs

    def compare(self, attachments: Sequence[Attachment]) -> list[Job]:
        """Plan all attachments and change nothing; a job without steps is attached as asked for already."""
        with self._pins():
            jobs = self._find_guests(attachments)
            with self._driver.lock() as lock:
                self._batch(lock).prepare([job for job in jobs if job.guest is not None], assume=False)
            return jobs

    def detach(
        self, name: str, interface: str = "", *, everything: bool = False, keep: bool = False, last: bool = False
    ) -> list[Job]:
        """Undo the attachments of a guest, the newest first, each all or nothing; return a job for each.

        Without `interface` its only one, or with `everything` all. `keep` leaves the bridges and VLANs that nobody uses
        any more. With `last`, a signal after it is too late.

        Raises any PipeworkError, or Interrupted; the attachment that was being detached is then whole. With
        `everything` a job has its error instead, and the others are detached all the same.
        """
        with self._pins():
            guest = self._find_guest(name)
            with self._driver.lock() as lock:
                batch = self._detach_batch(lock, keep=keep)
                jobs = batch.choose(guest, interface, everything=everything)
                batch.run(jobs, last=last)
            for job in jobs:
                if job.error is not None and not everything:
                    raise job.error
            return jobs

    def detach_all(self, attachments: Sequence[Attachment], *, keep: bool = False) -> list[Job]:
        """Undo those attachments that there are, the last first; return a job for each, in the order given.

        An attachment is known by its guest and interface. What is not attached has a job without a plan; a guest that
        is not there is the error of a job without a guest. `keep` as for `detach`. Raises Interrupted.
        """
        with self._pins():
            jobs = self._find_guests(attachments)
            found = [job for job in reversed(jobs) if job.guest is not None]
            if found:
                with self._driver.lock() as lock:
                    self._detach_batch(lock, keep=keep).run(found)
            return jobs

    def list_attachments(self, name: str = "", *, with_host_access: bool = False) -> Inventory:
        """Return what is attached to a guest, or to all guests of the host; raise GuestError for an unknown name.

        A name that no guest has may be that of an interface of the host: what is attached to it is returned then.
        `with_host_access` lists the host's own access to networks as well.
        """
        return self.list_host(name, with_host_access=with_host_access).inventory

    def list_host(self, name: str = "", *, with_host_access: bool = True) -> HostInventory:
        """Return what `list_attachments` does, and with it all interfaces of the host and ports of its switches."""
        with self._pins():
            from pipework_core.engine import inventory  # noqa: PLC0415 - an attachment does not need it

            return inventory.list_host(
                name, driver=self._driver, plugins=self._plugins, with_host_access=with_host_access
            )

    def collect_garbage(self) -> Collected:
        """Remove what guests that are gone and killed runs left; raise HostError when it cannot be found out."""
        with self._pins():
            from pipework_core.engine import gc  # noqa: PLC0415 - an attachment does not need it

            collected = gc.collect_garbage(plugins=self._plugins, driver=self._driver, signals=self._signals)
            self._signals.settle()
            return collected

    def forget_machine(self, name: str, place: str = "") -> Collected:
        """Remove what a machine that is gone for good left where machines share something: the database of OVN.

        `place` says where that is, as in `-o nb=`; empty: where this machine has it. Raises HostError when it cannot be
        found out, or when there is nothing of such a machine.
        """
        with self._pins():
            from pipework_core.engine import gc  # noqa: PLC0415 - an attachment does not need it

            collected = gc.forget_machine(
                name, place, plugins=self._plugins, driver=self._driver, signals=self._signals
            )
            self._signals.settle()
            return collected

    def collect_rest(self) -> Collected:
        """Remove what is left of attachments whose guest or interface had gone before they were detached.

        Nobody remembers of which, so it is what `collect_garbage` removes. What cannot be found out is a warning.
        """
        try:
            return self.collect_garbage()
        except HostError as error:
            from pipework_core.engine.gc import Collected  # noqa: PLC0415 - an attachment does not need it
            from pipework_core.model.plan import Plan  # noqa: PLC0415 - as above

            return Collected(plan=Plan(warnings=(f"what such an attachment left is not looked for: {error}",)))

    def grant_host_access(self, access: HostAccess) -> tuple[Context, Report]:
        """Let the host take part in a network, or change nothing; return what that was planned from and did.

        Raises any PipeworkError, or Interrupted; the host is then as it was before.
        """
        with self._pins():
            return self._hosting().run(access._replace(remove=False))

    def revoke_host_access(self, access: HostAccess, *, interruptible: bool = True) -> tuple[Context, Report]:
        """Take back what `grant_host_access` gave; returns and raises as that does.

        Without `interruptible`, a signal does not stop it, for instance because it is the reason for it.
        """
        with self._pins():
            return self._hosting(interruptible=interruptible).run(access._replace(remove=True))

    def compare_host_access(self, access: HostAccess) -> Plan:
        """Return what would make the host take part in a network; nothing is changed. Raises any PipeworkError."""
        with self._pins():
            return self._hosting().compare(access)

    def run_in_guest(self, name: str, argv: Sequence[str]) -> tuple[Command, Outcome]:
        """Run a command in a guest's network namespace to its end; return it and its outcome, whatever its exit code.

        Raises GuestError or HostError when it cannot be run. A signal does not stop it.
        """
        with self._pins():
            guest = self._find_guest(name)
            command = Command(argv=tuple(argv), netns=guest.netns, reason=f"as asked, in {guest.name}")
            with self._signals.deferred():  # whether a tool that was interrupted has done its work nobody could tell
                outcome = self._driver.apply([[command]], stop=lambda: False)[0][0]
            self._signals.settle()
            self._plugins.fire_step_done(command, outcome, None)
            return command, outcome

    def replace_process(self, name: str, argv: Sequence[str], warn: Callable[[str], None]) -> NoReturn:
        """Become a program of the host in a guest's network namespace, with the guest's name servers.

        `warn` is told why where it does not have those. Raises GuestError or HostError when that cannot be.
        """
        with self._pins():
            guest = self._find_guest(name)
            command = Command(argv=tuple(argv), netns=guest.netns, reason=f"as asked, in {guest.name}")
            self._driver.replace_process(command, guest, warn)

    def has_host_end(self, job: Job) -> bool:
        """Whether the job's attachment is a veth pair, which `count_host_ends` counts."""
        return job.context is not None and self._plugins.find_backend(job.context.attachment.kind).link_kind == VETH

    def open_directory(self, warn: Callable[[str], None]) -> GuestDirectory:
        """Return the names of all guests, asked for when they are needed; `warn` is told of what cannot be asked."""
        return GuestDirectory(plugins=self._plugins, driver=self._driver, warn=warn)

    def count_host_ends(self, jobs: Sequence[Job]) -> Counter[int]:
        """Return how many veth pairs of ours the host has after these jobs, by the namespace that their tags name."""
        looked = next((job.context.host_state for job in jobs if job.context), None)
        host = looked if looked and all(job.whole and not job.outcomes for job in jobs) else None
        if host is None:
            with self._driver.lock():  # what a process that stays knows of the links has one user at a time
                host = self._planner.host()
        found = filter(None, map(ownership.read_tag, host.links.values()))
        return Counter(int(tag.netns) for tag in found if tag.netns.isdigit())

    @contextmanager
    def _pins(self) -> Iterator[None]:
        """Let go of all namespaces when the block ends, however it ends: an engine may live for months."""
        try:
            yield
        finally:
            self._driver.release()

    @contextmanager
    def _lock_in_turn(self, agreement: Agreement) -> Iterator[Lock]:
        """Hold the host's lock, taken when it is this engine's turn."""
        with ExitStack() as stack:
            with agreement.turn():
                lock = stack.enter_context(self._driver.lock())
                if agreement is not ALONE:
                    self._driver.read([facts.HOST_LINKS])  # the lock of another machine is taken with a question
            yield lock

    def _find_guest(self, name: str) -> Guest:
        """Return the guest of that name with its namespace pinned."""
        return GuestDirectory(plugins=self._plugins, driver=self._driver).find_guest(name)

    def _find_guests(self, attachments: Sequence[Attachment]) -> list[Job]:
        jobs = [Job(attachment) for attachment in attachments]
        for job in jobs:
            job.find_guest(self._find_guest)
        return jobs

    def _batch(self, lock: Lock, *, atomic: bool = False) -> Batch:
        from pipework_core.engine.batch import Batch  # noqa: PLC0415 - only attaching needs it

        executor = self._executor(lock)
        return Batch(
            planner=self._planner,
            executor=executor,
            driver=self._driver,
            signals=self._signals,
            atomic=atomic,
            end_stale=self._end_stale,
        )

    def _end_stale(self) -> bool:
        """End what of ours runs on for guests that are gone; return whether there was anything."""
        finder = self._plugins.find_dhcp_client_finder()
        return not self._dry_run and bool(finder.end_stale(self._driver))

    def _detach_batch(self, lock: Lock, *, keep: bool) -> DetachBatch:
        from pipework_core.engine.detach_batch import DetachBatch  # noqa: PLC0415 - only detaching needs it

        return DetachBatch(
            planner=self._planner,
            executor=self._executor(lock),
            driver=self._driver,
            plugins=self._plugins,
            signals=self._signals,
            keep=keep,
            dry_run=self._dry_run,
        )

    def _executor(self, lock: Lock) -> Executor:
        return Executor(driver=self._driver, plugins=self._plugins, lock=lock, stop=lambda: self._signals.wanted)

    def _hosting(self, *, interruptible: bool = True) -> Hosting:
        from pipework_core.engine.host_access import Hosting  # noqa: PLC0415 - an attachment does not need it

        signals = self._signals if interruptible else Signals()
        return Hosting(plugins=self._plugins, driver=self._driver, signals=signals, dry_run=self._dry_run)

    def _report_ends(self, jobs: Sequence[Job]) -> None:
        """Tell observers what became of those that were begun; all have ended, also when an error ends the run."""
        reason = next((job.error for job in jobs if job.error is not None), None) or Interrupted()
        for job in jobs:
            if job.context is None:
                continue
            if job.whole:
                self._plugins.fire_attached(job.context, job.report())
            elif job.begun:
                self._plugins.fire_failed(job.context, job.error or reason)
