"""The typed protocols that plugins implement. The engine calls them directly, so a type checker sees every call."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipework_core.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.driver import Driver
    from pipework_core.facts import GuestFacts, HostFacts, Link
    from pipework_core.marks import Mark
    from pipework_core.namespaces import Namespace
    from pipework_core.plan import Command, Netns, Outcome
    from pipework_core.request import Attachment
    from pipework_core.survey import Client, Survey, SwitchPort

EMPTY = Plan()


class Claim(IntEnum):
    """How surely a backend is the one for a bare host interface name."""

    NO = 0
    PREFIX = 1  #: the name does not exist and starts like ours
    EXISTS = 2  #: it exists, and any link layer of its kind will do
    EXACTLY = 3  #: it exists and is of our kind


class Guest(NamedTuple):
    """Whose network namespace gets the interface. `netns` is pinned before anything is read in it.

    `name` is what the user called it, `runtime` who knows it (docker, podman, lxc, netns, pid), `id` the runtime's own
    identity for it, `pid` its first process (0: it has none), `inode` the number of its namespace.
    """

    name: str
    runtime: str
    netns: Netns
    id: str = ""
    pid: int = 0
    inode: int = 0


class Candidate(NamedTuple):
    """What a runtime says of a name: where its namespace is, or why there is none yet (`starting`) or any more.

    `ended` is one word for a guest that exists and does not run; `asked` is when the runtime was asked, in seconds
    since boot: a process that was born later has a recycled PID.
    """

    netns: Netns | None = None
    id: str = ""
    pid: int = 0
    asked: float = 0.0
    starting: bool = False
    ended: str = ""


class Running(NamedTuple):
    """A guest that runs, by its own name. With `shared`, it has the network of another guest."""

    name: str
    candidate: Candidate
    shared: bool = False


class GuestResolver(Protocol):
    """Finds guests of one runtime. Kept free of waiting and pinning, which are the engine's."""

    runtime: str
    #: The program it asks; empty when it needs none.
    program: str

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Return what the runtime says of `name`; None when it does not know it; raise GuestError when it fails."""

    def list(self, driver: Driver) -> Sequence[Running]:
        """Return all its running guests; raise GuestError when it fails. One that has none of this is never listed."""


class Scene(NamedTuple):
    """All that a plan is made from. `attachment` is complete: host, kind and interface are filled in.

    `existing` is the guest's interface of the asked name when it is ours and to be completed rather than made.
    `answers` holds the outcomes of the plugins' own `reads`, by their keys; `programs` those of the programs they
    asked for that the host has. With `leaving`, `attachment` is what its interface remembers, and nothing comes in its
    place.
    """

    attachment: Attachment
    guest: Guest
    host: HostFacts
    inside: GuestFacts
    existing: Link | None = None
    answers: Mapping[str, Outcome] = MappingProxyType({})
    programs: frozenset[str] = frozenset()
    leaving: bool = False


class Clearing(NamedTuple):
    """What clears the way for a request: the scene as it is then, and the steps before and behind making the link."""

    scene: Scene
    before: Plan = EMPTY
    after: Plan = EMPTY


class Leftover(NamedTuple):
    """What pipework made or changed on the host for attachments in general, and that nobody may need behind this one.

    `name` is its interface, and `remove` takes it away, or puts it back as it was found; a guard (`unless`) says what
    the host can tell of its use. With `hidden`, links of other namespaces may be on top of it, which only a look into
    all of them shows. Several stand from top to bottom: one that somebody uses keeps those below it. What must go in
    several commands, such as a bridge and the port that it was made with, has one name in all of them.
    """

    name: str
    remove: Command
    hidden: bool = False


class Backend(Protocol):
    """Describes how one kind of link is had. No I/O: facts in, plan out."""

    #: The word before the colon in `KIND:NAME`.
    kind: str
    #: The guest interface when `-i` is not given.
    interface: str
    #: What `-o KEY=VALUE` it knows: key to one line of help.
    options: Mapping[str, str]

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Whether a bare `name` is this backend's business."""

    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        """Return further reads that its plan needs, by a key of its own."""

    def fits(self, scene: Scene, link: Link) -> bool:
        """Whether `link`, found in the guest, is what this request would make."""

    def mark(self, scene: Scene) -> Mark:
        """Return what is to be remembered on the interface; the engine adds the request and the default routes."""

    def plan(self, scene: Scene) -> Plan:
        """Return what makes the link, or completes `scene.existing`; raise HostError when that cannot be."""

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        """Return what puts `link`, made by this backend, out of the way, so that undoing brings it back as it was.

        It serves `--replace` and `detach`.
        """

    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        """Return what of the host has perhaps no use behind detaching; what no mark says is ours is none of it.

        Where `scene` has no interface, a killed run detached it already.
        """


class Collector(Protocol):
    """What a backend may be beyond `Backend`: it knows what dead guests and killed runs leave of its kind."""

    def remains(self, survey: Survey) -> Plan:
        """Return what takes it away, as a `sweep`; nothing that is alive, and nothing without a mark of ours."""


class Switchboard(Protocol):
    """What a backend may be whose switch keeps its ports elsewhere than in the kernel."""

    def surveys(self, host: HostFacts) -> Mapping[str, Command]:
        """Return the reads that tell its ports, nothing where the host has no such switch."""

    def ports(self, answers: Mapping[str, Outcome]) -> Mapping[str, SwitchPort]:
        """Return the ports by the names of their interfaces."""


class Keeper(Protocol):
    """Knows the DHCP clients that stay with their guests."""

    def found(self, driver: Driver) -> Sequence[Client]:
        """Return those that there are; none where they cannot be asked for."""

    def judged(self, driver: Driver, clients: Sequence[Client], spaces: Mapping[int, Namespace]) -> tuple[Client, ...]:
        """Return them with what is left in their namespaces found out (`Client.alone`)."""


class Addressing(Protocol):
    """Describes how an interface that exists gets addresses. Static comes first: it marks and raises the interface."""

    #: The word that chooses it; `static` always takes part.
    method: str
    #: What `-o KEY=VALUE` it knows: key to one line of help.
    options: Mapping[str, str]
    #: Programs of the host that its plan depends on; those found are in `Scene.programs`.
    programs: tuple[str, ...]

    def reads(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Return further reads that its plan needs, by keys that begin with the method."""

    def plan(self, scene: Scene, mark: Mark) -> Plan:
        """Return what is missing; raise HostError or GuestError when the request cannot be met."""

    def release(self, scene: Scene, mark: Mark) -> Plan:
        """Return what gives back what an earlier request got by this method, in front of detaching or replacing."""


def address_words(attachment: Attachment) -> list[str]:
    """Return the addresses that were asked for, as the user would type them."""
    words = [str(address) for address in attachment.addresses]
    return words + ([str(attachment.dhcp)] if attachment.dhcp else []) + (["auto"] if attachment.auto else [])


def describe(attachment: Attachment) -> str:
    """Say in a few words what was asked for, as the user would type it."""
    words: Sequence[str] = (
        attachment.where,
        f"-i {attachment.interface}" if attachment.interface else "",
        ",".join(address_words(attachment)) or "0/0",
        " ".join(f"@{gateway}" for gateway in attachment.gateways),
        attachment.mac,
        f"@{attachment.vlan}" if attachment.vlan else "",
    )
    return " ".join(word for word in words if word)
