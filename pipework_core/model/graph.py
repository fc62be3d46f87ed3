"""A picture of a host as data: what it has on one side, guests on the other, and links between them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The two sides of the picture.
HOST_SIDE, GUEST_SIDE = "host", "guest"
#: States beside those of attachments: of what is named and not there, of what only a file says, and of neither.
MISSING, PLANNED, UNKNOWN = "missing", "planned", "unknown"


class Node(Record):
    """Something of the host (`nic`, `bridge`, `ovs`, `vlan`, …), or a guest, whose kind is its runtime.

    `state` is that of the interface on the host, and of a guest the worst of its links. `depth` is how many interfaces
    of the host lie below it. `detail` holds whatever else is known, ready for JSON.
    """

    id: str
    kind: str
    name: str
    side: str = HOST_SIDE
    state: str = UNKNOWN
    depth: int = 0
    addresses: tuple[str, ...] = ()
    detail: Mapping[str, Any] = MappingProxyType({})


class GraphLink(Record):
    """A link between two nodes, named by their ids: an attachment, or one interface of the host on top of another.

    `interface` is the name in the guest, empty for links between two of the host. `words` explain the state.
    """

    id: str
    start: str
    end: str
    kind: str
    interface: str = ""
    addresses: tuple[str, ...] = ()
    mac: str = ""
    vlan: str = ""
    state: str = UNKNOWN
    words: str = ""
    detail: Mapping[str, Any] = MappingProxyType({})


class Graph(Record):
    """The whole picture. The order of `nodes` is that in which they are drawn, so that few lines cross."""

    nodes: tuple[Node, ...] = ()
    links: tuple[GraphLink, ...] = ()
    warnings: tuple[str, ...] = ()

    def side(self, side: str) -> tuple[Node, ...]:
        """Return the nodes of one side, in their order."""
        return tuple(node for node in self.nodes if node.side == side)

    def links_to(self, node: Node) -> tuple[GraphLink, ...]:
        """Return the links that end at a node."""
        return tuple(link for link in self.links if link.end == node.id)
