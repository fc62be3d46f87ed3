"""Why a NIC takes no macvlan or ipvlan, as the host shows it: said before anything is tried.

The kernel hands what arrives at a NIC to one taker alone (netdev_rx_handler_register in net/core/dev.c), and refuses a
second one as busy, without naming the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import ConflictError

if TYPE_CHECKING:
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link

#: Kinds of masters that take all that arrives at their ports.
_TAKERS = {"bridge": "a port of the bridge", "bond": "a member of the bond", "team": "a member of the team"}
_SWITCHES = frozenset({"openvswitch", "ovs-system"})
_FAMILIES = {"macvlan": "macvlan", "macvtap": "macvlan", "ipvlan": "ipvlan", "ipvtap": "ipvlan"}


def refuse_busy(context: Context, name: str, kind: str) -> None:
    """Raise ConflictError, with what has it, when the kernel would refuse a link of that kind on a NIC of the host."""
    lower = context.host_state.links.get(name)
    if lower is None:  # a VLAN that is about to be made is nobody's yet
        return
    _refuse_port(context.host_state, lower)
    for link in _list_above(context.host_state, lower):
        if _FAMILIES[link.kind] != kind:
            raise ConflictError(
                f"{name} carries the {link.kind} {link.name}, and takes no {kind} beside it.",
                hint=f"write {_FAMILIES[link.kind]}:{name}, or delete {link.name} first",
            )
        if link.data.get("mode") == "passthru":
            raise ConflictError(
                f"{name} carries {link.name}, a {link.kind} in passthru mode, which has it to itself.",
                hint=f"delete {link.name} first, or name another NIC",
            )
    _refuse_mac(context, lower, kind)


def _refuse_port(host: HostState, lower: Link) -> None:
    if not lower.master:
        return
    if lower.master in _SWITCHES:
        raise ConflictError(
            f"{lower.name} is a port of Open vSwitch, which takes all that arrives there.",
            hint="name the bridge that it is a port of; `ovs-vsctl port-to-br` tells which",
        )
    master = host.links.get(lower.master)
    if master is not None and master.kind in _TAKERS:
        raise ConflictError(
            f"{lower.name} is {_TAKERS[master.kind]} {master.name}, which takes all that arrives there.",
            hint=f"write {master.name} in its place",
        )


def _list_above(host: HostState, lower: Link) -> list[Link]:
    return [link for link in host.links.values() if link.parent == lower.name and link.kind in _FAMILIES]


def _refuse_mac(context: Context, lower: Link, kind: str) -> None:
    """Refuse a MAC that the NIC or another macvlan on it has: of two the kernel raises one (macvlan_addr_busy)."""
    mac = context.attachment.mac
    if kind != "macvlan" or not mac or context.attachment.option("mode") == "passthru":
        return
    for link in (lower, *_list_above(context.host_state, lower)):
        if link.mac == mac:
            raise ConflictError(
                f"{link.name} has the MAC address {mac} already.", hint="leave the MAC out, or choose another one"
            )
