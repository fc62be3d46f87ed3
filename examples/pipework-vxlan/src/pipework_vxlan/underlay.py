"""The way to the other hosts: whether there is one, and how large the packets in the network can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.api import MTU_MIN, Command, HostError, parse_json

if TYPE_CHECKING:
    from pipework_core.api import Context, HostState, Outcome
    from pipework_vxlan.wanted import Wanted

#: IP header, UDP 8, VXLAN 8, and the Ethernet header of the frame inside, 14 (RFC 7348, section 5), by family.
HEADER = {4: 50, 6: 70}
#: What `ip route get` says of an address that leads nowhere is an answer as well.
_ANY = frozenset({0, 1, 2, 255})


def reads(wanted: Wanted, host: HostState) -> dict[str, Command]:
    """Return what asks the kernel for the way to each of the other hosts, by keys of their own."""
    if wanted.dev and wanted.dev not in host.links:
        return {}  # which the plan refuses in better words
    return {_key(remote): _route(wanted, remote) for remote in wanted.remotes}


def _key(remote: str) -> str:
    return f"way to {remote}"


def _route(wanted: Wanted, remote: str) -> Command:
    words = (*(("from", wanted.local) if wanted.local else ()), *(("oif", wanted.dev) if wanted.dev else ()))
    return Command(
        argv=("ip", "-json", "route", "get", remote, *words), ok_codes=_ANY, reason=f"read the way to {remote}"
    )


def room(context: Context, wanted: Wanted) -> int:
    """Return the largest MTU in bytes that guests may have; raise HostError where the underlay carries nothing."""
    if wanted.dev and wanted.dev not in context.host_state.links:
        raise HostError(f"the host has no interface {wanted.dev!r} to send through.", hint="`ip link` shows its own")
    ways = [_mtu(context, wanted, remote) for remote in wanted.remotes] or [_device_mtu(context.host_state, wanted.dev)]
    found = min(ways) - HEADER[wanted.family]
    if found < MTU_MIN:
        raise HostError(
            f"packets of {min(ways)} bytes, all that the way to the other hosts carries, leave no room for VXLAN.",
            hint="raise the MTU of the interface that leads there",
        )
    return found


def _mtu(context: Context, wanted: Wanted, remote: str) -> int:
    """Return the MTU of the way to another host: the route's own, else its interface's."""
    answer = context.answers[_key(remote)]
    entry = _entry(answer)
    if not entry:
        through = f" through {wanted.dev}" if wanted.dev else ""
        source = f" from {wanted.local}" if wanted.local else ""
        raise HostError(
            f"this host has no way to {remote}{source}{through} ({answer.error_text or 'no route'}).",
            hint=f"`ip route get {remote}` says more; local= must be an address of this host",
        )
    if entry.get("type") == "local":
        raise HostError(f"{remote} is an address of this host.", hint="name the other hosts in remote=")
    dev = str(entry.get("dev", ""))
    own = [int(metric["mtu"]) for metric in entry.get("metrics", ()) if "mtu" in metric]
    return min([_device_mtu(context.host_state, dev), *own])


def _entry(answer: Outcome) -> dict[str, Any]:
    entries: list[dict[str, Any]] = parse_json(answer.stdout or "[]") if answer.code == 0 else []
    return entries[0] if entries else {}


def _device_mtu(host: HostState, name: str) -> int:
    link = host.links.get(name)
    return link.mtu if link else 1500
