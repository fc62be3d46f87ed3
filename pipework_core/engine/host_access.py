"""`pipework host`: the host takes part in a network, or no longer. The list of steps, from top to bottom."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipework_core.engine import detach, select
from pipework_core.engine.executor import Executor
from pipework_core.engine.job import Job
from pipework_core.engine.planner import Planner
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import HostError
from pipework_core.model.link import HostState
from pipework_core.model.plan import HOST, Plan
from pipework_core.model.snapshot import ParentUse
from pipework_core.state import facts, namespaces

if TYPE_CHECKING:
    from pipework_core.engine.signals import Signals
    from pipework_core.model.attachment import HostAccess
    from pipework_core.model.driver import Driver, Lock
    from pipework_core.model.plan import Report
    from pipework_core.plugins.api import LinkBackend
    from pipework_core.plugins.manager import PluginManager


#: Seconds between two looks at whether another run has come to its end, and beyond what it may take.
_GLANCE, _BEYOND = 0.2, 8
#: What an interface of a killed run is taken back by, at most, before the request is begun anew.
_ATTEMPTS = 3


class Hosting:
    """Carries one request out."""

    def __init__(self, *, plugins: PluginManager, driver: Driver, signals: Signals, dry_run: bool = False) -> None:
        self._plugins = plugins
        self._driver = driver
        self._signals = signals
        self._dry_run = dry_run
        self._planner = Planner(plugins=plugins, driver=driver)
        self._side = plugins.find_host_access_planner()
        self._programs = frozenset(filter(driver.has_program, self._side.programs))

    def run(self, part: HostAccess) -> tuple[Context, Report]:
        """Make the request hold, or change nothing; return what it was planned from and what was done.

        Raises any PipeworkError, or Interrupted; the host is then as it was before.
        """
        if not part.remove:
            self._wait(part)
        with self._driver.lock() as lock:
            for _ in range(_ATTEMPTS):
                context, backend = self._look(part)
                again = not part.remove and bool(self._side.half(context))
                plan = (
                    self._withdrawal(part, context, backend)
                    if part.remove or again
                    else self._plan(part, context, backend)
                )
                if again and self._dry_run:
                    break
                with self._signals.deferred():
                    report = self._carry_out(plan, lock, context)
                    if part.remove or again:
                        self._plugins.fire_detached(context, report)
                    else:
                        self._plugins.fire_attached(context, report)
                if not again:
                    self._signals.settle()
                    self._driver.start(plan.announce)
                    return context, report
        raise _incomplete(context)

    def _carry_out(self, plan: Plan, lock: Lock, context: Context) -> Report:
        """Carry a plan out; raise what it failed by."""
        job = Job(context.attachment, context.guest)
        job.context, job.plan = context, plan
        executor = Executor(driver=self._driver, plugins=self._plugins, lock=lock, stop=self._stop)
        executor.carry_out([job])
        return executor.finish(job)

    def compare(self, part: HostAccess) -> Plan:
        """Return what would make the request hold; nothing is done.

        Raises any PipeworkError, as well for what would be taken back and made anew.
        """
        with self._driver.lock():
            context, backend = self._look(part)
            if self._side.half(context):
                raise _incomplete(context)
            return self._plan(part, context, backend)

    def _wait(self, part: HostAccess) -> None:
        """Wait for a run that asks its gateway, or for the guard that it left; what is there then is nobody's."""
        deadline = time.monotonic() + part.confirm + _BEYOND
        while not self._dry_run and (self._side.half(self._look(part)[0]) == "asking" or self._guarded()):
            if time.monotonic() > deadline:
                return
            time.sleep(_GLANCE)

    def _guarded(self) -> bool:
        """Whether a guard is at work still: its interface goes first, and the addresses come after it."""
        return bool(self._planner.read({"guards": self._side.GUARDS})["guards"].stdout.strip())

    def _look(self, part: HostAccess) -> tuple[Context, LinkBackend]:
        answers = self._planner.read({"home": self._side.QUERY})
        guest_state = facts.parse_guest(answers["home"].stdout)
        host = self._planner.add_listings(part.attachment, HostState(links=guest_state.links))
        attachment, backend = select.complete_request(part.attachment, host, guest_state, self._plugins)
        guest = Guest(name="this host", runtime="host", netns=HOST)
        context = Context(
            attachment=attachment,
            guest=guest,
            host_state=host,
            guest_state=guest_state,
            answers=answers,
            programs=self._programs,
        )
        context = self._side.named(context)
        reads = {**backend.queries(context.attachment, host), **self._side.queries(context)}
        return context._replace(answers={**answers, **self._planner.read(reads)}), backend

    def _plan(self, part: HostAccess, context: Context, backend: LinkBackend) -> Plan:
        return self._side.plan(context, backend, confirm=part.confirm)

    def _withdrawal(self, part: HostAccess, context: Context, backend: LinkBackend) -> Plan:
        plan, next_context = self._side.withdrawal(context)
        if part.keep or not plan.all_steps:
            return plan
        shared_resources = self._side.shared_resources(next_context, backend)
        used = ParentUse()
        if any(left.hidden for left in shared_resources):
            used = namespaces.find_parent_uses(self._driver, next_context.host_state.links.values())
        unneeded = detach.find_unneeded(shared_resources, used.names)
        return plan + Plan(cleanup=tuple(left.remove for left in unneeded), warnings=used.warnings)

    def _stop(self) -> bool:
        return self._signals.wanted


def _incomplete(context: Context) -> HostError:
    return HostError(
        f"{context.attachment.interface} is there, but not with all that it should have.",
        hint=f"take it back first: pipework host --remove {context.attachment.host}",
    )
