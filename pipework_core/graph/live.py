"""The picture of a host as it is: its interfaces, and the attachments that `ls` lists. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import report_json
from pipework_core.engine.attachments import THIS_HOST, UP, name_guest
from pipework_core.graph import host_nodes
from pipework_core.graph.order import make_graph
from pipework_core.graph.states import WORDS
from pipework_core.model.graph import GUEST_SIDE, MISSING, GraphLink, Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.inventory import HostInventory
    from pipework_core.model.graph import Graph
    from pipework_core.model.link import Link

#: What the host is called that takes part in a network like a guest (`pipework host`).
_HOST_NAME = "this host"
#: What the far end of a kind is called that is not named, as users write it.
_PARENTS: Mapping[str, str] = {"bridge": "bridge", "ovs": "ovs"}
#: Kinds whose far end is no interface of the host, but a switch that spans several.
_SPANNING = frozenset({"ovn"})


def build_graph(host: HostInventory) -> Graph:
    """Return the picture of a host (`Engine.list_host`)."""
    links = host_nodes.list_host_links(host)
    switches = host_nodes.list_switches(host)
    nodes = {node.id: node for node in (host_nodes.make_host_node(link, switches) for link in links.values())}
    found = list(host_nodes.link_hosts(links, host))
    for entry in host.inventory.attachments:
        start, end = _make_parent(entry, links), _make_guest(entry)
        nodes.setdefault(start.id, start)
        nodes.setdefault(end.id, end)
        found.append(_make_link(entry, start.id, end.id))
    return make_graph(nodes.values(), found, host.inventory.warnings)


def _make_parent(entry: AttachmentStatus, links: Mapping[str, Link]) -> Node:
    """Return the node that an attachment hangs on, which may be one that the host does not have."""
    if not entry.parent:
        return make_unnamed_parent(entry.kind)
    if entry.kind in _SPANNING:
        return Node(id=f"{entry.kind}:{entry.parent}", kind=entry.kind, name=entry.parent, state=UP)
    stacked = entry.kind not in _PARENTS
    name = host_nodes.find_vlan_device(links, entry.parent, entry.vlan) if stacked else entry.parent
    kind = _PARENTS.get(entry.kind, "nic")
    # A NIC that was moved into a guest is not on the host, and that is as it was asked for.
    state = UP if entry.kind == "phys" else MISSING
    return Node(id=host_nodes.name_host(name), kind=kind, name=name, state=state)


def make_unnamed_parent(kind: str) -> Node:
    """Return the node for links that hang on nothing that the host could name."""
    return Node(id=f"none:{kind}", kind=kind, name="connected to nothing" if kind == "dummy" else "not known")


def _make_guest(entry: AttachmentStatus) -> Node:
    detail = report_json.encode_status(entry)["guest"]
    if entry.guest is THIS_HOST:
        return Node(id="guest:(host)", kind="host", name=_HOST_NAME, side=GUEST_SIDE)
    runtime = entry.guest.runtime if entry.guest else "gone"
    name = entry.guest.name if entry.guest else entry.former_guest
    key = name_guest(entry)
    if not key:
        key = f"netns:[{entry.inode}]" if entry.inode else f"of {entry.host_end or entry.interface}"
        name = f"network namespace {entry.inode}" if entry.inode else "unknown guest"
    return Node(id=f"guest:{key}", kind=runtime, name=name, side=GUEST_SIDE, detail=detail or {})


def _make_link(entry: AttachmentStatus, start: str, end: str) -> GraphLink:
    return GraphLink(
        id=f"{end}/{entry.interface or entry.host_end}",
        start=start,
        end=end,
        kind=entry.kind,
        interface=entry.interface or entry.host_end,
        addresses=entry.addresses,
        mac=entry.mac,
        vlan=entry.vlan,
        state=entry.state,
        words=WORDS.get(entry.state, ""),
        detail=report_json.encode_status(entry),
    )
