"""What the user asked for, as data."""

from __future__ import annotations

import zlib
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

#: An address with the length of its prefix.
Address = IPv4Interface | IPv6Interface
#: An address alone.
Gateway = IPv4Address | IPv6Address
#: Seconds for a lease, an advertisement, or an answer, when nothing else is said.
TIMEOUT = 30.0
#: A network of IPv4 whose two addresses are both hosts (RFC 3021).
_POINT_TO_POINT = 31


class Attachment(Record):
    """One interface for one guest, as asked for; nothing in it was looked up.

    `host` is a host interface's name, `kind` the backend that was named (`KIND:NAME`) or empty; `host_mac` replaces
    the name (`mac:ADDR`). `addresses` and `gateways` are those of the static method; `vlan` is the text after `@`,
    since it is decimal for Ethernet and hexadecimal (a partition key) for InfiniBand. Options are sorted.

    `dhcp` and `auto` are addresses that the network gives. `timeout` is in seconds and for whatever takes its time,
    `dns` hands the offered name servers to the guest, `no_dad` uses IPv6 addresses without asking whether they are
    taken, `probe` asks for those of both families before they are used.

    `peer` is the second guest of a kind that joins two guests, and `peer_interface` the name of its interface.
    """

    guest: str
    host: str = ""
    kind: str = ""
    host_mac: str = ""
    interface: str = ""
    host_name: str = ""
    addresses: tuple[Address, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    mac: str = ""
    vlan: str = ""
    mtu: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    replace: bool = False
    dhcp: Dhcp | None = None
    auto: bool = False
    timeout: float = TIMEOUT
    dns: bool = False
    no_dad: bool = False
    probe: bool = False
    peer: str = ""
    peer_interface: str = ""

    def option(self, key: str, default: str = "") -> str:
        """Return the value of `-o KEY=VALUE`, or the default."""
        return dict(self.options).get(key, default)

    @property
    def families(self) -> frozenset[int]:
        """The address families that it needs, 4 and 6."""
        found = {address.version for address in self.addresses}
        return frozenset(found | ({self.dhcp.family} if self.dhcp else set()) | ({6} if self.auto else set()))

    @property
    def where(self) -> str:
        """The host's side as the user would type it."""
        if self.host_mac:
            return f"mac:{self.host_mac}"
        return f"{self.kind}:{self.host}" if self.kind else self.host


def has_broadcast(network: IPv4Network | IPv6Network) -> bool:
    """Whether a network has a broadcast address: one of IPv4, and more than a link of two (RFC 3021)."""
    return network.version == 4 and network.prefixlen < _POINT_TO_POINT  # noqa: PLR2004 - IPv4


KEEP = "-f"


class Dhcp(Record):
    """A DHCP client as asked for: its name, whether it stays to renew the lease, words for it, 4 or 6.

    A method of a third party is asked for in the same way: `client` is its name, and it never stays.
    """

    client: str
    keep: bool = False
    words: tuple[str, ...] = ()
    family: int = 4

    @property
    def tag(self) -> str:
        """What the interface's mark remembers: `dhclient`, `dhclient-f`, `dhclient6`, `dhclient6-f`."""
        return f"{self.client}{'6' if self.family == 6 else ''}{KEEP if self.keep else ''}"  # noqa: PLR2004 - IPv6

    def __str__(self) -> str:
        """All of it, since the digest of a request rests on it."""
        return f"{self.tag}:{list(self.words)}" if self.words else self.tag


#: Seconds for the gateway to answer after the move, when nothing else is said, and the most.
CONFIRM, CONFIRM_MAX = 10, 600


class HostAccess(Record):
    """What `pipework host` is to do; `attachment` has no guest.

    `confirm` is in seconds; with 0 nobody is asked. `remove` takes the part back, `keep` then leaves a bridge of ours
    that nobody uses any more.
    """

    attachment: Attachment
    confirm: int = CONFIRM
    remove: bool = False
    keep: bool = False


def address_words(attachment: Attachment) -> list[str]:
    """Return the addresses that were asked for, as the user would type them."""
    words = [str(address) for address in attachment.addresses]
    return words + ([str(attachment.dhcp)] if attachment.dhcp else []) + (["auto"] if attachment.auto else [])


def describe_request(attachment: Attachment) -> str:
    """Say in a few words what was asked for, as the user would type it."""
    words: Sequence[str] = (
        attachment.where,
        f"-i {attachment.interface}" if attachment.interface else "",
        ",".join(address_words(attachment)) or "0/0",
        " ".join(f"@{gateway}" for gateway in attachment.gateways),
        attachment.mac,
        f"@{attachment.vlan}" if attachment.vlan else "",
    )
    return " ".join(word for word in words if word)


#: How it is done and not what: the same request may be repeated in another way.
_WAYS = ("replace", "host_mac", "timeout", "no_dad", "probe")
#: The same of options, by the kind: where a database is, the keys to it, and what others of its network get.
_WAY_OPTIONS = {"ovn": frozenset({"nb", "key", "cert", "ca", "exclude"})}


def request_digest(attachment: Attachment) -> str:
    """Return eight hex digits that are the same for the same request, whatever the guest is called.

    Only what was asked for takes part, so that a field of a later version changes no digest that is written already.
    """
    usual = attachment._field_defaults
    ways = _WAY_OPTIONS.get(attachment.kind, frozenset())
    options = tuple(pair for pair in attachment.options if pair[0] not in ways)
    said = attachment._replace(guest="", options=options, **{way: usual[way] for way in _WAYS})
    words = [f"{key}={value}" for key, value in zip(said._fields, said, strict=True) if value != usual.get(key)]
    return f"{zlib.crc32(repr(words).encode('utf-8', 'surrogateescape')):08x}"
