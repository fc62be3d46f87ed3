"""A glance at a namespace's links and addresses by asking the kernel itself, without a process (rtnetlink(7)).

`ip` takes a millisecond to start and a tenth of one to ask. Where hundreds of guests are only looked at, that is most
of the time. This is no second `ip`: it reads what a `Link` holds except for `data`, and whoever finds anything but what
he expected asks `ip`, whose words are the ones that plans are made from.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING

from pipework_core.model.link import Link
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# linux/netlink.h, linux/rtnetlink.h
_ERROR, _DONE = 2, 3
_REQUEST_DUMP, _INTERRUPTED = 0x301, 0x10
_GET_LINK, _GET_ADDRESS = 18, 22
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE = 0x3FFF
# linux/if_link.h; counters are left out of the answer by RTEXT_FILTER_SKIP_STATS in IFLA_EXT_MASK
_LINK_HEAD, _LINK_ASKED = struct.Struct("=BxHiII"), struct.pack("=BxHiIIHHI", 0, 0, 0, 0, 0, 8, 29, 8)
_MAC, _NAME, _MTU, _LINK, _MASTER, _INFO, _ALIAS, _GROUP, _ELSEWHERE = 1, 3, 4, 5, 10, 18, 20, 27, 37
_INFO_KIND, _INFO_PORT = 1, 4
# linux/if_addr.h
_ADDRESS_HEAD, _ADDRESS_ASKED = struct.Struct("=BBBBi"), bytes(8)
_ADDRESS, _LOCAL, _FLAGS = 1, 2, 8
_TENTATIVE, _PERMANENT = 0x40, 0x80
# linux/if_arp.h, as iproute2 names them
_LAYERS = {1: "ether", 32: "infiniband", 772: "loopback"}
_UP = 1
_CHUNK, _TIMEOUT = 65536, 5.0
_KERNEL = 0


class _Address(Record):
    text: str
    dynamic: bool
    tentative: bool


def open_connection() -> socket.socket:
    """Return a socket that asks about the network namespace in which the calling thread is now; raise OSError."""
    connection = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    connection.settimeout(_TIMEOUT)
    return connection


def read_links(connection: socket.socket) -> dict[str, Link] | None:
    """Return the links by name, as `facts.parse_links` does, with no `data`; None when the kernel's answer is odd."""
    try:
        shown = list(_dump_objects(connection, _GET_LINK, _LINK_ASKED))
        addresses = _parse_addresses(_dump_objects(connection, _GET_ADDRESS, _ADDRESS_ASKED))
        heads = [(_LINK_HEAD.unpack_from(body), _parse_attributes(body[_LINK_HEAD.size :])) for body in shown]
        names = {head[2]: _decode_text(found[_NAME]) for head, found in heads}
        made = (_make_link(head, found, names, addresses.get(head[2], [])) for head, found in heads)
        return {link.name: link for link in made}
    except (OSError, ValueError, LookupError, struct.error):
        return None


def _dump_objects(connection: socket.socket, what: int, asked: bytes) -> Iterator[bytes]:
    """Yield the bodies of an answer; raise ValueError for an error, and when things changed meanwhile."""
    connection.sendto(_HEADER.pack(_HEADER.size + len(asked), what, _REQUEST_DUMP, what, 0) + asked, (_KERNEL, 0))
    while True:
        data, _, flags, sender = connection.recvmsg(_CHUNK)
        if sender[0] != _KERNEL:
            continue  # a guest's root may write to anybody there
        if flags & socket.MSG_TRUNC:
            raise ValueError("an answer was too long")
        start = 0
        while start < len(data):
            length, kind, said, number, _ = _HEADER.unpack_from(data, start)
            if kind == _ERROR or said & _INTERRUPTED or number != what or length < _HEADER.size:
                raise ValueError("the kernel refuses, or was interrupted")
            if kind == _DONE:
                return
            yield data[start + _HEADER.size : start + length]
            start += length + -length % 4


def _parse_attributes(data: bytes) -> dict[int, bytes]:
    found, start = {}, 0
    while start + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, start)
        if length < _ATTRIBUTE.size:
            raise ValueError("an attribute without a length")
        found[kind & _TYPE] = data[start + _ATTRIBUTE.size : start + length]
        start += length + -length % 4
    return found


def _make_link(
    head: tuple[int, ...], found: Mapping[int, bytes], names: Mapping[int, str], held: list[_Address]
) -> Link:
    _, layer, index, flags, _ = head
    info = _parse_attributes(found.get(_INFO, b""))
    lower, elsewhere = _decode_number(found.get(_LINK)), _ELSEWHERE in found
    group = _decode_number(found.get(_GROUP))
    return Link(
        name=names[index],
        ifindex=index,
        kind=_decode_text(info.get(_INFO_KIND, b"")),
        layer=_LAYERS.get(layer, str(layer)),
        mac=found.get(_MAC, b"").hex(":"),
        mtu=_decode_number(found.get(_MTU)),
        up=bool(flags & _UP),
        master=names.get(_decode_number(found.get(_MASTER)), ""),
        alias=_decode_text(found.get(_ALIAS, b"")),
        group=str(group) if group else "default",
        peer=lower if elsewhere else 0,
        parent="" if elsewhere else names.get(lower, ""),
        peer_elsewhere=elsewhere,
        port=_decode_text(info.get(_INFO_PORT, b"")),
        addresses=tuple(address.text for address in held if not address.dynamic),
        unsettled=tuple(address.text for address in held if not address.dynamic and address.tentative),
        leased=tuple(address.text for address in held if address.dynamic),
    )


def _parse_addresses(shown: Iterator[bytes]) -> dict[int, list[_Address]]:
    """Return the addresses by the ifindex of their links, in the kernel's order."""
    found: dict[int, list[_Address]] = {}
    for body in shown:
        family, prefix, short, _, index = _ADDRESS_HEAD.unpack_from(body)
        parts = _parse_attributes(body[_ADDRESS_HEAD.size :])
        flags = _decode_number(parts[_FLAGS]) if _FLAGS in parts else short
        if family in {socket.AF_INET, socket.AF_INET6}:
            text = f"{socket.inet_ntop(family, parts.get(_LOCAL, parts.get(_ADDRESS, b'')))}/{prefix}"
            address = _Address(text, dynamic=not flags & _PERMANENT, tentative=bool(flags & _TENTATIVE))
            found.setdefault(index, []).append(address)
    return found


def _decode_number(data: bytes | None) -> int:
    return int.from_bytes(data, sys.byteorder) if data else 0


def _decode_text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape")
