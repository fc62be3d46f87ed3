#!/usr/bin/env -S python3 -I -S
"""Ask on an interface for DHCP servers, and take nothing of what they offer.

    python3 -I -S dhcp_servers.py SECONDS INTERFACE

It prints a line `ADDRESS MAC` for each that offers something within that time: its identifier (option 54) and who the
frame was from. Exit code 0, also when there is none; else 1 and one sentence on stderr. One DHCPDISCOVER is sent, and
once more after a second (RFC 2131); a server keeps what it offers free for a moment, for the interface's own MAC.
Whatever arrives is from anybody: what is too short or says something else is none.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time

ETH_P_IP, VERSION, UDP, SERVER, CLIENT = 0x0800, 4, 17, 67, 68
NOBODY = bytes(4)
EVERYBODY, ETHERNET = b"\xff" * 6, 1
COOKIE = b"\x63\x82\x53\x63"
DISCOVER, OFFER = 1, 2
#: op, htype, hlen, hops, xid, secs, flags, four addresses, chaddr (RFC 2131, 2); 192 bytes of names follow.
BOOTP = struct.Struct("!BBBB4sHH4s4s4s4s16s192x")
HEADER = struct.Struct("!6s6sH")
IPV4 = struct.Struct("!BBHHHBBH4s4s")
PORTS = struct.Struct("!HHHH")
REQUEST, REPLY, BROADCAST = 1, 2, 0x8000
#: Message type, identifier of the server, padding and end (RFC 2132).
TYPE, IDENTIFIER, PAD, END = 53, 54, 0, 255
AGAIN = 1.0


def discover(mac: bytes, number: bytes) -> bytes:
    """Return the frame that asks all servers."""
    body = BOOTP.pack(REQUEST, ETHERNET, 6, 0, number, 0, BROADCAST, NOBODY, NOBODY, NOBODY, NOBODY, mac + bytes(10))
    body += COOKIE + bytes((TYPE, 1, DISCOVER, END))
    body = body.ljust(300, b"\0")  # some servers want the size that BOOTP had (RFC 1542, 2.1)
    ports = PORTS.pack(CLIENT, SERVER, PORTS.size + len(body), 0)  # no checksum: UDP over IPv4 can do without
    whole = IPV4.size + len(ports) + len(body)
    head = IPV4.pack(0x45, 0, whole, 0, 0, 64, UDP, 0, NOBODY, b"\xff" * 4)
    head = IPV4.pack(0x45, 0, whole, 0, 0, 64, UDP, checksum(head), NOBODY, b"\xff" * 4)
    return HEADER.pack(EVERYBODY, mac, ETH_P_IP) + head + ports + body


def checksum(data: bytes) -> int:
    """Return the checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def offerer(frame: bytes, number: bytes) -> tuple[str, str] | None:
    """Return identifier and MAC of the server whose offer, to the question with that number, this frame is."""
    if len(frame) < HEADER.size + IPV4.size or HEADER.unpack_from(frame)[2] != ETH_P_IP:
        return None
    packet = frame[HEADER.size :]
    length = (packet[0] & 0x0F) * 4
    if packet[0] >> 4 != VERSION or packet[9] != UDP or len(packet) < length + PORTS.size + BOOTP.size:
        return None
    source, target, *_ = PORTS.unpack_from(packet, length)
    body = packet[length + PORTS.size :]
    if (source, target, body[0], body[4:8]) != (SERVER, CLIENT, REPLY, number):
        return None
    options = read_options(body[BOOTP.size :])
    address = options.get(IDENTIFIER, b"")
    if options.get(TYPE) != bytes((OFFER,)) or len(address) != len(NOBODY):
        return None
    return socket.inet_ntoa(address), frame[6:12].hex(":")


def read_options(data: bytes) -> dict[int, bytes]:
    """Return the options by their codes, as far as they are whole (RFC 2132)."""
    found: dict[int, bytes] = {}
    if data[:4] != COOKIE:
        return found
    at = 4
    while at < len(data) and data[at] != END:
        if data[at] == PAD:
            at += 1
            continue
        if at + 1 >= len(data):
            break
        size = data[at + 1]
        found.setdefault(data[at], data[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def ask(seconds: float, interface: str) -> list[tuple[str, str]]:
    """Return who offers something, in the order in which they answer; raise OSError."""
    found: dict[tuple[str, str], None] = {}
    number = os.urandom(4)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as link:
        link.bind((interface, ETH_P_IP))
        question = discover(link.getsockname()[4], number)
        begin = time.monotonic()
        due = [begin, begin + AGAIN]
        while (now := time.monotonic()) < begin + seconds:
            if due and now >= due[0]:
                due.pop(0)
                link.send(question)
            until = min([begin + seconds, *due[:1]])
            if select.select([link], [], [], max(0.0, until - now))[0]:
                offer = offerer(link.recv(2048), number)
                found |= {offer: None} if offer else {}
    return list(found)


def main(words: list[str]) -> int:
    """Carry out the command line and return the exit code."""
    seconds, interface = words
    try:
        found = ask(float(seconds), interface)
    except OSError as error:
        sys.stderr.write(f"nobody can be asked over {interface}: {error.strerror}\n")
        return 1
    sys.stdout.write("".join(f"{address} {mac}\n" for address, mac in found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
