"""Send one ping that may not be cut into fragments (DF, RFC 1191) and wait for its echo; run inside a guest.

    python whole_ping.py ADDRESS SIZE

SIZE is that of the IP packet in bytes. Ends with 0 when the echo came, 1 when the kernel refused to send or none came.
"""

from __future__ import annotations

import socket
import struct
import sys

#: linux/in.h and linux/in6.h: IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, and IP_PMTUDISC_DO, which is the same for both.
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, ALWAYS = 10, 23, 2
SECONDS = 2.0


def checksum(data: bytes) -> int:
    """Return the checksum of the internet (RFC 1071) of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def main(address: str, size: str) -> int:
    """Ping once."""
    if ":" in address:
        wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        wire.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, ALWAYS)
        request, reply, header, skip = 128, 129, 40, 0
    else:
        wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        wire.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, ALWAYS)
        request, reply, header, skip = 8, 0, 20, 20
    zeros = bytes(int(size) - header - 8)
    bare = struct.pack("!BBHHH", request, 0, 0, 7, 1) + zeros
    summed = struct.pack("!BBHHH", request, 0, checksum(bare + b"\0" * (len(bare) % 2)), 7, 1) + zeros
    wire.settimeout(SECONDS)
    try:
        wire.sendto(summed, (address, 0))  # the kernel puts in the checksum of IPv6 itself (RFC 3542)
        while True:
            data = wire.recv(65535)
            if data[skip] == reply and len(data) == len(summed) + skip:
                return 0
    except OSError as error:  # a timeout is one
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
