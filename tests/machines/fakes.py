"""Machines of a file whose engines have the methods of the real one and answer what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

from pipework_core.engine.agreement import ALONE
from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.engine import Engine
from pipework_core.engine.inventory import Inventory
from pipework_core.engine.job import Job
from pipework_core.engine.signals import Signals
from pipework_core.machines.site import Site, Sites, Work
from pipework_core.model.context import Guest
from pipework_core.model.plan import Command, Netns, Outcome, Plan
from pipework_core.topology import parse_topology
from pipework_core.topology.model import Machine, Place, Topology

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.errors import PipeworkError

STEP = Command(argv=("ip", "link"), reason="make eth1")
PLACE = Place("site.yaml")


def make_file(links: dict[str, Sequence[str]], **fields: Any) -> Topology:  # noqa: ANN401 - any of its fields
    """Return a file with these machines, each with lines of its own."""
    found = []
    for machine, lines in links.items():
        text = "".join(f"\n  - {line}" for line in lines)
        parsed = parse_topology(f"version: 1\nlinks: {text or '[]'}\n", "site.yaml")
        found += [link._replace(machine=machine) for link in parsed.links]
    machines = tuple(Machine(name, f"ssh://root@{name}", PLACE) for name in links)
    return Topology("site.yaml", tuple(found), machines=machines)._replace(**fields)


def make_status(name: str, *addresses: str, runtime: str = "docker") -> AttachmentStatus:
    guest = Guest(name=name, runtime=runtime, netns=Netns(path=f"/run/netns/{name}"))
    return AttachmentStatus(interface="eth1", kind="bridge", inode=7, guest=guest, addresses=addresses)


class FakeEngine:
    """An engine: `attached` are its guests that have what was asked for; `errors` what comes of a guest's link."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.attached: set[str] = set()
        self.errors: dict[str, PipeworkError] = {}
        self.unlisted: list[AttachmentStatus] = []
        self.stub = MagicMock(spec=Engine)
        self.stub.open_directory.return_value.resolve_names.return_value = {}
        self.stub.open_directory.return_value.list_guests.return_value = []
        self.stub.attach_all.side_effect = self.attach_all
        self.stub.compare.side_effect = lambda wanted, **_: [self._make_job(one, done=False) for one in wanted]
        self.stub.detach_all.side_effect = self.detach_all
        self.stub.count_host_ends.return_value = {7: 1}
        self.stub.list_attachments.side_effect = lambda: Inventory(tuple(self.unlisted))

    def _make_job(self, asked: Attachment, *, done: bool) -> Job:
        job = Job(asked)
        job.error = self.errors.get(asked.guest)
        if job.error is None:
            job.plan = Plan() if asked.guest in self.attached else Plan(steps=(STEP,))
            job.outcomes = [Outcome(0)] * (len(job.plan.steps) if done else 0)
        return job

    def attach_all(self, wanted: Sequence[Attachment], **options: Any) -> list[Job]:  # noqa: ANN401 - as the engine's
        """Attach those without an error; with `atomic`, and without agreement, undo them."""
        jobs = [self._make_job(one, done=True) for one in wanted]
        agreement = options.get("agreement", ALONE)
        self.log.append(f"{self.name} attaches {' '.join(one.guest for one in wanted)}")
        if options["atomic"] and not agreement.decide(whole=all(job.whole for job in jobs)):
            for job in jobs:
                job.begun, job.outcomes = True, []
            self.log.append(f"{self.name} undoes")
            return jobs
        self.attached |= {job.attachment.guest for job in jobs if job.whole}
        return jobs

    def detach_all(self, wanted: Sequence[Attachment], **_: object) -> list[Job]:
        """Detach them."""
        self.log.append(f"{self.name} detaches {' '.join(one.guest for one in wanted)}")
        names = {one.guest for one in wanted}
        self.unlisted = [one for one in self.unlisted if one.guest and f"docker:{one.guest.name}" not in names]
        self.attached -= names
        return [self._make_job(one, done=True) for one in wanted]


class FakeSites:
    """The machines of a file, all of which answer but those with an error."""

    def __init__(self, topology: Topology, errors: dict[str, PipeworkError] | None = None) -> None:
        self.log: list[str] = []
        self.warned: list[str] = []
        self.engines = {one.name: FakeEngine(one.name, self.log) for one in topology.machines}
        self.signals = Signals()
        found = {
            one.name: Site(one, self.engines[one.name].stub, MagicMock(), Signals())
            for one in topology.machines
            if one.name not in (errors or {})
        }
        names = [one.name for one in topology.machines]
        sites = Sites(tuple(found.values()), errors or {})
        self.work = Work(topology, sites, names, self.signals, self.warn)

    def warn(self, machine: str, text: str) -> None:
        self.warned.append(f"{machine}: {text}")
