"""What a bridge shows of why a guest's DHCP client will hear nobody: said before it is tried, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.toolkit import firewall

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.plan import Command

IPV4 = 4
#: States in which a port lets nothing through yet, or for good (IEEE 802.1D, 17.10).
_CLOSED = frozenset({"listening", "learning", "blocking"})
#: Seconds that a lease takes once frames pass.
_LEASE = 5


def cause_queries(attachment: Attachment, host: HostState) -> Mapping[str, Command]:
    """Read what the firewall does to bridged frames: for a new bridge, and for who waits for DHCPv4."""
    waits = attachment.dhcp is not None and attachment.dhcp.family == IPV4
    return firewall.FIREWALL_QUERIES if waits or attachment.host not in host.links else {}


def list_causes(context: Context, bridge: Link | None) -> tuple[str, ...]:
    """Return warnings about what will keep a new port of the bridge (None: it is about to be made) from being heard."""
    attachment = context.attachment
    warnings = firewall.firewall_warnings(attachment.host, context.answers)
    if attachment.dhcp is None and not attachment.auto:
        return warnings if bridge is None else ()
    if bridge is None:
        return (*warnings, _explain_new(attachment.host))
    return (*warnings, *_explain_spanning_tree(context, bridge))


def _explain_new(name: str) -> str:
    return (
        f"the bridge {name} is new and has no other port, so that nobody but this host can answer; "
        f"ip link set dev NIC master {name} plugs a NIC in"
    )


def _explain_spanning_tree(context: Context, bridge: Link) -> tuple[str, ...]:
    """Return what the spanning tree protocol holds back: a new port for twice the forward delay, others for now."""
    if not bridge.data.get("stp_state"):
        return ()
    delay = 2 * int(bridge.data.get("forward_delay") or 0) // 100  # in hundredths of a second
    closed = [port for port in context.host_state.ports(bridge.name) if port.port_state in _CLOSED]
    found = [f"the port {port.name} of {bridge.name} is {port.port_state} and lets nothing through" for port in closed]
    if delay + _LEASE > context.attachment.timeout:
        found.insert(
            0,
            f"{bridge.name} runs the spanning tree protocol (STP), with which a new port lets nothing through for "
            f"{delay} seconds; --timeout {delay + 30} waits for longer",
        )
    return tuple(found)
