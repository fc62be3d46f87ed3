"""Runs inside a private host: makes one bridge for each name on stdin, by netlink, and prints what the kernel said.

A name is a line of hex digits. The answer is a line: 0 when there is an interface of exactly that name, else an errno;
-1 when the kernel made one of another name. Straight netlink, because `ip` has rules of its own.
"""

import os
import socket
import struct
import sys

RTM_NEWLINK, NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE_EXCL = 16, 0x1, 0x4, 0x600
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 18, 1


def attribute(number: int, data: bytes) -> bytes:
    """Return a netlink attribute (netlink(7)), padded to four bytes."""
    size = 4 + len(data)
    return struct.pack("=HH", size, number) + data + bytes(-size % 4)


def errno_of(answer: bytes) -> int:
    """Return the errno of an acknowledgement: `struct nlmsghdr`, then a negative int."""
    (code,) = struct.unpack_from("=i", answer, 16)
    return -int(code)


def make(sock: socket.socket, name: bytes) -> int:
    """Ask for a bridge of that name (rtnetlink(7)) and return the errno."""
    body = struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, 0, 0)
    body += attribute(IFLA_IFNAME, name + b"\0")
    body += attribute(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, b"bridge"))
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE_EXCL
    sock.send(struct.pack("=IHHII", 16 + len(body), RTM_NEWLINK, flags, 1, 0) + body)
    return errno_of(sock.recv(65536))


def exists(name: bytes) -> bool:
    """Whether there is an interface of exactly that name."""
    return name in (os.fsencode(known) for _, known in socket.if_nameindex())


def main() -> None:
    """Answer until stdin ends."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    sock.bind((0, 0))
    for line in sys.stdin:
        name = bytes.fromhex(line)
        code = make(sock, name)
        sys.stdout.write(f"{code or (0 if exists(name) else -1)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
