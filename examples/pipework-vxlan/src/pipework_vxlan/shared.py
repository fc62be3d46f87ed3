"""What a network has on the host, for all of its guests: a bridge, and the vxlan device that is one of its ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.api import (
    PENDING_GROUP,
    Command,
    ConflictError,
    HostError,
    Plan,
    Tag,
    UsageError,
    firewall_warnings,
    ip,
    is_pending,
    read_tag,
)
from pipework_vxlan import flooding, underlay
from pipework_vxlan.network import PORT

if TYPE_CHECKING:
    from pipework_core.api import Context, HostState, Link
    from pipework_vxlan.network import Network

KIND = "vxlan"


def is_ours(link: Link | None, kind: str) -> bool:
    """Whether this backend made a link of the host, or a killed run of it left it so."""
    if link is None or link.kind != kind:
        return False
    tag = read_tag(link)
    return tag.kind == KIND if tag else is_pending(link)


def refuse_strangers(host: HostState, network: Network) -> None:
    """Raise ConflictError where the names are taken, or another device has the network: the kernel takes no second."""
    for name, kind in ((network.bridge, "bridge"), (network.tunnel, KIND)):
        link = host.links.get(name)
        if link is not None and not is_ours(link, kind):
            what = link.kind or "physical"
            raise ConflictError(
                f"the host has an interface {name} ({what}) that this plugin did not make.",
                hint=f"rename it, or use another VNI than {network.vni}",
            )
    port = network.port or PORT
    for link in host.links.values():
        same = link.kind == KIND and (link.data.get("id"), link.data.get("port")) == (network.vni, port)
        if same and link.name != network.tunnel:
            raise ConflictError(
                f"{link.name} has VXLAN {network.vni} on UDP port {port} already.",
                hint=f"use another VNI, or the bridge that {link.name} is a port of",
            )


def find_mtu(context: Context, network: Network) -> int:
    """Return the MTU in bytes of the whole network on this host; raise UsageError, HostError or ConflictError."""
    tunnel = context.host_state.links.get(network.tunnel)
    if tunnel is not None:
        return tunnel.mtu
    if not (network.remotes or network.group):
        raise UsageError(
            f"VXLAN {network.vni} is not on this host yet, and nobody says where the others are.",
            hint="add -o remote=198.51.100.2, with the address of another host, or several separated by commas",
        )
    return underlay.find_room(context, network)


def choose_mtu(context: Context, network: Network) -> int:
    """Return the guest's MTU in bytes: the asked one, else the largest; raise HostError for one that does not fit."""
    largest, asked = find_mtu(context, network), context.attachment.mtu
    if asked is not None and asked > largest:
        raise HostError(
            f"an MTU of {asked} does not fit into VXLAN {network.vni}, which carries {largest} behind its header.",
            hint=f"ask for {largest} or less, or leave --mtu out",
        )
    return asked or largest


def plan_network(context: Context, network: Network) -> Plan:
    """Make what is missing of bridge and device, and complete where the device sends what is for all."""
    return _plan_bridge(context, network) + _plan_tunnel(context, network)


def _plan_bridge(context: Context, network: Network) -> Plan:
    name, link = network.bridge, context.host_state.links.get(network.bridge)
    if link is None:
        undo = [ip("link", "delete", "dev", name, guard=query_ports(name))]
        words = ("link", "add", "name", name, "group", PENDING_GROUP, "type", "bridge")
        create = ip(*words, undo=undo, reason=f"create the bridge {name} for VXLAN {network.vni}")
        return Plan(steps=(create, _tag_link(network, name)), warnings=firewall_warnings(name, context.answers))
    return Plan(steps=tuple(_raise_link(network, link)))


def _plan_tunnel(context: Context, network: Network) -> Plan:
    name, link = network.tunnel, context.host_state.links.get(network.tunnel)
    if link is None:
        undo = [ip("link", "delete", "dev", name, guard=query_ports(network.bridge, "type", "veth"))]
        create = ip(*_make_tunnel(context, network), undo=undo, reason=f"make {name}, the way to the other hosts")
        return Plan(steps=(create,)) + flooding.fill_list(network) + Plan(steps=(_tag_link(network, name),))
    _refuse_difference(network, link)
    steps = _raise_link(network, link)
    if link.master != network.bridge:
        undo = [ip("link", "set", "dev", name, *(("master", link.master) if link.master else ("nomaster",)))]
        steps.append(
            ip("link", "set", "dev", name, "master", network.bridge, undo=undo, reason=f"make {name} a port again")
        )
    found = Plan(steps=tuple(steps)) + flooding.adjust_list(context, network, link)
    return found if found.steps else found + Plan(notes=(f"VXLAN {network.vni} is on this host",))


def _make_tunnel(context: Context, network: Network) -> tuple[str, ...]:
    """Return the words of ip-link(8) that make the device as a port of its bridge."""
    first = ("group", network.group) if network.group else ("remote", network.remotes[0])
    return (
        *("link", "add", "name", network.tunnel, "mtu", str(find_mtu(context, network)), "master", network.bridge),
        *("group", PENDING_GROUP, "type", KIND, "id", str(network.vni), "dstport", str(network.port or PORT), *first),
        *(("local", network.local) if network.local else ()),
        *(("dev", network.dev) if network.dev else ()),
        *(("ttl", str(network.ttl)) if network.ttl else ()),
        *(("nolearning",) if network.learning is False else ()),
    )


def _refuse_difference(network: Network, link: Link) -> None:
    """Raise ConflictError where a word of the request says something else than what the host has for all guests."""
    data = link.data
    family = 6 if {"remote6", "local6", "group6"} & data.keys() else 4
    now = {
        "family": f"IPv{family}",
        "group": str(data.get("group", data.get("group6", ""))),
        "local": str(data.get("local", data.get("local6", ""))),
        "dev": str(data.get("link", "")),
        "port": str(data.get("port", PORT)),
        "ttl": str(data.get("ttl", 0)),
        "learning": "1" if data.get("learning", True) else "0",
    }
    asked = {
        "family": f"IPv{network.family}" if network.family else "",
        "group": network.group,
        "local": network.local,
        "dev": network.dev,
        "port": str(network.port or ""),
        "ttl": str(network.ttl or ""),
        "learning": "" if network.learning is None else str(int(network.learning)),
    }
    if network.remotes and now["group"]:
        asked["group"] = "remote"
    for key, value in asked.items():
        if value and value != now[key]:
            raise ConflictError(
                f"VXLAN {network.vni} is on this host with {key} {now[key] or 'unset'}, and not {value}.",
                hint="all guests of a host share it: leave the word out, or detach them; "
                "`pipework gc` ends an empty one",
            )


def _raise_link(network: Network, link: Link) -> list[Command]:
    """Return what finishes a link that a killed run left, or raises one that somebody took down."""
    if link.group == PENDING_GROUP:
        return [_tag_link(network, link.name)]
    words = ("link", "set", "dev", link.name)
    undo = [ip(*words, "down", only_if_uncontended=True)]
    return [] if link.up else [ip(*words, "up", undo=undo, reason=f"raise {link.name}")]


def _tag_link(network: Network, name: str) -> Command:
    alias = Tag(kind=KIND, parent=str(network.vni)).alias
    words = ("link", "set", "dev", name, "group", "default", "alias", alias, "up")
    return ip(*words, reason=f"raise {name} and mark it as made by pipework")


def query_ports(bridge: str, *which: str) -> Command:
    """Return the read that tells the ports of a bridge, all or those that `which` chooses, in words of ip-link(8)."""
    return Command(
        argv=("ip", "-json", "link", "show", "master", bridge, *which), reason=f"see whether {bridge} has ports"
    )
