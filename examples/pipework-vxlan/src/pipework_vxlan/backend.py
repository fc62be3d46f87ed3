"""The backend: a veth pair for each guest, one end a port of the bridge that all guests of the network share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.api import (
    FIREWALL_QUERIES,
    PENDING_GROUP,
    LinkBackend,
    Plan,
    Tag,
    find_veth_peer,
    ip,
    make_veth,
    require_veth_peer,
    tag_veth,
)
from pipework_vxlan import flooding, leaving, shared, underlay
from pipework_vxlan.network import OPTIONS, Network, parse_network, parse_vni

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.api import Attachment, Command, Context, HostState, Link, SharedResource, Snapshot


class Vxlan(LinkBackend):
    """`vxlan:VNI`; never a bare name."""

    kind = shared.KIND
    link_kind = "veth"
    options: Mapping[str, str] = OPTIONS

    def queries(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Read the ways to the other hosts and the flood list; for a new bridge, whether the firewall lets it work."""
        network = parse_network(attachment)
        new = FIREWALL_QUERIES if network.bridge not in host.links else {}
        return {**new, **underlay.list_queries(network, host), **flooding.list_queries(network, host)}

    def matches(self, context: Context, link: Link) -> bool:
        """Accept a veth whose host end is a port of the bridge, or of none yet."""
        peer = find_veth_peer(context, link)
        return peer is not None and peer.master in {"", parse_network(context.attachment).bridge}

    def create(self, context: Context) -> Plan:
        """Make bridge and vxlan device where they are missing, then the guest's port."""
        network = parse_network(context.attachment)
        shared.refuse_strangers(context.host_state, network)
        mtu = shared.choose_mtu(context, network)
        return shared.plan_network(context, network) + make_veth(context, mtu=mtu, master=network.bridge)[1]

    def complete(self, context: Context, link: Link) -> Plan:
        """Add what is missing of bridge, vxlan device and port."""
        network = parse_network(context.attachment)
        shared.refuse_strangers(context.host_state, network)
        shared.choose_mtu(context, network)
        return shared.plan_network(context, network) + _complete_port(context, link, network)

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Name bridge and vxlan device, when this was the last guest of the network on this host."""
        number = parse_vni(tag.parent)
        if number is None:
            return ()
        here = context.guest_state.links.get(context.attachment.interface)
        peer = find_veth_peer(context, here) if here is not None else None
        return leaving.list_shared_resources(context, Network(vni=number), peer.name if peer else "")

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Remove the networks whose guests are gone."""
        return leaving.plan_garbage(snapshot)


def _complete_port(context: Context, link: Link, network: Network) -> Plan:
    """Put right what an interrupted run, or somebody's hand, left undone on the guest's port."""
    peer = require_veth_peer(context, link)
    words = ("link", "set", "dev", peer.name)
    steps = [tag_veth(context, peer.name)] if peer.group == PENDING_GROUP else []
    if peer.master != network.bridge:
        undo = [ip(*words, *(("master", peer.master) if peer.master else ("nomaster",)))]
        reason = f"make {peer.name} a port of {network.bridge}"
        steps.append(ip(*words, "master", network.bridge, undo=undo, reason=reason))
    if not peer.up:
        steps.append(ip(*words, "up", undo=[ip(*words, "down")], reason=f"raise {peer.name}"))
    return Plan(steps=tuple(steps), notes=() if steps else (f"{link.name} is a port of {network.bridge}",))
