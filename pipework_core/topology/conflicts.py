"""What the links of a file cannot have together: an address or a MAC twice in a network, two default routes in a guest.

Asked where a file is applied, with the guests that its patterns and names mean. Whatever is attached can be withdrawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record
from pipework_core.plugins.builtin import CLAIMS
from pipework_core.topology.model import SPANNING_KINDS, raise_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.errors import UsageError
    from pipework_core.topology.model import HostEntry, Link, Place

#: Kinds whose guests are in one network when they name the same interface of the host and the same VLAN.
_NETWORKS = frozenset({"bridge", "ovs", "macvlan", "ipvlan", "ipoib"}) | SPANNING_KINDS


class _Segment(Record):
    """A network in which nobody may have what another one has: on one machine, or with an empty one on all."""

    name: str
    vlan: str = ""
    machine: str = ""

    def __str__(self) -> str:
        shown = f"{self.name} @{self.vlan}" if self.vlan else self.name
        return f"{shown} of {self.machine}" if self.machine else shown


def refuse_conflicts(links: Iterable[Link], hosts: Iterable[HostEntry]) -> None:
    """Raise UsageError with the places of all links that contradict each other, those of all machines together."""
    links = tuple(links)
    raise_together([*_find_doubles(links, hosts), *_find_gateways(links)])


def _find_doubles(links: Iterable[Link], hosts: Iterable[HostEntry]) -> Iterator[UsageError]:
    """Yield an error for each address and MAC that somebody in the same network has; one on two bridges is fine."""
    owners: dict[tuple[_Segment, str], tuple[str, Place]] = {}
    for entry in hosts:
        on_host = _Segment(entry.host or entry.host_mac, machine=entry.machine)
        for address in entry.addresses:
            owners.setdefault((on_host, str(address.ip)), ("the host", entry.place))
    for link in links:
        segment = _find_segment(link)
        if segment is None:
            continue
        asked = link.attachment
        name = f"{link.guest} {link.interface}"
        words = [(str(address.ip), "address") for address in asked.addresses]
        words += [(asked.mac, "MAC address")] if asked.mac else []
        for word, noun in words:
            owner, place = owners.setdefault((segment, word), (name, link.place))
            if place is not link.place or owner != name:
                has = word if noun == "address" else f"the {noun} {word}"
                message = f"on {segment}, {owner} has {has} in {place.short} already."
                yield link.place.error(message, hint=f"give one of the two another {noun}")


def _find_segment(link: Link) -> _Segment | None:
    """Return the network of the link; None where no other guest can be in it."""
    asked = link.attachment
    kind = asked.kind or _guess_kind(asked.host)
    if kind in SPANNING_KINDS:
        return _Segment(asked.where, asked.vlan)
    return _Segment(asked.host or asked.host_mac, asked.vlan, link.machine) if kind in _NETWORKS else None


def _find_gateways(links: Iterable[Link]) -> Iterator[UsageError]:
    """Yield an error for each default route of a guest that another link of the file would replace."""
    owners: dict[tuple[str, str, int], Link] = {}
    links = tuple(links)
    bare = {(link.machine, link.attachment.guest) for link in links}
    for link in links:
        # `web1` beside `docker:web1` is the same guest, or ambiguous and refused for that.
        name = link.attachment.guest.partition(":")[2]
        guest = name if (link.machine, name) in bare else link.attachment.guest
        for family in sorted(_list_families(link.attachment)):
            first = owners.setdefault((link.machine, guest, family), link)
            if first is not link:
                message = (
                    f"{link.guest} has its default route of IPv{family} through {first.interface} of "
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
