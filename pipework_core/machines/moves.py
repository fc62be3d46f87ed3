"""Guests that the file has moved to another machine: the old place must be empty before the new one is made.

Two machines cannot have one address in a network that spans both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.machines.report import Move

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.topology.model import Link


def find_moves(
    unlisted: Mapping[str, Sequence[AttachmentStatus]], links: Iterable[Link], reached: Collection[str]
) -> list[Move]:
    """Return what is attached on a machine, not in the file there, and given to another machine that was reached.

    It is given to another one when that has a guest of this name with this interface, or one of its addresses.
    """
    takers = dict(_list_claims(link for link in links if link.machine in reached))
    found = []
    for machine, statuses in unlisted.items():
        for status in statuses:
            name = status.guest.name if status.guest else ""
            claims = ((name, status.interface), *(word.partition("/")[0] for word in status.addresses))
            to = next((takers[claim] for claim in claims if takers.get(claim, machine) != machine), None)
            if to is not None:
                found.append(Move(machine, status, to))
    return found


def _list_claims(links: Iterable[Link]) -> Iterator[tuple[object, str]]:
    """Yield what no other machine can have, with the machine of the file that has it."""
    for link in links:
        word = link.attachment.guest
        yield (word.partition(":")[2] or word, link.interface), link.machine
        for address in link.attachment.addresses:
            yield str(address.ip), link.machine
