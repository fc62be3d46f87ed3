"""What a topology file says, as frozen data. Nothing in it was looked up on a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.plugins.builtin import guess_interface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network

    from pipework_core.model.attachment import Address, Attachment, Gateway
    from pipework_core.spec.pools import Pool

#: What makes a guest's name a pattern (fnmatch). No container's name may hold one of them.
WILDCARDS = frozenset("*?[")
#: Errors of a file that are told at once.
ERRORS_MAX = 20
#: Kinds whose network of one name is the same on all machines of a file.
SPANNING_KINDS = frozenset({"ovn", "vxlan"})


class Place(Record):
    """A place in a file; line and column count from 1, as editors do.

    Data without lines, such as JSON, has `keys` that lead there: `links[3].vlan`.
    """

    file: str
    line: int = 1
    column: int = 1
    keys: str = ""

    def __str__(self) -> str:
        return self.keys or f"{self.file}:{self.line}:{self.column}"

    @property
    def short(self) -> str:
        """The place within its file, for a sentence about another place of it."""
        return self.keys or f"line {self.line}"

    def error(self, message: str, *, hint: str = "") -> UsageError:
        """Return the error to raise for what stands here."""
        return FileError(self, message, hint=hint)


class Source(Protocol):
    """Data that was read, and where each value of it stands: a YAML file's, or that of a request to the API."""

    @property
    def data(self) -> object:
        """The data: mappings, lists and scalars."""

    @property
    def file(self) -> str:
        """What errors call it."""

    def find_place(self, path: Sequence[object], *, of_key: bool = False) -> Place:
        """Return where the value at a path of keys and indexes stands, or its key."""


class FileError(UsageError):
    """What is wrong with a file, and where."""

    def __init__(self, place: Place, message: str, *, hint: str = "") -> None:
        super().__init__(f"{place}: {message}", hint=hint)
        self.place = place


class BadFileError(UsageError):
    """All that is wrong with a file: `errors` in the order of their lines, the message has one a line."""

    def __init__(self, errors: Sequence[UsageError]) -> None:
        super().__init__("\n".join(map(str, errors)), hint=errors[0].hint)
        self.errors = tuple(errors)


def raise_together(errors: Sequence[UsageError]) -> None:
    """Raise the errors as one, each once and not too many; a single one as it is. Without any, do nothing."""
    found = sorted({str(error): error for error in errors}.values(), key=_find_line)
    if len(found) == 1:
        raise found[0]
    if len(found) > ERRORS_MAX:
        more = UsageError(f"{len(found) - ERRORS_MAX} more are like these.", hint="correct these first")
        found = [*found[:ERRORS_MAX], more]
    if found:
        raise BadFileError(found)


def _find_line(error: UsageError) -> tuple[int, int]:
    return (error.place.line, error.place.column) if isinstance(error, FileError) else (0, 0)


class Link(Record):
    """One attachment of the file. `attachment.addresses` lacks what comes from `pools`, until it was expanded.

    `machine` is the name of the machine that it is placed on; empty in a file without machines.
    """

    attachment: Attachment
    place: Place
    pools: tuple[Pool, ...] = ()
    machine: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether the guest's name stands for all guests that match it."""
        return not WILDCARDS.isdisjoint(self.attachment.guest)

    @property
    def interface(self) -> str:
        """The guest's interface; a guess where none was given and only the host can say whether it is InfiniBand."""
        asked = self.attachment
        return asked.interface or guess_interface(asked.kind, asked.host)

    @property
    def guest(self) -> str:
        """The guest as messages name it: `host1/web1` in a file of many machines."""
        return f"{self.machine}/{self.attachment.guest}" if self.machine else self.attachment.guest


class HostEntry(Record):
    """The host's own part in a network: addresses for a bridge, or for a sibling of a NIC. Host as in `Attachment`."""

    host: str
    kind: str
    host_mac: str
    addresses: tuple[Address, ...]
    gateways: tuple[Gateway, ...]
    place: Place
    machine: str = ""


class Machine(Record):
    """A machine of the file: its name, and the driver that leads there, `local` or `ssh://…`, as the file has it.

    `address` is that of its underlay, for tunnels between machines.
    """

    name: str
    driver: str
    place: Place
    address: str = ""


class Network(Record):
    """What the file says of a logical switch of OVN, and of each link on `ovn:NAME`.

    `dhcp` says whether OVN gives addresses of the subnet to who asks by DHCP, with `gateway` as their router, or a
    guest of the network does; None where the file does not say.
    """

    name: str
    place: Place
    subnet: IPv4Network | None = None
    gateway: IPv4Address | None = None
    dhcp: bool | None = None


class Topology(Record):
    """A whole file: its links, host entries, machines and networks, each in the file's order.

    `nb` is the address of OVN's northbound database as seen from here, empty where the file names none.
    """

    file: str
    links: tuple[Link, ...] = ()
    hosts: tuple[HostEntry, ...] = ()
    machines: tuple[Machine, ...] = ()
    nb: str = ""
    networks: tuple[Network, ...] = ()

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The attachments alone."""
        return tuple(link.attachment for link in self.links)


def refuse_machines(topology: Topology, hint: str) -> None:
    """Raise UsageError for a file of many machines, where only one is looked after."""
    if topology.machines:
        first = topology.machines[0]
        raise first.place.error("the file names its machines, and here it is about this one alone.", hint=hint)
