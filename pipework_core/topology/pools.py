"""Pools of addresses: how they are written, and who gets what.

`NETWORK/N[@GATEWAY]` is every address of the network, `FIRST-LAST/N[@GATEWAY]` those of a range; never that of the
network itself, nor IPv4's broadcast address.

There is no memory of who had what, so an address has to follow from the name. Each name has an order of preference
of its own over the pool, made with SHA-256, and gets the first address in it that is free when its turn comes. Turns
are in the natural order of names, web2 before web10. So:

- the same names get the same addresses, in whatever order they are found;
- a guest that comes behind all others in that order (web11 after web1 to web10) moves nobody, and neither does one
  that goes;
- one that comes in between gets the address of a guest behind it with a chance of at most the used share of the pool,
  and that guest then moves to its next preference; the same, backwards, when such a guest goes;
- changing the pool's ends gives everybody a new address, taking one address out of it only to whoever had that.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.spec import dhcp
from pipework_core.topology.model import Pool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipework_core.model.attachment import Address, Gateway

#: Preferences at random; whoever finds all of them taken takes the next free address behind the last.
_TRIES = 256
_DIGITS = re.compile(r"([0-9]+)")
_RANGE = re.compile(r"([0-9a-fA-F.:]+)-([0-9a-fA-F.:]+)/([0-9]{1,3})", re.ASCII)


def pool(text: str) -> Pool | None:
    """Return the pool that `text`, without a gateway, stands for; None when it is no pool.

    Raise UsageError for a range that makes no sense.
    """
    if dhcp.find_method(text):
        return None
    if "-" in text:
        return _range(text)
    try:
        whole = ip_interface(text) if "/" in text else None
    except ValueError:
        return None
    if whole is None or whole.ip != whole.network.network_address or whole.ip.is_unspecified:
        return None
    return _within(text, str(whole.network), int(whole.ip), int(whole.network.broadcast_address))


def _range(text: str) -> Pool:
    found = _RANGE.fullmatch(text)
    try:
        first, last, prefix = found.groups() if found else ("", "", "")
        start, end = ip_address(first), ip_address(last)
        network = ip_network(f"{start}/{prefix}", strict=False)
    except ValueError:
        hint = "write FIRST-LAST/N, such as 192.168.1.10-192.168.1.99/24"
        raise UsageError(f"{text!r} is no range of addresses.", hint=hint) from None
    if end not in network or int(start) > int(end):
        raise UsageError(f"{end} is not behind {start} in {network}.", hint="put the range's ends in order")
    made = _within(text, str(network), int(start), int(end))
    if made is None:
        raise UsageError(f"{text} has no address to hand out.", hint="choose a larger range")
    return made


def _within(text: str, network: str, first: int, last: int) -> Pool | None:
    """Return the pool without the network's own address and, in IPv4, the broadcast address; None for a lone host."""
    net = ip_network(network)
    if net.prefixlen >= net.max_prefixlen - 1:  # no such addresses, and nothing to choose from (RFC 3021, RFC 6164)
        return None
    first = max(first, int(net.network_address) + 1)
    last = min(last, int(net.broadcast_address) - (net.version == 4))  # noqa: PLR2004 - IPv4
    return Pool(text, net, first, last) if first <= last else None


def address(found: Pool, number: int) -> Address:
    """Return the pool's address of that number, with the network's prefix length."""
    plain = type(found.network.network_address)(number)
    return ip_interface(f"{plain}/{found.network.prefixlen}")


def hand_out(found: Pool, name: str, taken: Collection[Gateway]) -> Address:
    """Return the first address in the name's order of preference that is not taken; raise UsageError for none."""
    kind = type(found.network.network_address)
    for number in _preferences(found, name):
        if kind(number) not in taken:
            return address(found, number)
    raise UsageError(
        f"the pool {found.text} of {found.size} addresses has none left for {name.partition(' ')[0]}.",
        hint="make the pool larger, or the pattern narrower",
    )


def _preferences(found: Pool, name: str) -> Iterator[int]:
    """Yield every number of the pool at least once; beyond those at random, as many as `hand_out` needs to look at."""
    import hashlib  # noqa: PLC0415 - files without pools need none

    number = found.first
    for count in range(_TRIES):
        digest = hashlib.sha256(f"{name} {count}".encode("utf-8", "surrogateescape")).digest()
        number = found.first + int.from_bytes(digest[:24]) % found.size
        yield number
    for step in range(1, found.size):
        yield found.first + (number - found.first + step) % found.size


def natural(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Return the key that sorts names as people do: web2 before web10. Numbers may have any number of digits."""
    parts = _DIGITS.split(name)
    return tuple((len(n := p.lstrip("0")), n) if i % 2 else (0, p) for i, p in enumerate(parts)), name


def usable(found: Pool, taken: Collection[str]) -> Address:
    """Return some address of the pool that is not among these, or simply one when all are."""
    kind: type[Gateway] = type(found.network.network_address)
    numbers = range(found.first, found.last + 1)
    return address(found, next((n for n in numbers if str(kind(n)) not in taken), found.first))
