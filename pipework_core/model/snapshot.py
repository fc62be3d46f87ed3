"""Everything about attachments that a whole host has."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.link import GuestState, HostState, Link
    from pipework_core.model.plan import Command, Netns, Outcome


class SwitchPort(Record):
    """A port as its switch tells it: bridge and VLAN, and whose it is in the words of who made it.

    `ours` says that pipework, this one or the shell version, made it; `pid` is the guest's process then (0: none).
    `kind` is the backend whose switch it is. `off` says that the switch lets nothing through.
    """

    name: str
    bridge: str
    vlan: str = ""
    ours: bool = False
    guest: str = ""
    pid: int = 0
    kind: str = ""
    off: bool = False


class Client(Record):
    """A DHCP client that stays: whose lease it keeps (`inode` of the namespace, interface), and its process.

    `alone` says that nobody but such clients is left in that namespace. `stop` ends it.
    """

    name: str
    inode: int
    interface: str
    pid: int
    stop: Command
    alone: bool = False


class Snapshot(Record):
    """All that was read. Namespaces are known by their inode numbers.

    `guest_state` has the links of those that could be entered, `by_index` the links of the host by ifindex, `pids` the
    namespaces of the processes that names speak of. `unreadable` says why those could not be that are there.
    `partial_view` says that there may be guests of which not a single process can be seen from here.
    """

    host_state: HostState
    spaces: Mapping[int, Namespace]
    guest_states: Mapping[int, GuestState]
    by_index: Mapping[int, Link] = MappingProxyType({})
    ports: Mapping[str, SwitchPort] = MappingProxyType({})
    pids: Mapping[int, int] = MappingProxyType({})
    clients: tuple[Client, ...] = ()
    answers: Mapping[str, Outcome] = MappingProxyType({})
    unreadable: Mapping[int, str] = MappingProxyType({})
    partial_view: bool = False
    warnings: tuple[str, ...] = ()

    def host_end(self, link: Link) -> Link | None:
        """Return the link of the host that names the guest's veth `link` as its peer, and is named by it.

        That alone proves nothing: a guest's root can make pairs with any two numbers. The caller must have more.
        """
        if link.kind != "veth" or not link.peer_elsewhere:
            return None
        other = self.by_index.get(link.peer)
        return other if other and other.kind == "veth" and other.peer_elsewhere and other.peer == link.ifindex else None

    def find_parent(self, link: Link) -> Link | None:
        """Return the link of the host that a guest's `link` is on top of."""
        return self.by_index.get(link.peer) if link.peer_elsewhere else None

    @property
    def unsure(self) -> bool:
        """Whether there may be links of guests that are not known of: nothing that they could need is to go."""
        return self.partial_view or bool(self.unreadable)

    @property
    def dying(self) -> frozenset[int]:
        """The namespaces that nothing but kept DHCP clients holds."""
        return frozenset(
            client.inode
            for client in self.clients
            if client.alone and client.inode in self.spaces and not self.spaces[client.inode].names
        )


class Namespace(Record):
    """A network namespace: its inode number, the path that leads to it, a process in it (0: none), and its names.

    `mount` is where it is mounted, which holds when all of its processes have ended; empty for nowhere.
    """

    inode: int
    netns: Netns
    pid: int = 0
    names: tuple[str, ...] = ()
    mount: str = ""


class LinkDetails(Record):
    """What a backend says of a link of its kind: the bridge, parent or NIC, and the VLAN, as users write them.

    `off` says that what it is connected to lets nothing through.
    """

    parent: str = ""
    vlan: str = ""
    off: bool = False


class ParentUse(Record):
    """The links of the host that links of other namespaces may be on top of, and what could not be found out of it."""

    names: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
