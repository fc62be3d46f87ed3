"""Pools of addresses: who gets what. How they are written, `spec/pools.py` says.

There is no memory of who had what, so an address has to follow from the name. Each name has an order of preference
of its own over the pool, made with SHA-256, and gets the first address in it that is free when its turn comes. Turns
are in the natural order of names, web2 before web10. So:

- the same names get the same addresses, in whatever order they are found;
- a guest that comes after all others in that order (web11 after web1 to web10) moves nobody, and neither does one
  that goes;
- one that comes in between gets the address of a guest after it with a chance of at most the used share of the pool,
  and that guest then moves to its next preference; the same, backwards, when such a guest goes;
- changing the pool's ends gives everybody a new address, taking one address out of it only to whoever had that.

In a file of many machines, turns are machine by machine, in the file's order. A machine's guests prefer one of eight
parts of the pool, by the machine's number. So:

- a machine that comes after all others in the file moves nobody on them;
- whether a machine answers, and which guests it has, changes nothing on other machines: not before it has more guests
  than its part has addresses, or there are more than eight machines, some of which then share a part.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipework_core.model.attachment import Address, Gateway
    from pipework_core.spec.pools import Pool

#: How many parts of a pool there are for machines. More would leave each with few addresses, in which names clash more
#: often: a /24 gives a machine 31.
_PARTS = 8
#: Preferences at random; whoever finds all of them taken takes the next free address after the last.
_TRIES = 256
_DIGITS = re.compile(r"([0-9]+)")


def hand_out(found: Pool, name: str, taken: Collection[Gateway], machine: int | None = None) -> Address:
    """Return the first address in the name's order of preference that is not taken; raise UsageError for none.

    `machine` is the number of the name's machine, None in a file without machines.
    """
    kind = type(found.network.network_address)
    ranges = [found] if machine is None else [*_list_parts(found, machine), found]
    for part in ranges:
        for number in _list_preferences(part, name):
            if kind(number) not in taken:
                return found.make_address(number)
    raise UsageError(
        f"the pool {found.text} of {found.size} addresses has none left for {name.partition(' ')[0]}.",
        hint="make the pool larger, or the pattern narrower",
    )


def _list_parts(found: Pool, machine: int) -> list[Pool]:
    """Return the part of the pool that a machine's guests prefer; none of a pool that is too small for parts."""
    first, end = (found.first + found.size * number // _PARTS for number in (machine % _PARTS, machine % _PARTS + 1))
    return [found._replace(first=first, last=end - 1)] if first < end else []


def _list_preferences(found: Pool, name: str) -> Iterator[int]:
    """Yield numbers of the pool at random, then every number of it once."""
    import hashlib  # noqa: PLC0415 - files without pools need none

    number = found.first
    for count in range(_TRIES):
        digest = hashlib.sha256(f"{name} {count}".encode("utf-8", "surrogateescape")).digest()
        number = found.first + int.from_bytes(digest[:24]) % found.size
        yield number
    for step in range(1, found.size):
        yield found.first + (number - found.first + step) % found.size


def make_natural_key(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Return the key that sorts names as people do: web2 before web10. Numbers may have any number of digits."""
    parts = _DIGITS.split(name)
    return tuple((len(n := p.lstrip("0")), n) if i % 2 else (0, p) for i, p in enumerate(parts)), name
