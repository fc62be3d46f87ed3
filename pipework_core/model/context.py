"""What a plan is made from: a guest, what the host and the guest have, and what plugins return about them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pipework_core.model.plan import Plan
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.link import GuestState, HostState, Link
    from pipework_core.model.plan import Command, Netns, Outcome

EMPTY = Plan()


class Claims(Record):
    """Which bare names of host interfaces mean a link backend. Data: choosing a backend imports none.

    A name that the host does not have is claimed by its `prefix`. One that it has is claimed exactly by the kernel's
    kind (`link_kinds`) or link layer (`link_layers`) of the interface; `any_existing` claims what no other backend
    does. With `listing`, a program prints the names that are claimed exactly, one a line (`HostState.listed`), and
    `link_kinds` only says when to ask it. With `elsewhere`, what the kind names is no interface of the host at all.
    """

    prefix: str = ""
    link_kinds: tuple[str, ...] = ()
    link_layers: tuple[str, ...] = ()
    any_existing: bool = False
    listing: Command | None = None
    elsewhere: bool = False


class Guest(Record):
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


class Candidate(Record):
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


class RunningGuest(Record):
    """A guest that runs, by its own name. With `shared`, it has the network of another guest."""

    name: str
    candidate: Candidate
    shared: bool = False


class Peer(Record):
    """The second guest of a kind that joins two guests: pinned, what is in it, and the name of its interface."""

    guest: Guest
    guest_state: GuestState
    interface: str = ""


class Context(Record):
    """All that a plan is made from. `attachment` is complete: host, kind and interface are filled in.

    `existing` is the guest's interface of the asked name when it is ours and to be completed rather than made.
    `answers` holds the outcomes of the plugins' own `queries`, by their keys; `programs` those of the programs that
    they asked for and that the host has. `announces` says whether neighbours are told of the addresses. With
    `detaching`, `attachment` is what its interface remembers, and nothing comes in its place. `above` has, by the
    ifindex of a host's link, the links of other namespaces on top of it; only a kind that moves NICs is told. With
    `keeps_lease`, the link's kind gave the address itself, and takes it back with the link.
    """

    attachment: Attachment
    guest: Guest
    host_state: HostState
    guest_state: GuestState
    existing: Link | None = None
    answers: Mapping[str, Outcome] = MappingProxyType({})
    programs: frozenset[str] = frozenset()
    detaching: bool = False
    peer: Peer | None = None
    announces: bool = True
    above: Mapping[int, tuple[Link, ...]] = MappingProxyType({})
    keeps_lease: bool = False


class Replacement(Record):
    """What clears the way for a request: the context as it is then, and the steps before and after making the link."""

    context: Context
    before: Plan = EMPTY
    after: Plan = EMPTY


class SharedResource(Record):
    """What pipework made or changed on the host for attachments in general, and that nobody may need after this one.

    `name` is its interface, and `remove` takes it away, or puts it back as it was found; a guard (`guard`) says what
    the host can tell of its use. With `hidden`, links of other namespaces may be on top of it, which only a look into
    all of them shows. Several stand from top to bottom: one that somebody uses keeps those below it. What must go in
    several commands, such as a bridge and the port that it was made with, has one name in all of them.
    """

    name: str
    remove: Command
    hidden: bool = False
