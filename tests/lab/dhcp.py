"""A real DHCP server (dnsmasq) on a bridge of a private host: DHCPv4, DHCPv6 and router advertisements."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.testing.inside import InsideProcess

    from .host import PrivateHost

START_SECONDS = 10.0
POLL_SECONDS = 0.02
#: The bridge of the server, and its own addresses on it.
BRIDGE, ADDRESS, ADDRESS6 = "lan0", "10.99.0.1", "fd00:99::1"
#: A NIC of the host that is plugged into the bridge: a parent for macvlan and the like.
NIC = "nic0"


class Lease(NamedTuple):
    """One line of the server's lease file. `client` is the MAC (IPv4) or the DUID (IPv6); no `hostname` is "".

    `expiry` is in seconds since 1970.
    """

    ip: str
    client: str
    hostname: str
    expiry: int
    identifier: str = ""  #: IPv4: the client identifier, IPv6: the IAID

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.ip else 4


class Offer(NamedTuple):
    """What the server offers. `hosts` are values of dnsmasq's --dhcp-host, `extra` further words for dnsmasq.

    `router`, `dns`, `domain` empty and `mtu` 0: not sent. `routes` is the value of option 121, `net,gateway,…`.
    `slaac` lets clients make addresses of their own from the router advertisements as well.
    """

    ipv4: bool = True
    ipv6: bool = True
    slaac: bool = False
    first: str = "10.99.0.10"
    last: str = "10.99.0.100"
    router: str = ADDRESS
    dns: str = ADDRESS
    dns6: str = ADDRESS6
    domain: str = "lab.example"
    mtu: int = 0
    routes: str = ""
    hosts: tuple[str, ...] = ()
    seconds: int = 120
    extra: tuple[str, ...] = ()

    def words(self) -> tuple[str, ...]:
        """Return this offer as words for dnsmasq(8)."""
        length = f"{self.seconds}s"
        slaac = "slaac," if self.slaac else ""
        range6 = f"--dhcp-range=fd00:99::10,fd00:99::100,{slaac}64,{length}"
        return (
            *((f"--dhcp-range={self.first},{self.last},{length}",) if self.ipv4 else ()),
            *(("--enable-ra", range6, f"--dhcp-option=option6:dns-server,[{self.dns6}]") if self.ipv6 else ()),
            # Without a value, dnsmasq leaves an option out that it would send by default.
            f"--dhcp-option=option:router,{self.router}".rstrip(","),
            f"--dhcp-option=option:dns-server,{self.dns}".rstrip(","),
            *((f"--domain={self.domain}",) if self.domain else ()),
            *((f"--dhcp-option=option:mtu,{self.mtu}",) if self.mtu else ()),
            *((f"--dhcp-option=option:classless-static-route,{self.routes}",) if self.routes else ()),
            *(f"--dhcp-host={value}" for value in self.hosts),
            *self.extra,
        )


class DhcpServer:
    """dnsmasq on the bridge `lan0` of a private host, which gets the addresses 10.99.0.1/24 and fd00:99::1/64.

    `nic0` is plugged into the bridge: what is stacked on it reaches the server, too. Leases last two minutes, the
    shortest that dnsmasq gives.
    """

    def __init__(self, host: PrivateHost, offer: Offer | None = None, *, bridge: str = BRIDGE) -> None:
        """Choose the host, what is offered at first, and the name of the bridge."""
        self.host = host
        self.offer = offer or Offer()
        self.bridge = bridge
        self._folder = f"/run/lab/dhcp-{bridge}"
        self._process: InsideProcess | None = None

    def __enter__(self) -> Self:
        """Make the bridge where there is none and start the server."""
        make_lan(self.host, self.bridge)
        self.host.run("mkdir", "-p", self._folder)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server; the bridge ends with its host."""
        self.stop()

    def start(self, offer: Offer | None = None) -> None:
        """Start the server, with another offer if one is given; known leases stay. Raises RuntimeError with its log."""
        self.offer = offer or self.offer
        self.host.run("sh", "-c", f": >{self._folder}/log")
        words = (
            "dnsmasq",
            "--no-daemon",
            "--conf-file=/dev/null",
            "--no-hosts",
            "--no-resolv",
            "--port=0",
            f"--interface={self.bridge}",
            "--except-interface=lo",
            "--bind-interfaces",
            f"--dhcp-leasefile={self._folder}/leases",
            # Else it asks by ICMP whether an address is taken, and waits up to three seconds for nobody's answer.
            "--no-ping",
            "--dhcp-authoritative",
            "--log-dhcp",
            *self.offer.words(),
        )
        self._process = self.host.popen("sh", "-c", f'exec "$@" >>{self._folder}/log 2>&1', "sh", *words)
        wait_until(lambda: "started, version" in self.log() or self._ended(), "the DHCP server starts")
        if self._ended():
            message = f"the DHCP server did not start: {self.log()}"
            raise RuntimeError(message)

    def stop(self) -> None:
        """Stop the server, if it runs; its leases stay."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(START_SECONDS)

    def restart(self, offer: Offer) -> None:
        """Go on with another offer and the same leases."""
        self.stop()
        self.start(offer)

    def forget(self) -> None:
        """Start again with the same offer and no leases."""
        self.stop()
        self.host.run("rm", "-f", f"{self._folder}/leases")
        self.start()

    def leases(self, family: int | None = None) -> list[Lease]:
        """Return the leases in force, of one family or of both."""
        found = parse_leases(self._read("leases"))
        return [lease for lease in found if family in (None, lease.family)]

    def lease(self, hostname: str, family: int = 4) -> Lease:
        """Return the lease of a client by the name it sent; raise LookupError when there is none."""
        found = [lease for lease in self.leases(family) if lease.hostname.partition(".")[0] == hostname]
        if not found:
            message = f"no lease of {hostname} in {self.leases()}"
            raise LookupError(message)
        return found[-1]

    def log(self) -> str:
        """Return what the server has said since it was started, every message of a client included."""
        return self._read("log")

    def _read(self, name: str) -> str:
        file = Path(f"/proc/{self.host.pid}/root{self._folder}/{name}")
        return file.read_text() if file.exists() else ""

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None


def parse_leases(text: str) -> list[Lease]:
    """Parse dnsmasq's lease file: `expiry MAC ip name client-id`; behind `duid …`: `expiry IAID ip6 name DUID`."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("duid ")]
    found = []
    for expiry, second, ip, name, last in rows:
        client, identifier = (last, second) if ":" in ip else (second, last)
        found.append(Lease(ip, client, "" if name == "*" else name, int(expiry), identifier))
    return found


def make_lan(host: PrivateHost, bridge: str = BRIDGE, nic: str = NIC) -> None:
    """Make a bridge with the server's addresses and a NIC on it, ready at once: without duplicate address detection."""
    # A bridge without a port that is up has no carrier, and therefore no link-local address to advertise from.
    port = f"{nic}-port"
    host.run("ip", "link", "add", bridge, "type", "bridge")
    host.run("ip", "link", "add", nic, "type", "veth", "peer", "name", port)
    host.sysctl(f"net.ipv6.conf.{bridge}.accept_dad", 0)
    # The host itself takes no part in that network through its NIC.
    host.sysctl(f"net.ipv6.conf.{nic}.disable_ipv6", 1)
    host.sysctl(f"net.ipv6.conf.{port}.disable_ipv6", 1)
    host.run("ip", "link", "set", port, "master", bridge, "up")
    for name in (nic, bridge):
        host.run("ip", "link", "set", name, "up")
    host.run("ip", "address", "add", f"{ADDRESS}/24", "dev", bridge)
    host.run("ip", "address", "add", f"{ADDRESS6}/64", "dev", bridge, "nodad")


def neighbour(host: PrivateHost, address: str = "10.99.0.5/24", bridge: str = BRIDGE) -> int:
    """Start a guest on the bridge whose interface eth1 has this address; return its PID in the host."""
    guest = host.process_guest()
    peer = ("peer", "name", "eth1", "netns", f"/proc/{guest}/ns/net")
    host.run("ip", "link", "add", f"near{guest}", "master", bridge, "up", "type", "veth", *peer)
    nodad = ("nodad",) if ":" in address else ()
    host.run(*host.enter(guest), "ip", "link", "set", "eth1", "up")
    host.run(*host.enter(guest), "ip", "address", "add", address, "dev", "eth1", *nodad)
    return guest


def wait_until(true: Callable[[], bool], what: str, *, within: float = START_SECONDS) -> None:
    """Wait until something is true; raise AssertionError that names it when it does not become so in time (seconds)."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            message = f"waited {within:g} seconds in vain until {what}"
            raise AssertionError(message)
        time.sleep(POLL_SECONDS)
