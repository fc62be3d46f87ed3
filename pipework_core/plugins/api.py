"""The typed protocols that plugins implement. The engine calls them directly, so a type checker sees every call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Candidate, Claim, Clearing, Guest, Leftover, Running, Scene
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import HostFacts, Link
    from pipework_core.model.ownership import Mark
    from pipework_core.model.plan import Command, Outcome, Plan
    from pipework_core.model.snapshot import Client, Namespace, Survey, SwitchPort


class HostSide(Protocol):
    """Describes how the host takes part. No I/O: facts in, plan out.

    A scene has the host's own links and routes as those of the `inside`, too, and the answer to `QUERY` as `home`.
    """

    #: Reads all addresses and routes of the host.
    QUERY: Command
    #: Prints something as long as anybody watches over an earlier run's move, and may take it back.
    GUARDS: Command

    def named(self, scene: Scene) -> Scene:
        """Return the scene with the interface filled in that gets the addresses; raise HostError for an unfit kind."""

    def reads(self, scene: Scene) -> Mapping[str, Command]:
        """Return further reads that the plan needs."""

    def half(self, scene: Scene) -> str:
        """Say what an earlier run left: `asking` (it may be at work), `broken` (it is not), or nothing of either."""

    def plan(self, scene: Scene, backend: Backend, *, confirm: int) -> Plan:
        """Return what makes the host take part; raise HostError or ConflictError when that cannot be."""

    def withdrawal(self, scene: Scene) -> tuple[Plan, Scene]:
        """Return what takes it back, and the scene as it is then; an empty plan says why in a note."""

    def leftovers(self, then: Scene, backend: Backend) -> tuple[Leftover, ...]:
        """Return what of the host has perhaps no use behind that."""


class GuestResolver(Protocol):
    """Finds guests of one runtime. Kept free of waiting and pinning, which are the engine's."""

    runtime: str
    #: The program it asks; empty when it needs none.
    program: str

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Return what the runtime says of `name`; None when it does not know it; raise GuestError when it fails."""

    def list(self, driver: Driver) -> Sequence[Running]:
        """Return all its running guests; raise GuestError when it fails. One that has none of this is never listed."""


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
