"""What of the host goes with the last guest of a network: what this backend made there, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.api import Command, Plan, SharedResource, ip, is_used, serves_nobody
from pipework_vxlan import shared
from pipework_vxlan.network import Network, parse_vni

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.api import Context, HostState, Link, Snapshot


def list_shared_resources(context: Context, network: Network, going: str) -> tuple[SharedResource, ...]:
    """Return bridge and device when nobody uses them but `going`, a guest's end on the host."""
    bridge, tunnel = (context.host_state.links.get(name) for name in (network.bridge, network.tunnel))
    if bridge is not None and is_used(context.host_state, bridge, without={going, network.tunnel}):
        return ()
    return tuple(
        SharedResource(name=network.bridge, remove=step, hidden=True)
        for step in _remove_network(network, bridge, tunnel)
    )


def _remove_network(network: Network, bridge: Link | None, tunnel: Link | None) -> Iterator[Command]:
    """Yield what removes the two, as far as they are ours and together; the bridge last, which tells of both."""
    guests = shared.query_ports(network.bridge, "type", "veth") if bridge is not None else None
    if tunnel is not None and shared.is_ours(tunnel, shared.KIND) and tunnel.master in {"", network.bridge}:
        yield ip(
            "link", "delete", "dev", tunnel.name, guard=guests, reason=f"leave VXLAN {network.vni}, without a guest"
        )
    if bridge is not None and shared.is_ours(bridge, "bridge"):
        reason = f"remove the bridge {bridge.name}, which has no port"
        yield ip("link", "delete", "dev", bridge.name, guard=shared.query_ports(bridge.name), reason=reason)


def plan_garbage(snapshot: Snapshot) -> Plan:
    """Return what removes the networks of this host that no guest is in any more."""
    cleanup: list[Command] = []
    for network in _find_networks(snapshot.host_state):
        bridge, tunnel = (snapshot.host_state.links.get(name) for name in (network.bridge, network.tunnel))
        if bridge is None or serves_nobody(snapshot, bridge, without={network.tunnel}):
            cleanup += _remove_network(network, bridge, tunnel)
    return Plan(cleanup=tuple(cleanup))


def _find_networks(host: HostState) -> Iterator[Network]:
    """Yield the networks of which the host has something of ours."""
    found = [
        link for link in host.links.values() if shared.is_ours(link, "bridge") or shared.is_ours(link, shared.KIND)
    ]
    numbers = {
        parse_vni(link.name.removeprefix("pwx").removesuffix("t")) for link in found if link.name.startswith("pwx")
    }
    yield from (Network(vni=number) for number in sorted(filter(None, numbers)))
