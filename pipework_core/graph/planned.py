"""The picture of what a topology file asks for; the host is not asked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.graph import host_nodes
from pipework_core.graph.order import make_graph
from pipework_core.graph.states import WORDS
from pipework_core.model.attachment import address_words
from pipework_core.model.graph import GUEST_SIDE, PLANNED, GraphLink, Node
from pipework_core.plugins.builtin import CLAIMS
from pipework_core.topology.model import SPANNING_KINDS

if TYPE_CHECKING:
    from pipework_core.model.graph import Graph
    from pipework_core.topology.model import HostEntry, Link, Topology


def build_planned_graph(topology: Topology) -> Graph:
    """Return the picture of a file. A pattern for the names of guests is one guest, since nobody asks who matches.

    What is on a machine has the machine's name before its own. A network that spans machines is one for all.
    """
    nodes: dict[str, Node] = {}
    links: list[GraphLink] = []
    for entry in topology.hosts:
        start = _make_host(entry.kind, entry.host, entry.host_mac, entry.machine)
        key = _place_name("(host)", entry.machine)
        end = Node(id=f"guest:{key}", kind="host", name=entry.machine or "this host", side=GUEST_SIDE, state=PLANNED)
        links.append(_link_host_entry(entry, nodes.setdefault(start.id, start), nodes.setdefault(end.id, end)))
    for link in topology.links:
        asked = link.attachment
        start = _make_host(asked.kind, asked.host, asked.host_mac, link.machine)
        end = _make_guest(asked.guest, link.machine)
        links.append(_link_guest(link, nodes.setdefault(start.id, start), nodes.setdefault(end.id, end)))
        if asked.peer:
            other = _make_guest(asked.peer, link.machine)
            links.append(_link_peer(link, start, nodes.setdefault(other.id, other)))
    return make_graph(nodes.values(), links)


def _make_host(kind: str, host: str, mac: str, machine: str) -> Node:
    name = host or (f"mac:{mac}" if mac else kind)
    node_kind = _guess_node_kind(kind, name)
    shown = name if kind in SPANNING_KINDS else _place_name(name, machine)
    key = f"{kind}:{name}" if machine and kind in SPANNING_KINDS else shown
    return Node(id=host_nodes.name_host(key), kind=node_kind, name=shown, state=PLANNED)


def _place_name(name: str, machine: str) -> str:
    return f"{machine}/{name}" if machine else name


def _guess_node_kind(kind: str, name: str) -> str:
    """Return what the host's side is, as far as its kind or the beginning of its name says so."""
    known = kind or next(
        (one for one, claims in CLAIMS.items() if claims.prefix and name.startswith(claims.prefix)), ""
    )
    return {"macvlan": "nic", "ipvlan": "nic", "phys": "nic", "ipoib": "infiniband", "": "nic"}.get(known, known)


def _make_guest(name: str, machine: str) -> Node:
    runtime, colon, rest = name.partition(":")
    kind, shown = (runtime, _place_name(rest, machine)) if colon else ("guest", _place_name(name, machine))
    return Node(id=f"guest:{_place_name(name, machine)}", kind=kind, name=shown, side=GUEST_SIDE, state=PLANNED)


def _link_host_entry(entry: HostEntry, start: Node, end: Node) -> GraphLink:
    addresses = tuple(map(str, entry.addresses))
    detail: dict[str, Any] = {
        "on": start.name,
        "addresses": [*addresses],
        "gateways": [str(gateway) for gateway in entry.gateways],
        "place": str(entry.place),
    }
    name = entry.host if start.kind in {"bridge", "ovs"} else f"{entry.host}-host"
    return _make_link(start, end, kind="host", interface=name, addresses=addresses, detail=detail)


def _link_guest(link: Link, start: Node, end: Node) -> GraphLink:
    asked = link.attachment
    pools = [f"one of {pool.text}" for pool in link.pools]
    addresses = (*address_words(asked), *pools)
    detail: dict[str, Any] = {
        "guest": link.guest,
        "interface": link.interface,
        "on": asked.where,
        "addresses": [*addresses],
        "gateways": [str(gateway) for gateway in asked.gateways],
        "mac": asked.mac or None,
        "vlan": asked.vlan or None,
        "mtu": asked.mtu,
        "options": dict(asked.options),
        "place": str(link.place),
    }
    kind = asked.kind or start.kind
    made = _make_link(start, end, kind=kind, interface=link.interface, addresses=addresses, detail=detail)
    return made._replace(mac=asked.mac, vlan=asked.vlan)


def _link_peer(link: Link, start: Node, end: Node) -> GraphLink:
    asked = link.attachment
    detail = {
        "guest": _place_name(asked.peer, link.machine),
        "interface": asked.peer_interface,
        "place": str(link.place),
    }
    return _make_link(
        start, end, kind=asked.kind, interface=asked.peer_interface or "eth1", addresses=(), detail=detail
    )


def _make_link(  # noqa: PLR0913 - the parts of a link, each by its name
    start: Node, end: Node, *, kind: str, interface: str, addresses: tuple[str, ...], detail: dict[str, Any]
) -> GraphLink:
    return GraphLink(
        id=f"{end.id}/{interface}",
        start=start.id,
        end=end.id,
        kind=kind,
        interface=interface,
        addresses=addresses,
        state=PLANNED,
        words=WORDS[PLANNED],
        detail=detail,
    )
