"""What the links of a file cannot have together: one address twice in a network, two default routes in a guest.

Asked where a file is applied, with the guests that its patterns and names mean. Whatever is attached can be withdrawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.plugins.builtin import CLAIMS
from pipework_core.topology.model import raise_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.model.attachment import Attachment, Gateway
    from pipework_core.model.errors import UsageError
    from pipework_core.topology.model import HostEntry, Link, Place

#: Kinds whose guests are in one network when they name the same interface of the host and the same VLAN.
_NETWORKS = frozenset({"bridge", "ovs", "macvlan", "ipvlan", "ipoib"})


def refuse_conflicts(links: Iterable[Link], hosts: Iterable[HostEntry]) -> None:
    """Raise UsageError with the places of all links that contradict each other."""
    links = tuple(links)
    raise_together([*_find_addresses(links, hosts), *_find_gateways(links)])


def _find_addresses(links: Iterable[Link], hosts: Iterable[HostEntry]) -> Iterator[UsageError]:
    """Yield an error for each address that somebody in the same network has already; one on two bridges is fine."""
    owners: dict[tuple[tuple[str, str], Gateway], tuple[str, Place]] = {}
    for entry in hosts:
        for address in entry.addresses:
            owners.setdefault(((entry.host or entry.host_mac, ""), address.ip), ("the host", entry.place))
    for link in links:
        asked = link.attachment
        if (asked.kind or _guess_kind(asked.host)) not in _NETWORKS:
            continue
        network = (asked.host or asked.host_mac, asked.vlan)
        for address in asked.addresses:
            name = f"{asked.guest} {link.interface}"
            owner, place = owners.setdefault((network, address.ip), (name, link.place))
            if place is not link.place or owner != name:
                where = f"{network[0]} @{asked.vlan}" if asked.vlan else network[0]
                message = f"on {where}, {owner} has {address.ip} in {place.short} already."
                yield link.place.error(message, hint="give one of the two another address")


def _find_gateways(links: Iterable[Link]) -> Iterator[UsageError]:
    """Yield an error for each default route of a guest that another link of the file would replace."""
    owners: dict[tuple[str, int], Link] = {}
    links = tuple(links)
    bare = {link.attachment.guest for link in links}
    for link in links:
        # `web1` beside `docker:web1` is the same guest, or ambiguous and refused for that.
        name = link.attachment.guest.partition(":")[2]
        guest = name if name in bare else link.attachment.guest
        for family in sorted(_list_families(link.attachment)):
            first = owners.setdefault((guest, family), link)
            if first is not link:
                message = (
                    f"{link.attachment.guest} has its default route of IPv{family} through {first.interface} of "
                    f"{first.place.short}, and {link.interface} would replace it."
                )
                yield link.place.error(message, hint="leave the gateway out of one of the two")


def _list_families(asked: Attachment) -> set[int]:
    """Return the families of which the link sets the default route without a metric."""
    found = {gateway.version for gateway in asked.gateways}
    return found | ({asked.dhcp.family} if asked.dhcp and asked.option("metric") == "0" else set())


def _guess_kind(host: str) -> str:
    """Return the kind that claims a bare name of the host; what it is there, only the host can say."""
    claimed = (kind for kind, claims in CLAIMS.items() if claims.prefix and host.startswith(claims.prefix))
    return next(claimed, "macvlan")
