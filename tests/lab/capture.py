"""What goes over an interface: ARP, neighbour discovery and DHCP frames, parsed.

As a program it runs in a private host: `capture.py INTERFACE` says "ready", then of each frame when it came and its
hexadecimal digits.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .host import Guest, PrivateHost

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
IPPROTO_UDP, IPPROTO_ICMPV6 = 17, 58
ARP = {1: "arp-request", 2: "arp-reply"}
#: ICMPv6 types (RFC 4861).
NEIGHBOUR = {133: "rs", 134: "ra", 135: "ns", 136: "na"}
#: DHCPv4 message types (RFC 2132, 9.6), DHCPv6 message types (RFC 8415, 7.3).
DHCP = dict(enumerate(("discover", "offer", "request", "decline", "ack", "nak", "release", "inform"), start=1))
DHCP6 = dict(
    enumerate(("solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release", "decline"), start=1)
)


class Frame(NamedTuple):
    """One frame. `kind` is `arp-request`, `arp-reply`, `rs`, `ra`, `ns`, `na`, `dhcp-discover` …, `dhcp6-solicit` ….

    `source` and `destination` are MAC addresses; `sender` the address in the ARP body, else that of the IP header;
    `target` the address asked for or told of (DHCP: the client's). `at` is when it was seen, in seconds of the
    monotonic clock.
    """

    kind: str
    source: str
    destination: str
    sender: str = ""
    target: str = ""
    at: float = 0.0
    options: bytes = b""  #: of DHCPv6, as they are on the wire

    @property
    def gratuitous(self) -> bool:
        """Whether an ARP frame tells of its sender's own address."""
        return self.kind.startswith("arp-") and self.sender == self.target


class Frames:
    """The frames seen so far."""

    def __init__(self, file: Path) -> None:
        """Choose the file into which the program writes."""
        self._file = file

    def all(self) -> list[Frame]:
        """Return the frames of interest, oldest first."""
        # The last line may be half written.
        lines = [line.split() for line in self._file.read_text().split("\n")[1:-1]]
        found = ((float(at), parse(bytes.fromhex(line))) for at, line in lines)
        return [frame._replace(at=at) for at, frame in found if frame]

    def kinds(self) -> list[str]:
        """Return the kinds of the frames."""
        return [frame.kind for frame in self.all()]

    def wait(self, wanted: Callable[[Frame], bool], count: int = 1, *, within: float = 10.0) -> list[Frame]:
        """Return the frames that are wanted, once there are so many; raise AssertionError when there are not."""
        from .dhcp import wait_until  # noqa: PLC0415 - the program itself has no package around it

        def found() -> list[Frame]:
            return [frame for frame in self.all() if wanted(frame)]

        try:
            wait_until(lambda: len(found()) >= count, f"{count} such frames came", within=within)
        except AssertionError as error:
            message = f"{error}: {self.all()}"
            raise AssertionError(message) from None
        return found()


@contextmanager
def capture(host: PrivateHost, interface: str, guest: Guest = None) -> Iterator[Frames]:
    """Record what an interface of the host, or of a guest in it, sends and receives."""
    from .dhcp import wait_until  # noqa: PLC0415 - as above

    path = f"/run/lab/capture-{guest or 'host'}-{interface}"
    argv = (*host.enter(guest), sys.executable, "-IS", __file__, interface)
    host.run("sh", "-c", f": >{path}")
    process = host.popen("sh", "-c", f'exec "$@" >{path} 2>&1', "sh", *argv)
    file = Path(f"/proc/{host.pid}/root{path}")
    try:
        wait_until(lambda: file.read_text().startswith("ready"), "the capture runs")
        yield Frames(file)
    finally:
        process.kill()
        process.wait()


def mac(raw: bytes) -> str:
    """Write a MAC address."""
    return raw.hex(":")


def parse(frame: bytes) -> Frame | None:
    """Parse an Ethernet frame; None when it is none of interest."""
    destination, source = mac(frame[:6]), mac(frame[6:12])
    (protocol,) = struct.unpack("!H", frame[12:14])
    body = frame[14:]
    if protocol == ETH_P_ARP:
        (operation,) = struct.unpack("!H", body[6:8])
        sender, target = socket.inet_ntoa(body[14:18]), socket.inet_ntoa(body[24:28])
        return Frame(ARP.get(operation, "arp"), source, destination, sender, target)
    if protocol == ETH_P_IP and body[9] == IPPROTO_UDP:
        return _dhcp(source, destination, socket.inet_ntoa(body[12:16]), body[(body[0] & 15) * 4 :])
    if protocol == ETH_P_IPV6:
        return _version6(source, destination, body)
    return None


def _dhcp(source: str, destination: str, sender: str, udp: bytes) -> Frame | None:
    """Parse a UDP datagram of DHCPv4."""
    ports = struct.unpack("!HH", udp[:4])
    if not {67, 68}.intersection(ports):
        return None
    message = udp[8:]
    # The type comes first in the options of every client and server here (53, length 1).
    start = message.find(bytes((53, 1)), 240)
    kind = DHCP.get(message[start + 2], "unknown") if start >= 0 else "unknown"
    client = socket.inet_ntoa(message[16:20])
    return Frame(f"dhcp-{kind}", source, destination, sender, client)


def _version6(source: str, destination: str, body: bytes) -> Frame | None:
    """Parse an IPv6 packet without extension headers."""
    sender, payload = str(ipaddress.ip_address(body[8:24])), body[40:]
    if body[6] == IPPROTO_ICMPV6 and payload[0] in NEIGHBOUR:
        solicited = payload[0] in (135, 136)
        target = str(ipaddress.ip_address(payload[8:24])) if solicited else ""
        return Frame(NEIGHBOUR[payload[0]], source, destination, sender, target)
    if body[6] == IPPROTO_UDP and {546, 547}.intersection(struct.unpack("!HH", payload[:4])):
        kind = f"dhcp6-{DHCP6.get(payload[8], 'unknown')}"
        return Frame(kind, source, destination, sender, options=payload[12:])
    return None


def of_interest(frame: bytes) -> bool:
    """Tell whether a frame can be one of ours, cheaply."""
    (protocol,) = struct.unpack("!H", frame[12:14])
    return (
        protocol == ETH_P_ARP
        or (protocol == ETH_P_IP and frame[23] == IPPROTO_UDP)
        or (protocol == ETH_P_IPV6 and frame[20] in (IPPROTO_UDP, IPPROTO_ICMPV6))
    )


def record(interface: str) -> None:
    """Write frames for ever."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.bind((interface, ETH_P_ALL))
    print("ready", flush=True)
    while True:
        frame = raw.recv(65535)
        if of_interest(frame):
            print(time.monotonic(), frame.hex(), flush=True)


if __name__ == "__main__":
    record(sys.argv[1])
