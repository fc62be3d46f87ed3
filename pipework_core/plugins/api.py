"""The base classes and protocols that plugins implement. The engine calls them directly: a type checker sees it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from pipework_core.model.context import Claims
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Plan
from pipework_core.model.snapshot import LinkDetails
from pipework_core.toolkit.replace import rename_aside
from pipework_core.toolkit.veth import VETH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Candidate, Context, Guest, Replacement, RunningGuest, SharedResource
    from pipework_core.model.driver import Driver
    from pipework_core.model.finding import Examination, Finding
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.model.snapshot import Client, Namespace, Snapshot, SwitchPort


class HostAccessPlanner(Protocol):
    """Describes how the host takes part. No I/O: facts in, plan out.

    Its context has the host's own links and routes as `guest_state` as well, and the answer to `QUERY` as `home`.
    """

    name: str
    #: Programs of the host that its plans depend on; those found are in `Context.programs`.
    programs: tuple[str, ...]
    #: Reads all addresses and routes of the host.
    QUERY: Command
    #: Prints something as long as anybody watches over an earlier run's move, and may take it back.
    GUARDS: Command

    def named(self, context: Context) -> Context:
        """Return the context with the interface that gets the addresses; raise HostError for a kind that cannot."""

    def queries(self, context: Context) -> Mapping[str, Command]:
        """Return further queries that the plan needs."""

    def half(self, context: Context) -> str:
        """Say what an earlier run left: `asking` (it may be at work), `broken` (it is not), or nothing of either."""

    def plan(self, context: Context, backend: LinkBackend, *, confirm: int) -> Plan:
        """Return what makes the host take part; raise HostError or ConflictError when that cannot be."""

    def withdrawal(self, context: Context) -> tuple[Plan, Context]:
        """Return what takes it back, and the context as it is then; an empty plan says why in a note."""

    def shared_resources(self, next_context: Context, backend: LinkBackend) -> tuple[SharedResource, ...]:
        """Return what of the host nobody may need after that."""


class GuestResolver(Protocol):
    """Finds guests of one runtime. Kept free of waiting and pinning, which are the engine's."""

    runtime: str
    #: The program it asks; empty when it needs none.
    program: str

    def find(self, name: str, driver: Driver) -> Candidate | None:
        """Return what the runtime says of `name`; None when it does not know it; raise GuestError when it fails."""

    def list(self, driver: Driver) -> Sequence[RunningGuest]:
        """Return all its running guests; raise GuestError when it fails. One that has none of this is never listed."""


class LinkBackend:
    """Describes how one kind of link is had: facts in, plan out. Does no I/O.

    A kind inherits from this class, sets `kind`, and says only what is special about it. Most kinds need `create` and
    `matches`.
    """

    #: The word before the colon in `KIND:NAME`.
    kind: str = ""
    #: The guest interface when `-i` is not given.
    interface: str = "eth1"
    #: The kernel's kind of the link in the guest, as `ip -details link` shows it; empty: it can be any.
    link_kind: str = ""
    #: Which bare names of host interfaces mean this kind.
    claims: Claims = Claims()
    #: What `-o KEY=VALUE` it knows: key to one line of help.
    options: Mapping[str, str] = MappingProxyType({})
    #: Whether neighbours are told who has the guest's addresses.
    announces: bool = True
    #: Whether the NIC itself moves into the guest: what has its MAC address is to be looked for there, too.
    moves_nic: bool = False
    #: The fields of an Attachment that this kind cannot have: `vlan`, `host_name`, `mac` or `mtu`.
    unsupported: tuple[str, ...] = ()

    @property
    def noun(self) -> str:
        """What messages call an interface of this kind, such as `a dummy`."""
        return self.kind

    def queries(self, attachment: Attachment, host_state: HostState) -> Mapping[str, Command]:
        """Return further queries that the plan needs; the answers are in `Context.answers` by the same keys."""
        del attachment, host_state
        return {}

    def matches(self, context: Context, link: Link) -> bool:
        """Whether `link`, an interface of the guest, is what this attachment would create."""
        del context
        return link.kind == (self.link_kind or self.kind)

    def tag(self, context: Context) -> Tag:
        """Return what the interface must remember; the engine adds the request and the default routes."""
        return Tag(kind=self.kind, parent=context.attachment.host, vlan=context.attachment.vlan)

    def plan(self, context: Context) -> Plan:
        """Return what creates the link, or completes `context.existing`; raise HostError when that is impossible."""
        self.refuse_unsupported(context.attachment)
        return self.create(context) if context.existing is None else self.complete(context, context.existing)

    def refuse_unsupported(self, attachment: Attachment) -> None:
        """Raise UsageError for a field of the request that this kind cannot have."""
        for field in self.unsupported:
            if getattr(attachment, field):
                reason, option = _REFUSALS[field]
                raise UsageError(f"{self.noun} has {reason}.", hint=f"leave {option} out")

    def create(self, context: Context) -> Plan:
        """Return what creates the link in the guest."""
        raise NotImplementedError

    def complete(self, context: Context, link: Link) -> Plan:
        """Return what is missing of `link`, which an earlier run created."""
        del context
        return Plan(notes=(f"{link.name} is {self.noun} already",))

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Return what puts `link`, created by this backend, out of the way; undoing it brings the link back as it was.

        `--replace` and `detach` use it.
        """
        return rename_aside(context, link, tag)

    def keeps_lease(self, context: Context, link: Link) -> bool:
        """Whether what `link` is connected to gave its address by itself, so that nobody has to give that back."""
        del context, link
        return False

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Return what of the host nobody may need after detaching; only what a tag or our group says is ours.

        When `context` has no interface, a killed run has detached it before.
        """
        del context, tag
        return ()

    def find_shared_tag(self, link: Link) -> Tag | None:
        """Return the tag for which `shared_resources` names `link`, an interface of the host; None: it is not ours.

        The engine asks this of an interface that a killed run has marked as to be removed or put back.
        """
        del link
        return None

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Whether a guest's `link` with that tag is of this kind, as far as the host bears it out.

        The root of a guest can write any tag. `host_end` is the other end of a veth pair, where what only the host
        can write says that it belongs to this guest.
        """
        del snapshot, tag
        return self.link_kind in {"", link.kind} and (self.link_kind != VETH or host_end is not None)

    def describe(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> LinkDetails:
        """Return what `ls` shows of a link that this kind recognises; without a tag of its own, `tag` has the kind."""
        del host_end
        parent = snapshot.find_parent(link)
        return LinkDetails(parent=tag.nic or tag.parent or (parent.name if parent else ""), vlan=tag.vlan)

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Return a `cleanup` of what dead guests and killed runs left of this kind.

        It must not touch anything that is alive, nor anything without a tag of ours.
        """
        del snapshot
        return Plan()

    def remains_query(self, place: str) -> Command | None:
        """Return the query that tells what machines have left where several share something, such as a database.

        `place` says where that is; empty: where this machine has it. None: this kind shares nothing.
        """
        del place
        return None

    def remains(self, machine: str, answer: Outcome) -> Plan:
        """Return a `cleanup` of all that a machine has left there; a person has said that the machine is gone.

        Raise HostError when there is nothing of such a machine. What is not ours, or another machine's, stays.
        """
        del machine, answer
        return Plan()

    def make_switch(self, context: Context) -> Plan:
        """Return what creates or raises the switch itself, for the host to take part in it.

        Raise HostError for a kind that has no switches.
        """
        del context
        raise HostError(f"{self.kind} has no bridges that the host could take part in.", hint="name a Linux bridge")

    def port_queries(self, host_state: HostState) -> Mapping[str, Command]:
        """Return the queries that tell the ports of a switch which keeps them elsewhere than in the kernel.

        Return nothing where the host has no such switch.
        """
        del host_state
        return {}

    def parse_ports(self, answers: Mapping[str, Outcome]) -> Mapping[str, SwitchPort]:
        """Return the ports of the switch by the names of their interfaces, from the answers to `port_queries`."""
        del answers
        return {}


#: Field of an Attachment to what is said about it, and to the option that sets it.
_REFUSALS: Mapping[str, tuple[str, str]] = {
    "vlan": ("no VLAN", "the @ part"),
    "host_name": ("no end on the host that -l could name", "-l"),
    "mac": ("no MAC of its own", "the MAC"),
    "mtu": ("no MTU of its own", "--mtu"),
}


class DhcpClientFinder(Protocol):
    """Knows the DHCP clients that stay with their guests."""

    name: str

    def find_clients(self, driver: Driver) -> Sequence[Client]:
        """Return those that there are; none where they cannot be asked for."""

    def check_alone(
        self, driver: Driver, clients: Sequence[Client], spaces: Mapping[int, Namespace]
    ) -> tuple[Client, ...]:
        """Return them with what is left in their namespaces found out (`Client.alone`)."""

    def end_stale(self, driver: Driver) -> Sequence[str]:
        """End at once what runs on for guests that are gone; return a line for each, and for what is about to end."""


class Addressing(Protocol):
    """Describes how an interface that exists gets addresses. Static comes first: it marks and raises the interface."""

    #: The word that chooses it; `static` always takes part.
    method: str
    #: What `-o KEY=VALUE` it knows: key to one line of help.
    options: Mapping[str, str]
    #: Programs of the host that its plan depends on; those found are in `Context.programs`.
    programs: tuple[str, ...]

    def queries(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Return further queries that its plan needs, by keys that begin with the method."""

    def plan(self, context: Context, tag: Tag) -> Plan:
        """Return what is missing; raise HostError or GuestError when the request cannot be met."""

    def release(self, context: Context, tag: Tag) -> Plan:
        """Return what gives back what an earlier request got by this method, in front of detaching or replacing."""


class Check:
    """Looks at a host for one thing that will not work. No I/O: facts in, findings out. It changes nothing.

    A check inherits from this class, sets `name`, and says what it reads and what that means.
    """

    #: What findings of it are listed under.
    name: str = ""
    #: Programs of the host that it asks about; those found are in `Examination.programs`.
    programs: tuple[str, ...] = ()
    #: Whether its queries send packets into networks: it is then left out unless `--probe` is given.
    probes: bool = False

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Return what it has to read beside the facts, by keys of its own; each has two seconds, or its `timeout`."""
        del examination
        return {}

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterable[Finding]:
        """Return what is found; an answer is missing where the namespace that it was to come from has ended."""
        raise NotImplementedError
