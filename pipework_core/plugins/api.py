"""The typed protocols that plugins implement. The engine calls them directly, so a type checker sees every call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Candidate, Claim, Context, Guest, Replacement, RunningGuest, SharedResource
    from pipework_core.model.driver import Driver
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command, Outcome, Plan
    from pipework_core.model.snapshot import Client, Namespace, Snapshot, SwitchPort


class HostAccessPlanner(Protocol):
    """Describes how the host takes part. No I/O: facts in, plan out.

    A scene has the host's own links and routes as those of the `guest_state`, too, and the answer to `QUERY` as `home`.
    """

    name: str
    #: Programs of the host that its plans depend on; those found are in `Context.programs`.
    programs: tuple[str, ...]
    #: Reads all addresses and routes of the host.
    QUERY: Command
    #: Prints something as long as anybody watches over an earlier run's move, and may take it back.
    GUARDS: Command

    def named(self, context: Context) -> Context:
        """Return the scene with the interface filled in that gets the addresses; raise HostError for an unfit kind."""

    def reads(self, context: Context) -> Mapping[str, Command]:
        """Return further reads that the plan needs."""

    def half(self, context: Context) -> str:
        """Say what an earlier run left: `asking` (it may be at work), `broken` (it is not), or nothing of either."""

    def plan(self, context: Context, backend: Backend, *, confirm: int) -> Plan:
        """Return what makes the host take part; raise HostError or ConflictError when that cannot be."""

    def withdrawal(self, context: Context) -> tuple[Plan, Context]:
        """Return what takes it back, and the scene as it is then; an empty plan says why in a note."""

    def shared_resources(self, next_context: Context, backend: Backend) -> tuple[SharedResource, ...]:
        """Return what of the host has perhaps no use behind that."""


class GuestResolver(Protocol):
    """Finds guests of one runtime. Kept free of waiting and pinning, which are the engine's."""

    runtime: str
    #: The program it asks; empty when it needs none.
    program: str

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Return what the runtime says of `name`; None when it does not know it; raise GuestError when it fails."""

    def list(self, driver: Driver) -> Sequence[RunningGuest]:
        """Return all its running guests; raise GuestError when it fails. One that has none of this is never listed."""


class Backend(Protocol):
    """Describes how one kind of link is had. No I/O: facts in, plan out."""

    #: The word before the colon in `KIND:NAME`.
    kind: str
    #: The guest interface when `-i` is not given.
    interface: str
    #: What `-o KEY=VALUE` it knows: key to one line of help.
    options: Mapping[str, str]

    def claims(self, name: str, host: HostState) -> Claim:
        """Whether a bare `name` is this backend's business."""

    def reads(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Return further reads that its plan needs, by a key of its own."""

    def matches(self, context: Context, link: Link) -> bool:
        """Whether `link`, found in the guest, is what this request would make."""

    def tag(self, context: Context) -> Tag:
        """Return what is to be remembered on the interface; the engine adds the request and the default routes."""

    def plan(self, context: Context) -> Plan:
        """Return what makes the link, or completes `context.existing`; raise HostError when that cannot be."""

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Return what puts `link`, made by this backend, out of the way, so that undoing brings it back as it was.

        It serves `--replace` and `detach`.
        """

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Return what of the host has perhaps no use behind detaching; what no mark says is ours is none of it.

        Where `context` has no interface, a killed run detached it already.
        """


class Collector(Protocol):
    """What a backend may be beyond `Backend`: it knows what dead guests and killed runs leave of its kind."""

    def remains(self, snapshot: Snapshot) -> Plan:
        """Return what takes it away, as a `cleanup`; nothing that is alive, and nothing without a mark of ours."""


class Switchboard(Protocol):
    """What a backend may be whose switch keeps its ports elsewhere than in the kernel."""

    def surveys(self, host: HostState) -> Mapping[str, Command]:
        """Return the reads that tell its ports, nothing where the host has no such switch."""

    def ports(self, answers: Mapping[str, Outcome]) -> Mapping[str, SwitchPort]:
        """Return the ports by the names of their interfaces."""


class DhcpClientFinder(Protocol):
    """Knows the DHCP clients that stay with their guests."""

    name: str

    def find_clients(self, driver: Driver) -> Sequence[Client]:
        """Return those that there are; none where they cannot be asked for."""

    def check_alone(
        self, driver: Driver, clients: Sequence[Client], spaces: Mapping[int, Namespace]
    ) -> tuple[Client, ...]:
        """Return them with what is left in their namespaces found out (`Client.alone`)."""


class Addressing(Protocol):
    """Describes how an interface that exists gets addresses. Static comes first: it marks and raises the interface."""

    #: The word that chooses it; `static` always takes part.
    method: str
    #: What `-o KEY=VALUE` it knows: key to one line of help.
    options: Mapping[str, str]
    #: Programs of the host that its plan depends on; those found are in `Context.programs`.
    programs: tuple[str, ...]

    def reads(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Return further reads that its plan needs, by keys that begin with the method."""

    def plan(self, context: Context, tag: Tag) -> Plan:
        """Return what is missing; raise HostError or GuestError when the request cannot be met."""

    def release(self, context: Context, tag: Tag) -> Plan:
        """Return what gives back what an earlier request got by this method, in front of detaching or replacing."""
