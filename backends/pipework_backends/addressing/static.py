"""Static addressing: mark the interface, give it its addresses, raise it, route through it, tell the neighbours.

It always takes part, and first: a request for a dynamic address has no address of its own here, and all the rest.
"""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_core.model.errors import HostError
from pipework_core.model.ownership import PENDING_GROUP, read_tag
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit.iproute import Sysctl, broadcast_words, ip, is_unfinished, set_sysctls
from pipework_core.toolkit.replace import restore_route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from pipework_core.model.attachment import Address, Attachment, Gateway
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.link import Route
    from pipework_core.model.ownership import Tag

_IPV6 = 6
#: The program that announces addresses, where there is one.
ARPING = "arping"


class Static:
    """Addresses from the command line, and all that an interface needs whatever its addresses are."""

    method = "static"
    options: Mapping[str, str] = {
        "accept_ra": "whether the guest obeys router advertisements: 0, 1 (unless it is a router itself) or 2 (always)",
        "autoconf": "whether the guest makes addresses from router advertisements, 0 or 1",
    }
    programs: tuple[str, ...] = (ARPING,)

    def queries(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Read the switches that the request sets."""
        return _import_ipv6().list_queries(attachment, guest) if self._takes_ipv6(attachment) else {}

    def plan(self, context: Context, tag: Tag) -> Plan:
        """Return what is missing. What dies with an interface that is made by this very plan needs no undo."""
        ipv6 = _import_ipv6() if self._takes_ipv6(context.attachment) else None
        addresses = _find_missing(context)
        probe, given, raised = (
            _probe_addresses(context, addresses),
            _add_addresses(context, addresses),
            _raise_link(context),
        )
        steps = [
            *set_sysctls(
                context, [*_let_kernel_announce(context), *(ipv6.list_sysctls(context, addresses) if ipv6 else ())]
            ),
            *_set_tag(context, tag),
            *((*raised, *probe, *given) if probe else (*given, *raised)),
            *_set_routes(context),
            *(ipv6.list_settled(context, addresses) if ipv6 else ()),
        ]
        interface = context.attachment.interface
        notes = () if steps else (f"{interface} of {context.guest.name} is up, with all that was asked for",)
        return Plan(steps=tuple(steps), announce=_announce_addresses(context) if steps else (), notes=notes)

    def _takes_ipv6(self, attachment: Attachment) -> bool:
        return _IPV6 in attachment.families or any(key in self.options for key, _ in attachment.options)


def _import_ipv6() -> ModuleType:
    from pipework_backends.addressing import ipv6  # noqa: PLC0415 - most addresses are of IPv4

    return ipv6


def _set_tag(context: Context, tag: Tag) -> list[Command]:
    link = context.existing
    if link is not None and link.alias == tag.alias and link.group != PENDING_GROUP:
        return []
    return [
        ip(
            *("link", "set", "dev", context.attachment.interface, "group", "default", "alias", tag.alias),
            netns=context.guest.netns,
            reason=f"mark {context.attachment.interface} as pipework's",
        )
    ]


def _find_missing(context: Context) -> list[Address]:
    """Return the addresses that the interface does not have; raise HostError when another one has them."""
    present = {str(ip_interface(address)) for address in context.existing.addresses} if context.existing else set()
    found = [address for address in context.attachment.addresses if str(address) not in present]
    for address in found:
        _refuse_taken(context, str(address.ip))
    return found


def _probe_addresses(context: Context, addresses: Sequence[Address]) -> list[Command]:
    if not context.attachment.probe or not addresses:
        return []
    from pipework_backends.addressing import conflict_detection  # noqa: PLC0415 - few ask

    return [conflict_detection.probe_addresses(context, addresses)]


def _add_addresses(context: Context, addresses: Sequence[Address]) -> list[Command]:
    netns, name = context.guest.netns, context.attachment.interface
    steps = []
    for address in addresses:
        nodad = ("nodad",) if context.attachment.no_dad and address.version == _IPV6 else ()
        words = (f"{address}", *broadcast_words(address), "dev", name, *nodad)
        undo = [ip("address", "delete", str(address), "dev", name, netns=netns)] if context.existing else []
        steps.append(ip("address", "add", *words, netns=netns, undo=undo, reason=f"give {name} its address {address}"))
    return steps


def _refuse_taken(context: Context, address: str) -> None:
    for link in context.guest_state.links.values():
        if link.name == context.attachment.interface:
            continue
        if any(known.partition("/")[0] == address for known in link.addresses):
            first = f"pipework detach -i {link.name} {context.attachment.guest} first, or " if read_tag(link) else ""
            raise HostError(
                f"{context.guest.name} has the address {address} already, on {link.name}.",
                hint=f"{first}choose another address",
            )


def _raise_link(context: Context) -> list[Command]:
    link, name, netns = context.existing, context.attachment.interface, context.guest.netns
    if link is not None and link.up:
        return []
    undo = [ip("link", "set", "dev", name, "down", netns=netns)] if link else []
    return [ip("link", "set", "dev", name, "up", netns=netns, undo=undo, reason=f"raise {name}")]


def _set_routes(context: Context) -> list[Command]:
    steps: list[Command] = []
    for gateway in context.attachment.gateways:
        name, family = context.attachment.interface, f"-{gateway.version}"
        before = context.guest_state.default_route(gateway.version)
        if before is not None and before.dev == name and _has_gateway(before, gateway):
            continue
        if before is not None and before.special:
            raise HostError(
                f"{context.guest.name} has a default route that could not be given back ({before.special}).",
                hint="delete it first, if the guest can do without it",
            )
        if not _is_reachable(context, gateway):
            steps += _reach_gateway(context, gateway)
        steps.append(
            ip(
                *(family, "route", "replace", "default", "via", str(gateway), "dev", name),
                netns=context.guest.netns,
                undo=_undo_default(context, before, family, name),
                reason=f"make {gateway} the default gateway",
            )
        )
    return steps


def _has_gateway(route: Route, gateway: Gateway) -> bool:
    return route.via == str(gateway)


def _is_reachable(context: Context, gateway: Gateway) -> bool:
    if gateway.version == 6 and gateway.is_link_local:  # noqa: PLR2004 - IPv6
        return True
    return any(gateway in address.network for address in context.attachment.addresses)


def _reach_gateway(context: Context, gateway: Gateway) -> list[Command]:
    """Return the route to a gateway outside of the subnets, unless it is there.

    It is appended, since replacing would take away what the guest has for that address through another interface, and
    nobody would remember it: the kernel holds a gateway against the routes of its own interface alone, and all that is
    appended goes with that.
    """
    name, netns, words = context.attachment.interface, context.guest.netns, (f"-{gateway.version}", "route")
    if any(route.dst == str(gateway) and route.dev == name for route in context.guest_state.routes):
        return []
    host = f"{gateway}/{gateway.max_prefixlen}"
    undo = [ip(*words, "delete", host, "dev", name, netns=netns)] if context.existing else []
    reason = f"reach the gateway {gateway}, which is outside the subnet"
    return [ip(*words, "append", host, "dev", name, netns=netns, undo=undo, reason=reason)]


def _undo_default(context: Context, before: Route | None, family: str, name: str) -> list[Command]:
    if before is not None:
        return [restore_route(before, context.guest.netns)]
    if context.existing is None:
        return []
    return [ip(family, "route", "delete", "default", "dev", name, netns=context.guest.netns)]


def _let_kernel_announce(context: Context) -> list[Sysctl]:
    """Let the kernel announce IPv4 addresses, on hosts without arping."""
    attachment = context.attachment
    if not context.announces or 4 not in attachment.families or ARPING in context.programs:  # noqa: PLR2004 - IPv4
        return []
    return (
        [Sysctl(f"/proc/sys/net/ipv4/conf/{attachment.interface}/arp_notify", "1", optional=True)]
        if is_unfinished(context)
        else []
    )


def _announce_addresses(context: Context) -> tuple[Command, ...]:
    """Tell the neighbours who has the addresses now, and wait for nobody. The script enters the guest by itself.

    Behind duplicate address detection the kernel has told those of an IPv6 address (ndisc_notify).
    """
    attachment = context.attachment
    if not context.announces:
        return ()
    four = [str(address.ip) for address in attachment.addresses if address.version == 4]  # noqa: PLR2004 - IPv4
    six = [str(address.ip) for address in attachment.addresses if address.version == 6]  # noqa: PLR2004 - IPv6
    by_arping, by_kernel = (four, []) if ARPING in context.programs else ([], four)
    by_kernel += six if attachment.no_dad else []
    guest = (f"guest={context.guest.netns.path}", f"inode={context.guest.inode}")
    told = [(by_arping, by_arping)] if by_arping else []
    told += [([], by_kernel)] if by_kernel else []
    return tuple(
        Command(
            argv=("sh", script("announce.sh"), *guest, attachment.interface, *words),
            reason=f"tell the neighbours about {', '.join(addresses)}",
        )
        for words, addresses in told
    )


@hookimpl
def pipework_addressing() -> list[Static]:
    """Register the method."""
    return [Static()]
