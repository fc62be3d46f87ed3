"""What is written of nodes and links, the same in every form. Names are escaped: guests chose some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.graph import GUEST_SIDE, UNKNOWN
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from pipework_core.model.graph import GraphLink, Node


def name_node(node: Node) -> str:
    """Return the name, of a guest with its runtime as other commands take it."""
    if node.side == GUEST_SIDE and node.kind not in {"host", "guest", "gone"}:
        return escape_text(f"{node.kind}:{node.name}")
    return escape_text(node.name) + (" (gone)" if node.kind == "gone" else "")


def describe_node(node: Node) -> str:
    """Return what is written below the name."""
    if node.side == GUEST_SIDE:
        return "takes part in the network" if node.kind == "host" else "guest"
    words = (_KINDS.get(node.kind, node.kind), node.state if node.state != UNKNOWN else "", *node.addresses)
    return escape_text(", ".join(word for word in words if word))


def describe_addresses(link: GraphLink) -> str:
    """Return the addresses with spaces between them."""
    return escape_text(" ".join(link.addresses))


def describe_link(link: GraphLink) -> str:
    """Return what is written beside the addresses of a link: kind, MAC and VLAN."""
    return escape_text(
        " ".join(word for word in (link.kind, link.mac, f"VLAN {link.vlan}" if link.vlan else "") if word)
    )


_KINDS = {"nic": "NIC", "ovs": "Open vSwitch", "ovn": "logical switch", "vlan": "VLAN", "vxlan": "VXLAN"}
