"""Patterns to guests, and pools to addresses: what a file means on hosts with these guests. Pure, no I/O."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.topology import pools

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.model.attachment import Gateway
    from pipework_core.topology.model import Link, Topology


def expand_topology(topology: Topology, guests: Iterable[str]) -> tuple[Link, ...]:
    """Return the file's links with a guest and all static addresses each, in the file's order, then that of names.

    `guests` are the names there are, bare (`web1`) or with their runtime (`docker:web1`), in any order. A pattern with
    a runtime is held against the whole word, one without against the bare name. What is asked for a guest by its own
    name comes before what a pattern asks for the same interface. `pools.py` says who gets which address.

    Raise UsageError, with the place in the file, when two patterns give one guest the same interface, and when a pool
    is exhausted.
    """
    return expand_machines(topology, {"": guests})


def expand_machines(topology: Topology, guests: Mapping[str, Iterable[str]]) -> tuple[Link, ...]:
    """Return the links of a file of many machines, as `expand_topology` does for one; `guests` are by machine.

    A machine that is no key there gives its patterns nothing; what it has by name keeps its addresses. One pool is for
    the guests of all machines.
    """
    ordered = {
        machine: sorted(set(names), key=lambda word: (pools.make_natural_key(_strip_runtime(word)), word))
        for machine, names in guests.items()
    }
    own = {
        (link.machine, _strip_runtime(link.attachment.guest), link.interface): link
        for link in topology.links
        if not link.is_pattern
    }
    found: list[Link] = []
    by_pattern: dict[tuple[str, str], Link] = {}
    for link in topology.links:
        if not link.is_pattern:
            found.append(link)
            continue
        for guest in _list_matching(link.attachment.guest, ordered.get(link.machine, ())):
            named = own.get((link.machine, _strip_runtime(guest), link.interface))
            if named is not None and _is_same_guest(named.attachment.guest, guest):
                continue
            made = link._replace(attachment=link.attachment._replace(guest=guest))
            other = by_pattern.setdefault((made.guest, link.interface), link)
            if other is not link:
                message = f"{made.guest} would get {link.interface} here and by the pattern in {other.place.short}."
                raise link.place.error(message, hint="give one of the two another interface, or narrow one pattern")
            found.append(made)
    machines = {machine.name: number for number, machine in enumerate(topology.machines)}
    return _hand_out_addresses(found, _list_taken(topology), machines)


def _strip_runtime(word: str) -> str:
    """Return the name without the runtime; no container's name holds a colon."""
    head, colon, name = word.partition(":")
    return name if colon else head


def _is_same_guest(one: str, other: str) -> bool:
    """Whether two words with the same bare name may be one guest."""
    return one == other or ":" not in one or ":" not in other


def _list_matching(pattern: str, guests: Iterable[str]) -> list[str]:
    matches = re.compile(translate(pattern)).match
    return [guest for guest in guests if matches(guest if ":" in pattern else _strip_runtime(guest))]


def _list_taken(topology: Topology) -> set[Gateway]:
    """Return every address that the file itself gives to somebody: these are never handed out."""
    taken: set[Gateway] = {network.gateway for network in topology.networks if network.gateway is not None}
    given = [(asked.addresses, asked.gateways) for asked in topology.attachments]
    for addresses, gateways in [*given, *((entry.addresses, entry.gateways) for entry in topology.hosts)]:
        taken.update(address.ip for address in addresses)
        taken.update(gateways)
    return taken


def _hand_out_addresses(links: list[Link], taken: set[Gateway], machines: Mapping[str, int]) -> tuple[Link, ...]:
    """Hand out addresses, machine by machine and in the natural order of names; return the links in their own order.

    `machines` has the numbers of the file's machines; there are none in a file without.
    """

    def find_turn(number: int) -> tuple[object, ...]:
        link = links[number]
        word = link.attachment.guest
        return machines.get(link.machine, 0), pools.make_natural_key(_strip_runtime(word)), word, link.interface

    done = list(links)
    for number in sorted((i for i, link in enumerate(links) if link.pools), key=find_turn):
        link = links[number]
        got = list(link.attachment.addresses)
        for pool in link.pools:
            bare = _strip_runtime(link.attachment.guest)
            name = f"{link.machine}/{bare} {link.interface}" if link.machine else f"{bare} {link.interface}"
            try:
                got.append(pools.hand_out(pool, name, taken, machines.get(link.machine)))
            except UsageError as error:
                raise link.place.error(str(error), hint=error.hint) from None
            taken.add(got[-1].ip)
        done[number] = link._replace(attachment=link.attachment._replace(addresses=tuple(got)), pools=())
    return tuple(done)
