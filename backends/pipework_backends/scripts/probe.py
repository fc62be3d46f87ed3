#!/usr/bin/env -S python3 -I -S
"""Ask the segment whether somebody holds addresses already: probe.py SECONDS INTERFACE ADDRESS...

It runs in the network namespace of the interface, which is up and does not have the addresses yet. IPv4 addresses are
asked for as RFC 5227, 2.1.1 has it, all of them at once and with its constants: a random wait of up to a second
(PROBE_WAIT), three ARP probes (PROBE_NUM) one to two seconds apart (PROBE_MIN, PROBE_MAX), two seconds after the last
of them (ANNOUNCE_WAIT). IPv6 addresses are asked for by the neighbour solicitation of duplicate address detection
(RFC 4862, 5.4.2; the random wait is MAX_RTR_SOLICITATION_DELAY, RFC 4861, 10), three times (DupAddrDetectTransmits;
its default is 1, but this interface was raised a moment ago) a second apart (RetransTimer), a second after the last.

Exit 0 when nobody answers. Exit 1 with a sentence that names the MAC of somebody who does, or who asks for the same
address, or when there is no carrier within SECONDS.
"""

from __future__ import annotations

import os
import random
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from fcntl import ioctl

ETH_P_IPV6, ETH_P_ARP = 0x86DD, 0x0806
#: Hardware type of Ethernet in ARP and in <linux/if_arp.h>.
ETHERNET = 1
#: Bytes that an address has.
BYTES4, BYTES6 = 4, 16
ICMPV6, SOLICITATION, ADVERTISEMENT = 58, 135, 136
ON_LINK = 255  #: the hop limit of what no router can have passed on (RFC 4861, 7.1)
TARGET_LINK_ADDRESS = 2  #: option of an advertisement (RFC 4861, 4.6.1)
OPTION_UNIT = 8  #: bytes that the length of an option counts in
BROADCAST, NOBODY4, NOBODY6 = b"\xff" * 6, bytes(BYTES4), bytes(BYTES6)
#: An Ethernet header, an ARP packet for IPv4 over Ethernet (RFC 826), the fixed part of an IPv6 packet (RFC 8200).
HEADER, ARP, IPV6 = struct.Struct("!6s6sH"), struct.Struct("!HHBBH6s4s6s4s"), struct.Struct("!IHBB16s16s")
#: ICMPv6 type, code, checksum, flags, target (RFC 4861, 4.3 and 4.4).
NEIGHBOUR = struct.Struct("!BBHI16s")
#: Flags of an interface (netdevice(7)).
RUNNING, NO_ARP = 0x40, 0x80
SIOCGIFFLAGS = 0x8913


def arp(mac: bytes, sender: bytes, target: bytes) -> bytes:
    """Return the frame of an ARP request, which is a probe when the sender is 0.0.0.0."""
    body = ARP.pack(ETHERNET, 0x0800, 6, 4, 1, mac, sender, bytes(6), target)
    return HEADER.pack(BROADCAST, mac, ETH_P_ARP) + body


def group(target: bytes) -> bytes:
    """Return the solicited-node multicast address (RFC 4291, 2.7.1)."""
    return bytes.fromhex("ff0200000000000000000001ff") + target[-3:]


def solicitation(mac: bytes, target: bytes) -> bytes:
    """Return the frame that asks for an IPv6 address without having one."""
    to = group(target)
    pseudo = NOBODY6 + to + struct.pack("!II", NEIGHBOUR.size, ICMPV6)
    plain = NEIGHBOUR.pack(SOLICITATION, 0, 0, 0, target)
    body = NEIGHBOUR.pack(SOLICITATION, 0, checksum(pseudo + plain), 0, target)
    head = IPV6.pack(6 << 28, len(body), ICMPV6, ON_LINK, NOBODY6, to)
    return HEADER.pack(b"\x33\x33" + to[-4:], mac, ETH_P_IPV6) + head + body


def checksum(data: bytes) -> int:
    """Return the checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def holder(frame: bytes, own: bytes, wanted: set[bytes]) -> tuple[bytes, bytes] | None:
    """Return the address, out of those wanted, that a frame proves to be taken, and the MAC of who took it.

    Anybody on the segment can send anything, so a frame that is too short or says what no such frame can say is none.
    """
    if len(frame) < HEADER.size:
        return None
    _, source, protocol = HEADER.unpack_from(frame)
    body = frame[HEADER.size :]
    found = None
    if protocol == ETH_P_ARP:
        found = arp_holder(body)
    elif protocol == ETH_P_IPV6:
        found = neighbour_holder(source, body)
    return found if found and found[0] in wanted and found[1] != own else None


def arp_holder(body: bytes) -> tuple[bytes, bytes] | None:
    """Return who an ARP packet, request or reply, is from; a probe is from whoever wants the address (RFC 5227)."""
    if len(body) < ARP.size:
        return None
    kind, protocol, hardware, length, operation, mac, sender, _, target = ARP.unpack_from(body)
    if (kind, protocol, hardware, length) != (ETHERNET, 0x0800, 6, 4) or operation not in {1, 2}:
        return None
    if sender == NOBODY4:
        return (target, mac) if operation == 1 else None
    return sender, mac


def neighbour_holder(source: bytes, packet: bytes) -> tuple[bytes, bytes] | None:
    """Return who advertises an IPv6 address, or asks for it without having one (RFC 4862, 5.4.3 and 5.4.4).

    Its hop limit must prove that it comes from this link.
    """
    if len(packet) < IPV6.size + NEIGHBOUR.size:
        return None
    first, size, following, hops, sender, _ = IPV6.unpack_from(packet)
    if (first >> 28, following, hops) != (6, ICMPV6, ON_LINK):
        return None
    if not NEIGHBOUR.size <= size <= len(packet) - IPV6.size:
        return None
    message = packet[IPV6.size : IPV6.size + size]
    kind, code, _, _, target = NEIGHBOUR.unpack_from(message)
    if code != 0:
        return None
    if kind == ADVERTISEMENT:
        return target, link_address(message[NEIGHBOUR.size :]) or source
    return (target, source) if kind == SOLICITATION and sender == NOBODY6 else None


def link_address(options: bytes) -> bytes:
    """Return the Ethernet address of the target, if the options of an advertisement name one."""
    while len(options) >= OPTION_UNIT and options[1] > 0:
        if options[0] == TARGET_LINK_ADDRESS:
            return options[2:8]
        options = options[options[1] * OPTION_UNIT :]
    return b""


def timetable(mac: bytes, wanted: set[bytes]) -> tuple[list[tuple[float, bytes]], float]:
    """Return frames with the seconds at which they are due, counted from now, and when all is over."""
    due: list[tuple[float, bytes]] = []
    end = 0.0
    for length, gaps, last in ((BYTES4, (1.0, 2.0), 2.0), (BYTES6, (1.0, 1.0), 1.0)):
        targets = [address for address in wanted if len(address) == length]
        at = random.uniform(0, 1)  # noqa: S311 - against collisions, not against people
        for number in range(3 if targets else 0):
            at += random.uniform(*gaps) if number else 0.0  # noqa: S311 - as above
            due += [(at, arp(mac, NOBODY4, t) if length == BYTES4 else solicitation(mac, t)) for t in targets]
            end = max(end, at + last)
    return sorted(due), end


class Segment:
    """What an interface is plugged into; raises OSError when there is no such interface."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.sockets = {protocol: self._open(protocol) for protocol in (ETH_P_ARP, ETH_P_IPV6)}
        *_, self.kind, self.mac = self.sockets[ETH_P_ARP].getsockname()
        self._members: list[socket.socket] = []

    def _open(self, protocol: int) -> socket.socket:
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        opened.bind((self.interface, protocol))
        opened.setblocking(False)  # noqa: FBT003 - as the standard library has it
        return opened

    def flags(self) -> int:
        """Return the flags of the interface."""
        request = struct.pack("16sH14x", os.fsencode(self.interface), 0)
        return int(struct.unpack("16sH14x", ioctl(self.sockets[ETH_P_ARP], SIOCGIFFLAGS, request))[1])

    def join(self, target: bytes) -> None:
        """Hear what others ask about an IPv6 address (RFC 4862, 5.4.2); the kernel tells NIC and switches.

        Each address has a socket of its own, since how many groups one can be in is limited (net.core.optmem_max).
        """
        member = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        where = group(target) + struct.pack("@I", socket.if_nametoindex(self.interface))
        member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, where)
        self._members.append(member)

    def send(self, frame: bytes) -> None:
        """Send a frame; one that finds no room is lost, as any can be, and is why probes are repeated."""
        with suppress(BlockingIOError):
            self.sockets[HEADER.unpack_from(frame)[2]].send(frame)

    def listen(self, until: float, wanted: set[bytes]) -> tuple[bytes, bytes] | None:
        """Return the first answer before that moment (of the monotonic clock)."""
        while (left := until - time.monotonic()) > 0:
            for ready in select.select(list(self.sockets.values()), [], [], left)[0]:
                frame, (_, _, direction, *_) = ready.recvfrom(2048)
                # A frame with a VLAN tag, which is of another segment, counts as one to another host, too.
                if direction not in {socket.PACKET_OTHERHOST, socket.PACKET_OUTGOING}:
                    found = holder(frame, self.mac, wanted)
                    if found:
                        return found
        return None

    def ask(self, wanted: set[bytes]) -> tuple[bytes, bytes] | None:
        """Ask for all addresses, and return one that is taken with the MAC of who has it."""
        for address in wanted:
            if len(address) == len(NOBODY6):
                self.join(address)
        frames, end = timetable(self.mac, wanted)
        begin = time.monotonic()
        for due, frame in frames:
            found = self.listen(begin + due, wanted)
            if found:
                return found
            self.send(frame)
        return self.listen(begin + end, wanted)


def packed(address: str) -> bytes:
    """Return the four or sixteen bytes of an address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def plain(address: bytes) -> str:
    """Return the text of an address."""
    return socket.inet_ntop(socket.AF_INET if len(address) == len(NOBODY4) else socket.AF_INET6, address)


def probe(seconds: float, interface: str, addresses: list[str]) -> str:
    """Return what is wrong with these addresses, in a sentence; nothing when all are free."""
    segment = Segment(interface)
    if segment.flags() & NO_ARP:
        return ""  # nobody asks on such an interface: there are no neighbours to find
    if segment.kind != ETHERNET:
        return f"{interface} is no Ethernet interface, and on others nobody can be asked for an address"
    end = time.monotonic() + seconds
    while not segment.flags() & RUNNING:
        if time.monotonic() > end:
            return f"{interface} has no carrier, so nobody can be asked for {', '.join(addresses)}"
        time.sleep(0.05)
    wanted = {packed(address) for address in addresses}
    found = segment.ask(wanted)
    return f"{plain(found[0])} is held by {found[1].hex(':')}" if found else ""


def main(argv: list[str]) -> int:
    """Carry out the command line and return the exit code."""
    seconds, interface, *addresses = argv
    try:
        wrong = probe(float(seconds), interface, addresses)
    except OSError as error:
        wrong = f"nobody can be asked over {interface}: {error.strerror}"
    if wrong:
        sys.stderr.write(f"{wrong}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
