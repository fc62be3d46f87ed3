"""What is done for one guest: it is given what it, or the file, asks for, or is told why not."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pipework_core.model import event
from pipework_core.model.attachment import address_words
from pipework_core.model.errors import GuestError, Interrupted, PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.records import Record
from pipework_core.topology.apply import apply_topology, names_guest, serve_guest
from pipework_core.watch import policy_file, requests
from pipework_core.watch.policy import find_refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Container as Methods
    from contextlib import AbstractContextManager

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.job import Job
    from pipework_core.engine.signals import Signals
    from pipework_core.model.attachment import Attachment
    from pipework_core.topology.model import Topology
    from pipework_core.watch.container import Container
    from pipework_core.watch.policy import Policy
    from pipework_core.watch.reader import Heard
    from pipework_core.watch.runtime import Connection
    from pipework_core.watch.teller import Teller

    #: Opens an engine for one piece of work in one thread.
    OpenEngine = Callable[[Signals], AbstractContextManager[Engine]]

#: How often, and after how many seconds, a namespace is looked for whose name is there.
_ATTEMPTS, _PAUSE = 20, 0.05


class Rules(Record):
    """Who may have what, and what shall be; `variables`: dreamcat4's count."""

    policy: Policy
    topology: Topology
    variables: bool

    def name_guest(self, heard: Heard) -> bool:
        """Whether the file names the guest."""
        return heard.change is not None and names_guest(self.topology, f"{heard.runtime}:{heard.change.name}")


class Servant:
    """Serves guests, each in the thread that calls it."""

    def __init__(self, *, open_engine: OpenEngine, methods: Methods[str], teller: Teller) -> None:
        self._open_engine = open_engine
        self._methods = methods
        self._teller = teller

    def serve(self, heard: Heard, rules: Rules, signals: Signals, *, is_first: bool) -> bool:
        """Give a guest what is asked for; return whether all of it holds.

        `is_first`: this is no second attempt, so that a guest that is not there may be one that has just ended. Raises
        PipeworkError when nothing can be found out, and Interrupted.
        """
        holds = True
        if heard.connection is not None and heard.change is not None and self._asks(heard, rules):
            container = self._inspect(heard.connection, heard.change.id, rules)
            if container is not None:
                holds = self._attach_all(container, heard.at, rules, signals, is_first=is_first)
        return self._serve_from_file(heard, rules, signals) and holds if rules.name_guest(heard) else holds

    def apply_file(self, rules: Rules, signals: Signals) -> None:
        """Make the whole file true, the host's own part included."""
        begun = time.monotonic()
        try:
            with self._open_engine(signals) as engine:
                report = apply_topology(rules.topology, engine, warn=self._teller.warn)
        except Interrupted:
            return
        except PipeworkError as error:
            self._teller.tell(Event(event.FAILED, str(error), hint=error.hint))
            return
        self._tell_jobs([job for job in report.jobs if job.guest is not None], begun)
        for result in report.host.results:
            if result.error is not None:
                text = f"{result.entry.place}: {result.error}"
                self._teller.tell(Event(event.FAILED, text, hint=result.error.hint))

    def collect_garbage(self, signals: Signals) -> None:
        """Take away what containers that ended have left on the host, such as ports of Open vSwitch."""
        try:
            with self._open_engine(signals) as engine:
                collected = engine.collect_garbage()
        except Interrupted:
            return
        except PipeworkError as error:
            self._teller.tell_once(Event(event.FAILED, f"cannot collect garbage: {error}", hint=error.hint))
            return
        for command in collected.gone:
            self._teller.tell(Event(event.ENDED, command.reason))

    @staticmethod
    def _asks(heard: Heard, rules: Rules) -> bool:
        return rules.variables or (heard.change is not None and requests.asks(heard.change.labels))

    def _inspect(self, connection: Connection, identity: str, rules: Rules) -> Container | None:
        container = connection.inspect(identity)
        rule = rules.policy.find_rule(container) if container is not None else None
        return connection.inspect(identity, from_image=True) if rule is not None and rule.from_image else container

    def _attach_all(
        self, container: Container, heard_at: float, rules: Rules, signals: Signals, *, is_first: bool
    ) -> bool:
        """Attach all that a container may have, or nothing when it asks for more; return whether all of it holds."""
        key = container.environment.get("pipework_key", "")
        reads_variables = rules.variables and policy_file.has_key(rules.policy, key)
        wanted, mistakes = requests.collect_requests(container, self._methods, variables=reads_variables)
        for mistake in mistakes:
            text = f"{mistake.source}: {mistake.error}"
            self._teller.tell_once(Event(event.FAILED, text, guest=container.guest, hint=mistake.error.hint))
        for text in requests.list_unserved(container) if reads_variables else ():
            self._teller.tell_once(Event(event.NOTE, text, guest=container.guest))
        refusals = find_refusals(rules.policy, container, wanted, exists=_exists) if wanted else []
        if refusals:
            hint = "nothing of this container is attached"
            self._teller.tell_once(Event(event.REFUSED, " ".join(refusals), guest=container.guest, hint=hint))
            return True
        done = [self._attach(container, request, heard_at, signals, is_first=is_first) for request in wanted]
        return all(done)

    def _attach(
        self, container: Container, request: requests.Request, heard_at: float, signals: Signals, *, is_first: bool
    ) -> bool:
        if signals.wanted:
            return True
        name = request.attachment.interface or "eth1"
        try:
            with self._open_engine(signals) as engine:
                context, report = engine.attach(request.attachment)
        except PipeworkError as error:
            if signals.wanted:
                return True
            if not (is_first and isinstance(error, GuestError)):  # that may be the end, of which we hear in a moment
                self._teller.tell_once(Event(event.FAILED, str(error), container.guest, name, hint=error.hint))
            return False
        text = f"{context.attachment.where} {_describe(context.attachment)}"
        if report.plan.steps or is_first:
            kind = event.ATTACHED if report.plan.steps else event.UNCHANGED
            took = time.monotonic() - heard_at
            self._teller.tell(Event(kind, text, container.guest, context.attachment.interface, took))
        for warning in report.warnings:
            self._teller.tell_once(Event(event.NOTE, warning, container.guest, name))
        return True

    def _serve_from_file(self, heard: Heard, rules: Rules, signals: Signals) -> bool:
        """Attach what the file names for a guest; return whether all of it holds."""
        name = heard.change.name if heard.change is not None else ""
        for attempt in range(_ATTEMPTS):
            with self._open_engine(signals) as engine:
                jobs = serve_guest(rules.topology, engine, f"{heard.runtime}:{name}", warn=self._teller.warn)
            # A name appears before the namespace is there (ip-netns(8)).
            if attempt + 1 == _ATTEMPTS or not any(isinstance(job.error, GuestError) for job in jobs):
                break
            time.sleep(_PAUSE)
        self._tell_jobs(jobs, heard.at)
        return all(job.whole for job in jobs)

    def _tell_jobs(self, jobs: Iterable[Job], begun: float) -> None:
        for job in jobs:
            asked = job.context.attachment if job.context else job.attachment
            name = asked.interface or "eth1"
            if job.error is not None:
                self._teller.tell_once(Event(event.FAILED, str(job.error), asked.guest, name, hint=job.error.hint))
            elif job.whole:
                kind = event.ATTACHED if job.steps else event.UNCHANGED
                took = time.monotonic() - begun
                self._teller.tell(Event(kind, f"{asked.where} {_describe(asked)}", asked.guest, name, took))


def _exists(name: str) -> bool:
    """Whether the host has an interface of that name."""
    return os.path.isdir(f"/sys/class/net/{name}")


def _describe(attachment: Attachment) -> str:
    words = [*address_words(attachment), *(f"via {gateway}" for gateway in attachment.gateways)]
    return ", ".join(words) or "without an address"
