"""The way to the other hosts: whether there is one, and how large the packets in the network can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.api import MTU_MIN, Command, HostError, parse_json

if TYPE_CHECKING:
    from pipework_core.api import Context, HostState, Outcome
    from pipework_vxlan.network import Network

#: IP header, UDP 8, VXLAN 8, and the Ethernet header of the frame inside, 14 (RFC 7348, section 5), by family.
HEADER = {4: 50, 6: 70}
#: What `ip route get` says of an address that leads nowhere is an answer as well.
_ANY = frozenset({0, 1, 2, 255})


def list_queries(network: Network, host: HostState) -> dict[str, Command]:
    """Return what asks the kernel for the way to each of the other hosts, by keys of their own."""
    if network.dev and network.dev not in host.links:
        return {}  # which the plan refuses in better words
    return {_make_key(remote): _query_route(network, remote) for remote in network.remotes}


def _make_key(remote: str) -> str:
    return f"way to {remote}"


def _query_route(network: Network, remote: str) -> Command:
    words = (*(("from", network.local) if network.local else ()), *(("oif", network.dev) if network.dev else ()))
    return Command(
        argv=("ip", "-json", "route", "get", remote, *words), ok_codes=_ANY, reason=f"read the way to {remote}"
    )


def find_room(context: Context, network: Network) -> int:
    """Return the largest MTU in bytes that guests may have; raise HostError where the underlay carries nothing."""
    if network.dev and network.dev not in context.host_state.links:
        raise HostError(f"the host has no interface {network.dev!r} to send through.", hint="`ip link` shows its own")
    ways = [_find_mtu(context, network, remote) for remote in network.remotes] or [
        _find_device_mtu(context.host_state, network.dev)
    ]
    found = min(ways) - HEADER[network.family]
    if found < MTU_MIN:
        raise HostError(
            f"packets of {min(ways)} bytes, all that the way to the other hosts carries, leave no room for VXLAN.",
            hint="raise the MTU of the interface that leads there",
        )
    return found


def _find_mtu(context: Context, network: Network, remote: str) -> int:
    """Return the MTU of the way to another host: the route's own, else its interface's."""
    answer = context.answers[_make_key(remote)]
    entry = _parse_route(answer)
    if not entry:
        through = f" through {network.dev}" if network.dev else ""
        source = f" from {network.local}" if network.local else ""
        raise HostError(
            f"this host has no way to {remote}{source}{through} ({answer.error_text or 'no route'}).",
            hint=f"`ip route get {remote}` says more; local= must be an address of this host",
        )
    if entry.get("type") == "local":
        raise HostError(f"{remote} is an address of this host.", hint="name the other hosts in remote=")
    dev = str(entry.get("dev", ""))
    own = [int(metric["mtu"]) for metric in entry.get("metrics", ()) if "mtu" in metric]
    return min([_find_device_mtu(context.host_state, dev), *own])


def _parse_route(answer: Outcome) -> dict[str, Any]:
    entries: list[dict[str, Any]] = parse_json(answer.stdout or "[]") if answer.code == 0 else []
    return entries[0] if entries else {}


def _find_device_mtu(host: HostState, name: str) -> int:
    link = host.links.get(name)
    return link.mtu if link else 1500
