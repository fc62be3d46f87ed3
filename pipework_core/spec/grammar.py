"""The words of an attachment: host interface, guest, addresses, MAC, VLAN. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, ip_address, ip_interface
from typing import TYPE_CHECKING

from pipework_core.model import names
from pipework_core.model.attachment import Address, Gateway, has_broadcast
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import dhcp as dynamic

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from pipework_core.model.attachment import Dhcp
    from pipework_core.spec.pools import Pool

VLAN_MAX = 4094
#: linux/if_ether.h, ETH_MIN_MTU and ETH_MAX_MTU.
MTU_MIN, MTU_MAX = 68, 65535
#: `/web1`, as `docker inspect` shows it.
_SHOWN_NAME = r"((docker|podman):)?/[a-zA-Z0-9][a-zA-Z0-9_.-]*(/[a-zA-Z0-9][a-zA-Z0-9_.-]*)?"
_VLAN = r"(0[xX])?[0-9a-fA-F]{1,4}"


def split_host(text: str, *, direct_phys: bool = False) -> tuple[str, str, str]:
    """Split `HOSTIF`, `mac:ADDR` or `KIND:NAME` into kind, name and MAC (two of them may be empty)."""
    kind, colon, name = text.partition(":")
    if colon and kind == "mac":
        return ("phys" if direct_phys else ""), "", names.mac_address(name)
    if not colon:
        kind, name = "", text
    elif not kind.isidentifier():
        raise UsageError(f"{text!r} is neither an interface nor KIND:NAME.", hint="write for instance bridge:br1")
    if direct_phys:
        if kind not in {"", "phys"}:
            raise UsageError(f"--direct-phys and {kind}: contradict each other.", hint=f"write phys:{name}")
        kind = "phys"
    return kind, parse_interface(name, what="host interface", most=names.ALTERNATIVE_MAX), ""


def parse_interface(text: str, *, what: str, most: int = names.NAME_MAX) -> str:
    """Return the name of an interface that somebody wrote; raise UsageError for one that cannot be meant.

    `most` are the bytes that it may have.

    `ip link` shows the parent or peer after an `@`, and `ip address` a label after a `:` (ip-address(8)); neither
    belongs to the name.
    """
    name, mark, _ = text.partition("@")
    if not mark:
        name, mark, label = text.partition(":")
        mark = mark if label.isalnum() else ""
    if name and mark:
        shown = "the interface below it or its peer" if mark == "@" else "the label of an address"
        raise UsageError(f"{what} {text!r}: what follows {mark!r} is {shown}.", hint=f"the interface is called {name}")
    return names.interface_name(text, what=what, most=most)


def parse_guest(text: str) -> str:
    """Return the guest's name, who it is shows later; Docker shows names with a `/` in front."""
    if not text or text.startswith("-") or not text.isprintable():
        raise UsageError(f"{text!r} is not a guest's name.", hint="name a container, or netns:NAME, or pid:NUMBER")
    runtime, colon, name = text.rpartition(":")
    return runtime + colon + name[1:] if re.fullmatch(_SHOWN_NAME, text) else text


class AddressPart(Record):
    """One of the parts that commas separate in ADDRESS: an address, a pool, a DHCP client or `auto`."""

    address: Address | None = None
    pool: Pool | None = None
    gateway: Gateway | None = None
    dhcp: Dhcp | None = None
    auto: bool = False

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        """The network of a static address or a pool."""
        if self.pool is not None:
            return self.pool.network
        return self.address.network if self.address is not None else None


class Addresses(Record):
    """What ADDRESS asks for: see `Attachment`. `pools` are for topology files alone."""

    addresses: tuple[Address, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    dhcp: Dhcp | None = None
    auto: bool = False
    pools: tuple[Pool, ...] = ()


def parse_addresses(text: str, methods: Container[str] = (), *, pools: bool = False) -> Addresses:
    """Parse `IP/N[@GATEWAY]`, a DHCP client, `auto`, separated by commas; `0/0` alone means up and without an address.

    A client's place may be taken by one of `methods`, those of third parties. With `pools`, an address may be a pool.
    Raise UsageError for anything else, for two gateways of one family or two clients, and for one address twice.
    """
    if text == "0/0":
        return Addresses()
    parts = [parse_address_part(part, methods, pools=pools) for part in dynamic.split_addresses(text, methods)]
    return combine_address_parts(parts, text)


def parse_address_part(text: str, methods: Container[str] = (), *, pools: bool = False) -> AddressPart:
    """Parse one part of ADDRESS; raise UsageError for what is none. The parameters are as for `parse_addresses`."""
    if dynamic.find_method(text, methods):
        if text == dynamic.SLAAC:
            return AddressPart(auto=True)
        return AddressPart(dhcp=dynamic.parse_client(text, methods))
    head, at, via = text.partition("@")
    part = AddressPart(pool=_find_pool(head)) if pools else AddressPart()
    if part.pool is None:
        part = AddressPart(address=_parse_address(head))
    return part._replace(gateway=parse_gateway(via, part)) if at else part


def _find_pool(text: str) -> Pool | None:
    from pipework_core.spec.pools import parse_pool  # noqa: PLC0415 - the command line has no pools

    pool = parse_pool(text)
    if pool is not None:
        _refuse_useless(pool.make_address(pool.first), text)
    return pool


def combine_address_parts(parts: Sequence[AddressPart], text: str) -> Addresses:
    """Return what the parts ask for together; raise UsageError when they contradict each other. `text` is all of it."""
    clients = [part.dhcp for part in parts if part.dhcp is not None]
    addresses: list[Address] = []
    gateways: dict[int, Gateway] = {}
    for part in parts:
        if part.address is not None:
            if any(known.ip == part.address.ip for known in addresses):
                raise UsageError(f"the address {part.address.ip} is given twice.", hint="leave one of them out")
            addresses.append(part.address)
        if part.gateway is not None and gateways.setdefault(part.gateway.version, part.gateway) != part.gateway:
            raise UsageError(
                f"there can be one IPv{part.gateway.version} gateway, and {text} names two.",
                hint="leave one of them out",
            )
    for gateway in gateways.values():
        if any(address.ip == gateway for address in addresses):
            raise UsageError(
                f"the guest gets {gateway} itself and cannot be its own gateway.",
                hint="name the router's address after @",
            )
    return Addresses(
        addresses=tuple(addresses),
        gateways=tuple(gateways.values()),
        dhcp=dynamic.choose_client(clients, text),
        auto=any(part.auto for part in parts),
        pools=tuple(part.pool for part in parts if part.pool is not None),
    )


def _parse_address(text: str) -> Address:
    if text == "0/0":
        raise UsageError("0/0 means no address and cannot stand beside one.", hint="write 0/0 alone")
    if "%" in text:
        raise UsageError(f"{text!r} names a zone; the interface is given already.", hint="leave out the % part")
    host, slash, prefix = text.partition("/")
    plain = _parse_ip(host)
    if plain is None:
        hint = "write IP/N, such as 192.168.1.1/24 or fd00::1/64, or dhclient, or 0/0 for none"
        if re.fullmatch(dynamic.METHOD, text.partition(":")[0]):
            hint += "; `pipework plugins` lists the methods of installed packages"
        if close := dynamic.find_close_method(text):
            hint = f"did you mean {close}?"
        raise UsageError(f"{text!r} is not an address with a prefix length.", hint=hint)
    bits = _count_mask_bits(prefix) if plain.version == 4 else None  # noqa: PLR2004 - IPv4
    if bits is not None:
        prefix, text = str(bits), f"{host}/{bits}"
    usual = f"{plain}/{24 if plain.version == 4 else 64}"  # noqa: PLR2004 - IPv4
    if not slash:
        raise UsageError(f"{text} has no prefix length.", hint=f"did you mean {usual}?")
    if not _is_number(prefix, 0, plain.max_prefixlen):
        raise UsageError(
            f"{text!r}: the prefix length of an IPv{plain.version} address is a number of bits, "
            f"0 to {plain.max_prefixlen}.",
            hint=f"did you mean {usual}?",
        )
    address = ip_interface(text)
    _refuse_useless(address)
    return address


def _count_mask_bits(text: str) -> int | None:
    """Return the length of the prefix that a mask such as 255.255.0.0 stands for; None when it is none."""
    mask = _parse_ip(text)
    if mask is None or mask.version != 4:  # noqa: PLR2004 - IPv4
        return None
    bits = f"{int(mask):032b}"
    return bits.count("1") if "01" not in bits else None


def _parse_ip(text: str) -> Gateway | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_number(text: str, least: int, most: int) -> bool:
    """Whether `text` is a decimal number in that range.

    `isdigit` alone accepts digits of every script, superscripts included, which int() refuses; and int() refuses
    numbers of more than 4300 digits.
    """
    return text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most


def _refuse_useless(address: Address, written: object = None) -> None:
    """Raise UsageError for an address that no guest can have; `written` is what stands for it, such as a pool."""
    ip = address.ip
    reason = ""
    if ip.is_multicast:
        reason = "is a multicast address"
    elif ip.is_unspecified:
        reason = "is the unspecified address"
    elif ip.is_loopback:
        reason = "is a loopback address, which the guest has already"
    elif str(ip) == "255.255.255.255":
        reason = "is the broadcast address of every network"
    elif isinstance(address, IPv4Interface) and address.network.prefixlen < 31:  # noqa: PLR2004 - RFC 3021
        if ip == address.network.network_address:
            reason = f"is the address of the network {address.network} itself"
        elif ip == address.network.broadcast_address:
            reason = f"is the broadcast address of {address.network}"
    if reason:
        raise UsageError(f"{written or address} {reason}.", hint="give the guest a host's address, or 0/0 for none")


def parse_gateway(text: str, part: AddressPart) -> Gateway:
    """Return the gateway that `text` names for a static address or a pool; raise UsageError when it cannot be one."""
    network, written = part.network, part.pool.text if part.pool is not None else part.address
    if network is None:
        raise ValueError("a part without a network has no gateway")
    gateway = None if "%" in text else _parse_ip(text)
    if gateway is None:
        raise UsageError(f"{text!r} is not a gateway's address.", hint=f"write {written}@IP, with nothing after the IP")
    if gateway.version != network.version:
        raise UsageError(
            f"{written} and its gateway {gateway} are of two families.", hint="give each family a gateway of its own"
        )
    broadcast = has_broadcast(network) and gateway == network.broadcast_address
    if gateway.is_multicast or gateway.is_unspecified or gateway.is_loopback or broadcast:
        raise UsageError(f"{gateway} cannot be a gateway.", hint="name the router's address after @")
    return gateway


def split_mac_and_vlan(text: str) -> tuple[str, str]:
    """Parse `[MAC|U:STRING][@VID]` into a MAC and the text of the VLAN, either of which may be empty.

    The VLAN may be a hexadecimal partition key; which of the two it is, and whether it is in range, the backend knows.
    """
    head, at, vlan = text.rpartition("@")
    if not at:
        head, vlan = text, ""
    elif not vlan:
        raise UsageError(f"{text!r} ends in '@' without a VLAN.", hint="write for instance @10")
    mac = ""
    if head.startswith("U:"):
        if head == "U:":
            raise UsageError("U: needs a string to derive the MAC from.", hint="write for instance U:web1")
        mac = names.stable_mac(head.removeprefix("U:"))
    elif head:
        mac = names.mac_address(head)
    if vlan and not re.fullmatch(_VLAN, vlan):
        raise UsageError(f"{vlan!r} is not a VLAN.", hint=f"write a number from 1 to {VLAN_MAX}, such as @10")
    return mac, vlan.lower()


def parse_vlan(text: str) -> int:
    """Return the IEEE 802.1Q VLAN that `text` names, 1 to 4094; raise UsageError for anything else."""
    if not _is_number(text, 1, VLAN_MAX):
        raise UsageError(f"@{text} is not a VLAN.", hint=f"write a number from 1 to {VLAN_MAX}, such as @10")
    return int(text)


def parse_mtu(text: str) -> int:
    """Return an MTU in bytes; raise UsageError for one that no interface can have."""
    if not _is_number(text, MTU_MIN, MTU_MAX):
        raise UsageError(
            f"{text!r} is not an MTU.", hint=f"write bytes from {MTU_MIN} to {MTU_MAX}, such as --mtu 1400"
        )
    return int(text)


def parse_options(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Split each `KEY=VALUE`; return them sorted. Raise UsageError for anything else, and for a key given twice."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"{text!r} is not KEY=VALUE.", hint="write for instance -o mode=private")
        if key in pairs:
            raise UsageError(f"the option {key!r} is given twice.", hint="leave one of them out")
        pairs[key] = value
    return tuple(sorted(pairs.items()))
