"""Addresses that two attachments of one network have: neither works as long as the other is there (RFC 5227)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine.attachments import ORPHAN, THIS_HOST, name_guest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.engine.attachments import AttachmentStatus

#: Kinds whose guests are in one network when they have the same parent and the same VLAN.
_NETWORKS = frozenset({"bridge", "ovs", "ovn", "macvlan", "ipvlan", "ipoib"})


def find_shared_addresses(found: Iterable[AttachmentStatus]) -> Iterator[str]:
    """Yield a sentence for each attachment that has an address which one before it has on the same parent."""
    owners: dict[tuple[str, str, str], AttachmentStatus] = {}
    for entry in found:
        if entry.kind not in _NETWORKS or entry.state == ORPHAN or not entry.parent:
            continue
        for address in entry.addresses:
            ip = address.partition("/")[0]
            first = owners.setdefault((entry.parent, entry.vlan, ip), entry)
            if first is not entry:
                yield f"{_name_owner(first)} and {_name_owner(entry)} both have {ip} on {entry.parent}"


def _name_owner(entry: AttachmentStatus) -> str:
    return (
        "the host" if entry.guest is THIS_HOST else f"{name_guest(entry) or 'a guest without a name'} {entry.interface}"
    )
