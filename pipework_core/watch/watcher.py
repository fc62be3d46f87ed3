"""The watcher: each container that asks for interfaces has them, now and whenever it starts."""

from __future__ import annotations

import threading
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pipework_core.model import event
from pipework_core.model.errors import Interrupted, PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.records import Record
from pipework_core.topology.load import load_topology
from pipework_core.topology.model import Topology, refuse_machines
from pipework_core.watch import policy_file, requests, runtime
from pipework_core.watch.netns_names import RUNTIME as NETNS
from pipework_core.watch.netns_names import NamesReader
from pipework_core.watch.reader import Heard, Reader
from pipework_core.watch.serving import Rules, Servant
from pipework_core.watch.teller import Teller
from pipework_core.watch.worker import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Container as Methods

    from pipework_core.engine.signals import Signals
    from pipework_core.model.event import Tell
    from pipework_core.watch.serving import OpenEngine

#: Seconds before a failed request is tried again: the first time, and the most.
_RETRY, _RETRY_MAX = 5.0, 60.0
#: Seconds between an end and the look for what it left, in which others may end as well; and between that and another
#: look, since a busy kernel takes its time to take a network apart.
_SETTLE, _SETTLE_LONG = 1.0, 8.0
#: How much longer than a look for what was left nobody looks again: that takes the host's lock, and all guests' ends
#: may come one by one.
_REST = 10
#: Seconds that work which is under way gets at the end.
_PARTING = 0.8
_TICK = 0.5
#: The keys of work that is no guest's, among those of guests.
_WHOLE_FILE, _GARBAGE = "file", ""


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
        self._tick = tick
        self._rules = _read_rules(wishes)
        self.teller = Teller(tell)
        self._servant = Servant(open_engine=open_engine, methods=methods, teller=self.teller)
        self._heard: SimpleQueue[Heard | None] = SimpleQueue()
        self._workers = Workers(self._tell_fault)
        self._lock = threading.Lock()
        #: What is tried again, and when, by the guest's ID: one start of each, the newest.
        self._retries: dict[str, tuple[float, Heard]] = {}
        self._attempts: dict[str, int] = {}
        self._stopping = False
        self._reloading = False
        self._looks: list[float] = []
        self._collect_at = self._rest_until = 0.0

    def stop(self) -> None:
        """End soon; may be called by a handler of a signal."""
        self._stopping = True
        self._heard.put(None)

    def reload(self) -> None:
        """Read policy and file again; may be called by a handler of a signal."""
        self._reloading = True
        self._heard.put(None)

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is called, or as `Wishes` says.

        `ready` is called once every engine was listed, and again whenever policy and file were read again.
        """
        wishes = self._wishes
        end = time.monotonic() + wishes.seconds if wishes.seconds else 0.0
        readers, unlisted = self._make_readers()
        for reader in readers:
            reader.start()
        try:
            while not self._stopping and not (end and time.monotonic() >= end):
                heard = self._wait()
                if heard is not None and heard.change is None:
                    self._look_for_garbage()  # of what ended while nobody listened
                    if heard.runtime in unlisted:
                        unlisted.discard(heard.runtime)
                        if not unlisted:
                            ready()
                elif heard is not None and heard.change is not None:
                    self._forget_retry(heard.change.id)
                    self._handle(heard)
                self._do_what_is_due(ready)
                if wishes.once and not unlisted:
                    self._wait_for_all()
                    return
        finally:
            for reader in readers:
                reader.stop()
            self._workers.close(_PARTING)

    def _make_readers(self) -> tuple[list[Reader | NamesReader], set[str]]:
        """Return what listens, and the names of what has to be listed."""
        wishes, put = self._wishes, self._heard.put
        unlisted = set(wishes.runtimes)
        readers: list[Reader | NamesReader] = [
            Reader(name, wishes.filters, put, self.teller.tell, once=wishes.once) for name in wishes.runtimes
        ]
        if wishes.topology:
            readers.append(NamesReader(put, once=wishes.once))
            unlisted.add(NETNS)
            self._workers.submit(_WHOLE_FILE, partial(self._servant.apply_file, self._rules))
        return readers, unlisted

    def _wait(self) -> Heard | None:
        try:
            return self._heard.get(timeout=_TICK)
        except Empty:
            return None

    def _wait_for_all(self) -> None:
        while not self._stopping and not self._workers.wait(_TICK):
            self._tick()

    def _do_what_is_due(self, ready: Callable[[], None]) -> None:
        self._tick()
        if self._reloading:
            self._reloading = False
            self._read_rules_again()
            ready()
        now = time.monotonic()
        with self._lock:
            due = [identity for identity, (at, _) in self._retries.items() if at <= now]
            retries = [self._retries.pop(identity)[1] for identity in due]
        for heard in retries:
            self._handle(heard._replace(at=now))
        if self._looks and not self._collect_at:
            self._collect_at = max(now + self._looks.pop(0), self._rest_until)
        elif self._collect_at and now >= self._collect_at:
            self._collect_at = 0.0
            self._workers.submit(_GARBAGE, self._collect_garbage, interrupt=False)

    def _look_for_garbage(self) -> None:
        if not (self._wishes.dry_run or self._wishes.once):
            self._looks = [_SETTLE, _SETTLE_LONG]

    def _forget_retry(self, identity: str) -> None:
        """Forget what was to be tried again of an earlier start: it would interrupt what is done for this one."""
        with self._lock:
            self._retries.pop(identity, None)

    def _collect_garbage(self, signals: Signals) -> None:
        begun = time.monotonic()
        self._servant.collect_garbage(signals)
        ended = time.monotonic()
        self._rest_until = ended + _REST * (ended - begun)

    def _read_rules_again(self) -> None:
        try:
            self._rules = _read_rules(self._wishes)
        except PipeworkError as error:
            text = f"policy and file stay as they were: {error}"
            self.teller.tell(Event(event.FAILED, text, hint=error.hint))
            return
        self.teller.forget()
        self.teller.tell(Event(event.NOTE, "read policy and file again"))
        if self._wishes.topology:
            self._workers.submit(_WHOLE_FILE, partial(self._servant.apply_file, self._rules))

    def _handle(self, heard: Heard) -> None:
        change = heard.change
        if change is None:
            return
        if change.action == runtime.END:
            self._workers.cancel(change.id)
            self._attempts.pop(change.id, None)
            self._look_for_garbage()
        elif requests.asks(change.labels) or self._rules.variables or self._rules.name_guest(heard):
            self._workers.submit(change.id, partial(self._serve, heard, change.id))

    def _serve(self, heard: Heard, identity: str, signals: Signals) -> None:
        """Serve a guest; whatever goes wrong is told, and tried again while it lives."""
        try:
            if self._servant.serve(heard, self._rules, signals, is_first=identity not in self._attempts):
                self._attempts.pop(identity, None)
            else:
                self._retry(heard, identity, signals)
        except Interrupted:
            return
        except PipeworkError as error:
            self.teller.tell(Event(event.FAILED, str(error), guest=identity[:12], hint=error.hint))
            self._retry(heard, identity, signals)
        except Exception:
            if not signals.wanted:  # a connection that was closed meanwhile, or a fault of ours
                self._retry(heard, identity, signals)
                raise

    def _retry(self, heard: Heard, identity: str, signals: Signals) -> None:
        """Serve a container again after a while, each time a longer one; its end, or the next start, changes that."""
        if self._wishes.once or self._wishes.dry_run or self._stopping or signals.wanted:
            return
        with self._lock:
            attempt = self._attempts[identity] = self._attempts.get(identity, 0) + 1
            due = time.monotonic() + min(_RETRY * 2 ** (attempt - 1), _RETRY_MAX)
            self._retries[identity] = (due, heard)

    def _tell_fault(self, key: str, error: Exception) -> None:
        """Tell what one guest's work raised, that nobody expected."""
        self.teller.tell(Event(event.FAILED, f"{type(error).__name__}: {error}", guest=key[:12]))


def _read_rules(wishes: Wishes) -> Rules:
    policy = policy_file.load_policy(wishes.policy)
    topology = load_topology(wishes.topology) if wishes.topology else Topology("")
    refuse_machines(
        topology, f"give pipework watch a file for this machine alone; pipework up -f {topology.file} takes it"
    )
    return Rules(policy, topology, wishes.variables or policy.variables)
