"""The watcher: each container that asks for interfaces has them, now and whenever it starts."""

from __future__ import annotations

import heapq
import os
import threading
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pipework_core.model import event
from pipework_core.model.attachment import address_words
from pipework_core.model.errors import GuestError, Interrupted, PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.topology.apply import apply_topology, names_guest, serve_guest
from pipework_core.topology.load import load_topology
from pipework_core.topology.model import Topology
from pipework_core.watch import policy_file, requests, runtime
from pipework_core.watch.netns_names import RUNTIME as NETNS
from pipework_core.watch.netns_names import NamesReader
from pipework_core.watch.policy import find_refusals
from pipework_core.watch.reader import Heard, Reader
from pipework_core.watch.worker import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Container as Methods
    from contextlib import AbstractContextManager

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.job import Job
    from pipework_core.engine.signals import Signals
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.event import Tell
    from pipework_core.watch.container import Container
    from pipework_core.watch.runtime import Connection

    #: Opens an engine for one piece of work in one thread.
    OpenEngine = Callable[[Signals], AbstractContextManager[Engine]]

#: Seconds before a failed request is tried again: the first time, and the most.
_RETRY, _RETRY_MAX = 5.0, 60.0
#: Seconds between an end and the look for what it left, in which others may end as well.
_SETTLE = 1.0
#: Seconds that work which is under way gets at the end.
_PARTING = 0.8
_TICK = 0.5
#: How often, and after how many seconds, a namespace is looked for whose name is there.
_ATTEMPTS, _PAUSE = 20, 0.05
#: The key of the work for the whole file among those of guests.
_WHOLE_FILE = "file"
#: Sentences that are remembered, so that each is said once.
_SAID_MAX = 10_000


class Wishes(Record):
    """What a watcher is to do. `variables`: dreamcat4's count; `seconds` 0: until it is stopped.

    `policy` is a file, and so is `topology`, which is kept true; empty for none.
    """

    runtimes: tuple[str, ...]
    policy: str = policy_file.DEFAULT_FILE
    filters: Mapping[str, list[str]] = {}
    variables: bool = False
    once: bool = False
    seconds: float = 0.0
    dry_run: bool = False
    topology: str = ""


class Watcher:
    """Listens to engines, and serves the containers that ask, each in a thread of its own.

    `tell` is told of everything, from any thread. `tick` is called by the loop that reads, every half second at least.
    """

    def __init__(
        self,
        wishes: Wishes,
        *,
        open_engine: OpenEngine,
        methods: Methods[str],
        tell: Tell,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._wishes = wishes
        self._open_engine = open_engine
        self._methods = methods
        self._tell_listener = tell
        self._tick = tick
        self._policy = policy_file.load_policy(wishes.policy)
        self._topology = load_topology(wishes.topology) if wishes.topology else Topology("")
        self._heard: SimpleQueue[Heard | None] = SimpleQueue()
        self._workers = Workers(self._tell_fault)
        self._lock = threading.Lock()
        self._retries: list[tuple[float, int, Heard]] = []
        self._attempts: dict[str, int] = {}
        self._said: dict[tuple[str, str], None] = {}
        self._stopping = False
        self._reloading = False
        self._collect_at = 0.0
        self.served = self.failed = self.refused = 0

    def stop(self) -> None:
        """End soon; may be called by a handler of a signal."""
        self._stopping = True
        self._heard.put(None)

    def reload(self) -> None:
        """Read the policy again; may be called by a handler of a signal."""
        self._reloading = True
        self._heard.put(None)

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is called, or as `Wishes` says; `ready` is called once every engine was listed."""
        wishes = self._wishes
        end = time.monotonic() + wishes.seconds if wishes.seconds else 0.0
        readers: list[Reader | NamesReader] = [
            Reader(name, wishes.filters, self._heard.put, self._tell, once=wishes.once) for name in wishes.runtimes
        ]
        unlisted = set(wishes.runtimes)
        if wishes.topology:
            readers.append(NamesReader(self._heard.put, once=wishes.once))
            unlisted.add(NETNS)
            self._workers.submit(_WHOLE_FILE, self._apply_file)
        for reader in readers:
            reader.start()
        try:
            while not self._stopping and not (end and time.monotonic() >= end):
                heard = self._wait()
                if heard is not None and heard.change is None and heard.runtime in unlisted:
                    unlisted.discard(heard.runtime)
                    if not unlisted:
                        ready()
                elif heard is not None and heard.change is not None:
                    self._handle(heard)
                self._do_what_is_due()
                if wishes.once and not unlisted:
                    self._wait_for_all()
                    return
        finally:
            for reader in readers:
                reader.stop()
            self._workers.close(_PARTING)

    def _wait(self) -> Heard | None:
        try:
            return self._heard.get(timeout=_TICK)
        except Empty:
            return None

    def _wait_for_all(self) -> None:
        while not self._stopping and not self._workers.wait(_TICK):
            self._tick()

    def _do_what_is_due(self) -> None:
        self._tick()
        if self._reloading:
            self._reloading = False
            self._read_files_again()
        now = time.monotonic()
        with self._lock:
            due = []
            while self._retries and self._retries[0][0] <= now:
                due.append(heapq.heappop(self._retries)[2])
        for heard in due:
            self._handle(heard)
        if self._collect_at and now >= self._collect_at:
            self._collect_at = 0.0
            self._workers.submit("", self._collect_garbage)

    def _read_files_again(self) -> None:
        try:
            policy = policy_file.load_policy(self._wishes.policy)
            topology = load_topology(self._wishes.topology) if self._wishes.topology else self._topology
        except PipeworkError as error:
            self._tell(Event(event.FAILED, f"policy and file stay as they were: {error}", hint=error.hint))
            return
        self._policy, self._topology = policy, topology
        self._said.clear()
        self._tell(Event(event.NOTE, "read policy and file again"))
        if self._wishes.topology:
            self._workers.submit(_WHOLE_FILE, self._apply_file)

    def _handle(self, heard: Heard) -> None:
        change = heard.change
        if change is None:
            return
        if change.action == runtime.END:
            self._workers.cancel(change.id)
            self._attempts.pop(change.id, None)
            self._collect_at = time.monotonic() + _SETTLE
        elif heard.connection is not None and (requests.asks(change.labels) or self._reads_variables()):
            self._workers.submit(change.id, partial(self._serve, heard, heard.connection, change.id))
        elif self._is_in_file(heard):
            self._workers.submit(change.id, partial(self._serve, heard, None, change.id))

    def _reads_variables(self) -> bool:
        return self._wishes.variables or self._policy.variables

    def _is_in_file(self, heard: Heard) -> bool:
        return heard.change is not None and names_guest(self._topology, f"{heard.runtime}:{heard.change.name}")

    def _serve(self, heard: Heard, connection: Connection | None, identity: str, signals: Signals) -> None:
        """Give a guest what it, or the file, asks for; whatever goes wrong is told, and tried again while it lives."""
        try:
            container = self._inspect(connection, identity) if connection is not None else None
            holds = container is None or self._attach_all(container, heard.at, signals)
            if self._is_in_file(heard):
                holds = self._serve_from_file(heard, signals) and holds
            if not holds:
                self._retry(heard, identity)
        except Interrupted:
            return
        except PipeworkError as error:
            self._tell(Event(event.FAILED, str(error), guest=identity[:12], hint=error.hint))
            self._retry(heard, identity)
        except Exception:
            if not signals.wanted:  # a connection that was closed meanwhile, or a fault of ours
                self._retry(heard, identity)
                raise

    def _serve_from_file(self, heard: Heard, signals: Signals) -> bool:
        """Attach what the file names for a guest; return whether all of it holds."""
        name = heard.change.name if heard.change is not None else ""
        guest = f"{heard.runtime}:{name}"
        for attempt in range(_ATTEMPTS):
            with self._open_engine(signals) as engine:
                jobs = serve_guest(self._topology, engine, guest, warn=self._warn)
            # A name appears before the namespace is there (ip-netns(8)).
            if attempt + 1 == _ATTEMPTS or not any(isinstance(job.error, GuestError) for job in jobs):
                break
            time.sleep(_PAUSE)
        self._tell_jobs(jobs, heard.at)
        return all(job.whole for job in jobs)

    def _apply_file(self, signals: Signals) -> None:
        """Make the whole file true, the host's own part included."""
        begun = time.monotonic()
        try:
            with self._open_engine(signals) as engine:
                report = apply_topology(self._topology, engine, warn=self._warn)
        except Interrupted:
            return
        except PipeworkError as error:
            self._tell(Event(event.FAILED, str(error), hint=error.hint))
            return
        self._tell_jobs([job for job in report.jobs if job.guest is not None], begun)
        for result in report.host.results:
            if result.error is not None:
                self._tell(Event(event.FAILED, f"{result.entry.place}: {result.error}", hint=result.error.hint))

    def _tell_jobs(self, jobs: Iterable[Job], begun: float) -> None:
        for job in jobs:
            asked = job.context.attachment if job.context else job.attachment
            name = asked.interface or "eth1"
            if job.error is not None:
                self._tell_once(Event(event.FAILED, str(job.error), asked.guest, name, hint=job.error.hint))
            elif job.whole:
                kind = event.ATTACHED if job.steps else event.UNCHANGED
                took = time.monotonic() - begun
                self._tell(Event(kind, f"{asked.where} {_describe(asked)}", asked.guest, name, took))

    def _tell_fault(self, key: str, error: Exception) -> None:
        """Tell what one guest's work raised, that nobody expected."""
        self._tell(Event(event.FAILED, f"{type(error).__name__}: {error}", guest=key[:12]))

    def _warn(self, text: str) -> None:
        self._tell_once(Event(event.NOTE, text))

    def _inspect(self, connection: Connection, identity: str) -> Container | None:
        container = connection.inspect(identity)
        rule = self._policy.find_rule(container) if container is not None else None
        return connection.inspect(identity, from_image=True) if rule is not None and rule.from_image else container

    def _attach_all(self, container: Container, heard_at: float, signals: Signals) -> bool:
        """Attach all that a container may have, or nothing when it asks for more; return whether all of it holds."""
        reads_variables = self._reads_variables() and policy_file.has_key(
            self._policy, container.environment.get("pipework_key", "")
        )
        wanted, mistakes = requests.collect_requests(container, self._methods, variables=reads_variables)
        for mistake in mistakes:
            text = f"{mistake.source}: {mistake.error}"
            self._tell_once(Event(event.FAILED, text, guest=container.guest, hint=mistake.error.hint))
        for text in requests.list_unserved(container) if reads_variables else ():
            self._tell_once(Event(event.NOTE, text, guest=container.guest))
        refusals = find_refusals(self._policy, container, wanted, exists=_exists) if wanted else []
        if refusals:
            hint = "nothing of this container is attached"
            self._tell_once(Event(event.REFUSED, " ".join(refusals), guest=container.guest, hint=hint))
            return True
        done = [self._attach(container, request, heard_at, signals) for request in wanted]
        return all(done)

    def _attach(self, container: Container, request: requests.Request, heard_at: float, signals: Signals) -> bool:
        if signals.wanted:
            return True
        name = request.attachment.interface or "eth1"
        try:
            with self._open_engine(signals) as engine:
                context, report = engine.attach(request.attachment)
        except PipeworkError as error:
            if signals.wanted:
                return True
            is_first = container.id not in self._attempts
            if not (is_first and isinstance(error, GuestError)):  # that may be the end, of which we hear in a moment
                self._tell_once(Event(event.FAILED, str(error), container.guest, name, hint=error.hint))
            return False
        took = time.monotonic() - heard_at
        kind = event.ATTACHED if report.plan.steps else event.UNCHANGED
        text = f"{context.attachment.where} {_describe(context.attachment)}"
        self._tell(Event(kind, text, container.guest, context.attachment.interface, took))
        for warning in report.warnings:
            self._tell_once(Event(event.NOTE, warning, container.guest, name))
        return True

    def _retry(self, heard: Heard, identity: str) -> None:
        """Serve a container again after a while, each time a longer one; its end, or the next start, changes that."""
        if self._wishes.once or self._wishes.dry_run or self._stopping:
            return
        with self._lock:
            attempt = self._attempts[identity] = self._attempts.get(identity, 0) + 1
            due = time.monotonic() + min(_RETRY * 2 ** (attempt - 1), _RETRY_MAX)
            heapq.heappush(self._retries, (due, id(heard), heard))

    def _collect_garbage(self, signals: Signals) -> None:
        """Take away what containers that ended have left on the host, such as ports of Open vSwitch."""
        if self._wishes.dry_run:
            return
        try:
            with self._open_engine(signals) as engine:
                collected = engine.collect_garbage()
        except Interrupted:
            return
        except PipeworkError as error:
            self._tell_once(Event(event.FAILED, f"cannot collect garbage: {error}", hint=error.hint))
            return
        for command in collected.gone:
            self._tell(Event(event.ENDED, command.reason))

    def _tell(self, told: Event) -> None:
        """Count an event, and pass it on; one thread at a time."""
        with self._lock:
            self.served += told.kind in {event.ATTACHED, event.UNCHANGED}
            self.failed += told.kind == event.FAILED
            self.refused += told.kind == event.REFUSED
            self._tell_listener(told._replace(text=escape_text(told.text), guest=escape_text(told.guest)))

    def _tell_once(self, told: Event) -> None:
        """Tell it unless it was told of this guest already: a crash loop would say it in each of its lives."""
        key = (told.guest, told.text)
        if key in self._said:
            return
        if len(self._said) >= _SAID_MAX:
            self._said.clear()
        self._said[key] = None
        self._tell(told)


def _exists(name: str) -> bool:
    """Whether the host has an interface of that name."""
    return os.path.isdir(f"/sys/class/net/{name}")


def _describe(attachment: Attachment) -> str:
    words = [*address_words(attachment), *(f"via {gateway}" for gateway in attachment.gateways)]
    return ", ".join(words) or "without an address"
