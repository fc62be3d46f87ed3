"""Pools of addresses as words: `NETWORK/N` is every address of the network, `FIRST-LAST/N` those of a range.

The network's own address is in no pool, nor is IPv4's broadcast address.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from pipework_core.model.attachment import Address

_RANGE = re.compile(r"([0-9a-fA-F.:]+)-([0-9a-fA-F.:]+)/([0-9]{1,3})", re.ASCII)


class Pool(Record):
    """Addresses to hand out: `first` to `last` of `network`, as numbers, both included; `text` is as written."""

    text: str
    network: IPv4Network | IPv6Network
    first: int
    last: int

    @property
    def size(self) -> int:
        """How many addresses lie in it, those that are taken included."""
        return self.last - self.first + 1

    def make_address(self, number: int) -> Address:
        """Return the address of that number, with the network's prefix length."""
        return ip_interface(f"{type(self.network.network_address)(number)}/{self.network.prefixlen}")


def parse_pool(text: str) -> Pool | None:
    """Return the pool that `text`, without a gateway, stands for; None when it is no pool.

    Raise UsageError for a range that makes no sense.
    """
    if "-" in text:
        return _parse_range(text)
    try:
        whole = ip_interface(text) if "/" in text else None
    except ValueError:
        return None
    if whole is None or whole.ip != whole.network.network_address or whole.ip.is_unspecified:
        return None
    return _make_pool(text, str(whole.network), int(whole.ip), int(whole.network.broadcast_address))


def _parse_range(text: str) -> Pool:
    found = _RANGE.fullmatch(text)
    try:
        first, last, prefix = found.groups() if found else ("", "", "")
        start, end = ip_address(first), ip_address(last)
        network = ip_network(f"{start}/{prefix}", strict=False)
    except ValueError:
        hint = "write FIRST-LAST/N, such as 192.168.1.10-192.168.1.99/24"
        raise UsageError(f"{text!r} is no range of addresses.", hint=hint) from None
    if end not in network or int(start) > int(end):
        raise UsageError(f"{end} is not after {start} in {network}.", hint="put the range's ends in order")
    made = _make_pool(text, str(network), int(start), int(end))
    if made is None:
        raise UsageError(f"{text} has no address to hand out.", hint="choose a larger range")
    return made


def _make_pool(text: str, network: str, first: int, last: int) -> Pool | None:
    """Return the pool without the network's own address and, in IPv4, the broadcast address; None for a lone host."""
    net = ip_network(network)
    if net.prefixlen >= net.max_prefixlen - 1:  # no such addresses, and nothing to choose from (RFC 3021, RFC 6164)
        return None
    first = max(first, int(net.network_address) + 1)
    last = min(last, int(net.broadcast_address) - (net.version == 4))  # noqa: PLR2004 - IPv4
    return Pool(text, net, first, last) if first <= last else None
