"""The host's side of the picture: its NICs, bridges, switches, VLANs, and which of them lies on which. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import attachments
from pipework_core.graph.states import WORDS
from pipework_core.model.graph import GraphLink, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipework_core.engine.inventory import HostInventory
    from pipework_core.model.link import Link

#: Kinds of the kernel that are shown though nothing is attached to them; hardware has no kind.
_SHOWN = frozenset({"", "bridge", "bond", "team", "vlan", "vxlan", "dummy", "openvswitch"})
#: The device of Open vSwitch's datapath in the kernel, which is no bridge.
_DATAPATH = "ovs-system"
_OVS = "ovs"
#: Of a veth pair, which lies on nothing: its parent is its other end.
_PAIR = "veth"


def list_host_links(host: HostInventory) -> dict[str, Link]:
    """Return the host's interfaces that are part of the picture, by name: no ends of attachments, no loopback."""
    links = {link.name: link for link in host.links}
    found = host.inventory.attachments
    parents = {entry.parent for entry in found}
    ends = {entry.host_end for entry in found}
    ends |= {entry.interface for entry in found if not entry.inode or entry.guest is attachments.THIS_HOST}
    hidden = ends - parents | {_DATAPATH}
    switches = list_switches(host)
    shown = {
        name
        for name, link in links.items()
        if name in parents or name in switches or (link.kind in _SHOWN and link.layer != "loopback")
    } - hidden
    todo = list(shown)
    while todo:  # what a shown interface lies on is shown as well
        upper = links[todo.pop()]
        below = upper.parent
        if upper.kind != _PAIR and below in links and below not in shown:
            shown.add(below)
            todo.append(below)
    return {name: links[name] for name in links if name in shown}


def list_switches(host: HostInventory) -> frozenset[str]:
    """Return the names of Open vSwitch's bridges."""
    told = {port.bridge for port in host.ports.values() if port.kind == _OVS}
    own = {link.name for link in host.links if link.kind == "openvswitch"} - {_DATAPATH}
    return frozenset(told | own | {entry.parent for entry in host.inventory.attachments if entry.kind == _OVS} - {""})


def make_host_node(link: Link, switches: Iterable[str]) -> Node:
    """Return the node of one of the host's interfaces."""
    kind = _OVS if link.name in switches else link.kind or ("nic" if link.layer == "ether" else link.layer)
    return Node(
        id=name_host(link.name),
        kind=kind,
        name=link.name,
        state=attachments.UP if link.up else attachments.DOWN,
        addresses=_list_addresses(link),
        detail={
            "interface": link.name,
            "kind": kind,
            "addresses": [*_list_addresses(link)],
            "mac": link.mac or None,
            "mtu": link.mtu,
            "vlan": _read_vlan(link) or None,
            "on": link.parent or None,
            "port_of": link.master or None,
            "vlan_filtering": bool(link.data.get("vlan_filtering")) if link.kind == "bridge" else None,
        },
    )


def link_hosts(links: Mapping[str, Link], host: HostInventory) -> Iterator[GraphLink]:
    """Yield what lies on what: ports of bridges, bonds and switches, VLANs and others on their parents."""
    for link in links.values():
        port = host.ports.get(link.name)
        master = port.bridge if port else link.master
        if master in links and master != link.name:
            yield _make_host_link(link.name, master, link, kind="port", vlan=port.vlan if port else "")
        if link.parent in links and not link.peer_elsewhere and link.kind != _PAIR:
            yield _make_host_link(link.parent, link.name, link, kind=link.kind, vlan=_read_vlan(link))


def find_vlan_device(links: Mapping[str, Link], parent: str, vlan: str) -> str:
    """Return the VLAN interface on a parent; the parent itself when there is none."""
    on_it = (link for link in links.values() if link.kind == "vlan" and link.parent == parent)
    return next((link.name for link in on_it if vlan and _read_vlan(link) == vlan), parent)


def name_host(name: str) -> str:
    """Return the id of the node of an interface of the host."""
    return f"host:{name}"


def _list_addresses(link: Link) -> tuple[str, ...]:
    """Return the addresses but for those that every interface gives itself, as `ls` does."""
    return tuple(word for word in (*link.addresses, *link.leased) if not word.lower().startswith("fe80:"))


def _read_vlan(link: Link) -> str:
    return str(link.data.get("id", "")) if link.kind == "vlan" else ""


def _make_host_link(lower: str, upper: str, link: Link, *, kind: str, vlan: str) -> GraphLink:
    state = attachments.UP if link.up else attachments.DOWN
    return GraphLink(
        id=f"{name_host(lower)}/{upper}",
        start=name_host(lower),
        end=name_host(upper),
        kind=kind,
        vlan=vlan,
        state=state,
        words=WORDS[state],
        detail={"interface": link.name, "kind": kind, "on": lower, "vlan": vlan or None, "state": state},
    )
