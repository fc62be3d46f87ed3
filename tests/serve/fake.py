"""An engine that attaches to guests in memory, as the real one does as far as the API can see."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.gc import Collected
from pipework_core.engine.inventory import HostInventory, Inventory
from pipework_core.engine.job import Job
from pipework_core.model.attachment import Attachment, address_words
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import ConflictError, Interrupted, NoGuestError
from pipework_core.model.link import GuestState, HostState, Link
from pipework_core.model.plan import Command, Netns, Outcome, Plan, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipework_core.engine.signals import Signals

STEP = Command(argv=("ip", "link", "add"), reason="make it")


class World:
    """The guests that there are, and what is attached to them; `patience` is how long an attachment takes."""

    def __init__(self, *guests: str) -> None:
        self.guests = {name: 4026530000 + number for number, name in enumerate(guests or ("web1", "web2"))}
        self.attached: dict[tuple[str, str], Attachment] = {}
        self.patience = 0.0
        self.listings = 0
        self.runtime = "netns"
        #: Whether the guests' ends of links are gone, and the host's are not yet.
        self.is_severed = False
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        self.links: tuple[Link, ...] = ()
        self.kinds = frozenset({"bridge", "macvlan"})

    @contextmanager
    def open(self, signals: Signals, *, dry_run: bool = False) -> Iterator[FakeEngine]:
        yield FakeEngine(self, signals, dry_run=dry_run)


class FakeEngine:
    def __init__(self, world: World, signals: Signals, *, dry_run: bool) -> None:
        self._world = world
        self._signals = signals
        self._dry_run = dry_run

    def attach(self, asked: Attachment) -> tuple[Context, Report]:
        job = self._attach(asked)
        if job.error is not None:
            raise job.error
        assert job.context is not None
        return job.context, job.report()

    def attach_all(self, wanted: Sequence[Attachment], **_: object) -> list[Job]:
        return [self._attach(asked) for asked in wanted]

    def compare(self, wanted: Sequence[Attachment]) -> list[Job]:
        return [FakeEngine(self._world, self._signals, dry_run=True)._attach(asked) for asked in wanted]

    def detach(self, name: str, interface: str = "", **_: object) -> list[Job]:
        return [self._detach(name, interface)]

    def detach_all(self, wanted: Sequence[Attachment], **_: object) -> list[Job]:
        return [self._detach(asked.guest, asked.interface) for asked in wanted]

    def list_attachments(self, name: str = "") -> Inventory:
        self._world.listings += 1
        if self._world.error is not None:
            raise self._world.error
        if name:
            self._find_guest(name)
        with self._world.lock:
            pairs = sorted(self._world.attached.items())
        return Inventory(tuple(self._describe(key, asked) for key, asked in pairs if name in {"", key[0]}))

    def list_host(self, name: str = "") -> HostInventory:
        return HostInventory(self.list_attachments(name), links=self._world.links)

    def collect_garbage(self) -> Collected:
        return Collected(plan=Plan())

    def open_directory(self, warn: Callable[[str], None]) -> FakeEngine:
        del warn
        return self

    def list_guests(self, patterns: object) -> list[str]:
        del patterns
        return [f"netns:{name}" for name in self._world.guests]

    def resolve_names(self, names: object) -> dict[str, str]:
        del names
        return {}

    def has_host_end(self, job: Job) -> bool:
        del job
        return False

    def count_host_ends(self, jobs: object) -> dict[int, int]:
        del jobs
        return {}

    def _find_guest(self, name: str) -> Guest:
        if name not in self._world.guests:
            raise NoGuestError(f"no running guest is called {name!r}.", hint="look at the list of running guests")
        inode = self._world.guests[name]
        return Guest(name=name, runtime="netns", netns=Netns(f"/run/netns/{name}"), inode=inode)

    def _attach(self, asked: Attachment) -> Job:
        job = Job(asked._replace(interface=asked.interface or "eth1"))
        job.find_guest(self._find_guest)
        if job.guest is None:
            return job
        self._wait()
        key = (job.attachment.guest, job.attachment.interface)
        with self._world.lock:
            there = self._world.attached.get(key)
            if there is not None and there != job.attachment and not asked.replace:
                job.error = ConflictError(f"{key[0]} has {key[1]} already.", hint="choose another name")
                return job
            if not self._dry_run:
                self._world.attached[key] = job.attachment
        return self._complete(job, () if there == job.attachment else (STEP,))

    def _detach(self, name: str, interface: str) -> Job:
        job = Job(Attachment(guest=name, host="", interface=interface), self._find_guest(name))
        with self._world.lock:
            if self._dry_run:
                there = self._world.attached.get((name, interface))
            else:
                there = self._world.attached.pop((name, interface), None)
        return self._complete(job, (STEP,)) if there is not None else job

    def _complete(self, job: Job, steps: tuple[Command, ...]) -> Job:
        assert job.guest is not None
        job.context = Context(job.attachment, job.guest, HostState(links={}), GuestState(links={}))
        job.plan = Plan(steps=steps)
        job.outcomes = [Outcome(code=0) for _ in steps]
        return job

    def _wait(self) -> None:
        deadline = time.monotonic() + self._world.patience
        while time.monotonic() < deadline:
            if self._signals.wanted:
                raise Interrupted
            time.sleep(0.005)

    def _describe(self, key: tuple[str, str], asked: Attachment) -> AttachmentStatus:
        runtime = self._world.runtime
        guest = self._find_guest(key[0])._replace(runtime=runtime, name="471" if runtime == "pid" else key[0])
        addresses = tuple(address_words(asked))
        interface = "" if self._world.is_severed else key[1]
        host_end = f"v{key[1]}{guest.inode}"
        return AttachmentStatus(
            interface,
            asked.kind or "bridge",
            asked.host,
            inode=guest.inode,
            guest=guest,
            addresses=addresses,
            mtu=1500,
            host_end=host_end,
        )
