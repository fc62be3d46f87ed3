"""What a topology file says, as frozen data. Nothing in it was looked up on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.plugins.builtin import guess_interface

if TYPE_CHECKING:
    from pipework_core.model.attachment import Address, Attachment, Gateway
    from pipework_core.spec.pools import Pool

#: What makes a guest's name a pattern (fnmatch). No container's name may hold one of them.
WILDCARDS = frozenset("*?[")


class Place(Record):
    """A place in a file; line and column count from 1, as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def error(self, message: str, *, hint: str = "") -> UsageError:
        """Return the error to raise for what stands here."""
        return UsageError(f"{self}: {message}", hint=hint)


class Link(Record):
    """One attachment of the file. `attachment.addresses` lacks what comes from `pools`, until it was expanded."""

    attachment: Attachment
    place: Place
    pools: tuple[Pool, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """Whether the guest's name stands for all guests that match it."""
        return not WILDCARDS.isdisjoint(self.attachment.guest)

    @property
    def interface(self) -> str:
        """The guest's interface; a guess where none was given and only the host can say whether it is InfiniBand."""
        asked = self.attachment
        return asked.interface or guess_interface(asked.kind, asked.host)


class HostEntry(Record):
    """The host's own part in a network: addresses for a bridge, or for a sibling of a NIC. Host as in `Attachment`."""

    host: str
    kind: str
    host_mac: str
    addresses: tuple[Address, ...]
    gateways: tuple[Gateway, ...]
    place: Place


class Topology(Record):
    """A whole file: its links and host entries, each in the file's order."""

    file: str
    links: tuple[Link, ...] = ()
    hosts: tuple[HostEntry, ...] = ()

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The attachments alone."""
        return tuple(link.attachment for link in self.links)
