"""A DHCPv4 server that misbehaves. As a program it runs in a private host: `rogue.py INTERFACE MODE ADDRESS OPTIONS`.

The format of messages is that of RFC 2131, section 2, and RFC 2132.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import Popen

    from .host import PrivateHost

#: What it does: hear and stay silent; offer and then NAK; offer and acknowledge what it was told to, however absurd;
#: do so under a transaction number that nobody asked with.
Mode = Literal["silent", "nak", "nonsense", "xid"]
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
COOKIE = bytes((99, 130, 83, 99))
#: Fixed part of a message: op … hops, xid, secs, flags, four addresses, chaddr, sname, file, cookie.
HEADER = struct.Struct("!4sI4s4s4s4s4s16s64s128s4s")
MESSAGE_TYPE, SERVER, LEASE_TIME, MASK, END = 53, 54, 51, 1, 255
#: Bytes that a shell would obey, in the options that clients hand to their scripts as text: host name, domain name,
#: root path, NIS domain, boot file, domain search is left alone since clients decode it.
TRAP = b"$(touch /tmp/x);`touch /tmp/x`\n'\"; touch /tmp/x #"
HOSTILE = dict.fromkeys((12, 15, 17, 40, 67), TRAP)


class Rogue:
    """A misbehaving server on an interface of a private host (the bridge of `DhcpServer`, which must be stopped).

    `address` is what it offers, `options` (code to bytes) is sent with it.
    """

    def __init__(
        self,
        host: PrivateHost,
        mode: Mode,
        *,
        interface: str = "lan0",
        address: str = "10.99.0.66",
        options: Mapping[int, bytes] | None = None,
    ) -> None:
        """Choose what it does."""
        self.host = host
        given = json.dumps({code: value.hex() for code, value in (options or {}).items()})
        self._argv = (sys.executable, "-IS", __file__, interface, mode, address, given)
        self._log = f"/run/lab/rogue-{interface}"
        self._process: Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        from .dhcp import wait_until  # noqa: PLC0415 - the program itself has no package around it

        self.host.run("sh", "-c", f": >{self._log}")
        self._process = self.host.popen("sh", "-c", f'exec "$@" >{self._log} 2>&1', "sh", *self._argv)
        wait_until(lambda: self._said().startswith("ready"), "the rogue server listens")
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def heard(self) -> list[int]:
        """Return the types of the messages it got so far (1 discover, 3 request, 4 decline, 7 release)."""
        return [int(line) for line in self._said().splitlines()[1:]]

    def _said(self) -> str:
        return Path(f"/proc/{self.host.pid}/root{self._log}").read_text()


def options_of(message: bytes) -> dict[int, bytes]:
    """Return the options of a message by code; an empty mapping when there are none."""
    found: dict[int, bytes] = {}
    rest = message[HEADER.size :]
    while rest and rest[0] != END:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        if len(rest) < 2:
            break
        length = rest[1]
        found[rest[0]] = rest[2 : 2 + length]
        rest = rest[2 + length :]
    return found


def answer(message: bytes, mode: Mode, address: str, options: Mapping[int, bytes], own: str) -> bytes | None:
    """Return what the server answers to a message, None for nothing."""
    _, xid, secs_flags, _, _, _, relay, hardware, _, _, _ = HEADER.unpack(message[: HEADER.size])
    kind = options_of(message).get(MESSAGE_TYPE, b"\0")[0]
    if mode == "silent" or kind not in (DISCOVER, REQUEST):
        return None
    reply = OFFER if kind == DISCOVER else NAK if mode == "nak" else ACK
    offered = bytes(4) if reply == NAK else socket.inet_aton(address)
    said = {MESSAGE_TYPE: bytes((reply,)), SERVER: socket.inet_aton(own)}
    if reply != NAK:
        said |= {LEASE_TIME: struct.pack("!I", 120), MASK: socket.inet_aton("255.255.255.0"), **options}
    shown = xid ^ 1 if mode == "xid" else xid
    head = (bytes((2, 1, 6, 0)), shown, secs_flags, bytes(4), offered, socket.inet_aton(own), relay)
    body = b"".join(bytes((code, len(value))) + value for code, value in said.items()) + bytes((END,))
    return HEADER.pack(*head, hardware, b"", b"", COOKIE) + body


def serve(interface: str, mode: Mode, address: str, options: Mapping[int, bytes], own: str = "10.99.0.1") -> None:
    """Answer for ever; say "ready", then the type of each message, a line each."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    server.bind(("", 67))
    print("ready", flush=True)
    while True:
        message = server.recv(4096)
        if len(message) < HEADER.size:
            continue
        reply = answer(message, mode, address, options, own)
        if reply is not None:
            server.sendto(reply, ("255.255.255.255", 68))
        print(options_of(message).get(MESSAGE_TYPE, b"\0")[0], flush=True)


if __name__ == "__main__":
    _interface, _mode, _address, _options = sys.argv[1:]
    serve(_interface, _mode, _address, {int(k): bytes.fromhex(v) for k, v in json.loads(_options).items()})
