"""Every DHCP client, both families, every kind of link and guest, through the command line.

All of it is attached side by side in one host, since most of the time is waiting; the tests look at what came of it.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from .capture import Frame, capture
from .dhcp import DhcpServer, Lease, Offer, wait_until
from .docker import DockerEngine
from .host import PrivateHost
from .lease import RUNNING, with_udhcpc6
from .ovs import OpenVSwitch
from .parts import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

#: So many attachments and containers begin at a time.
HANDS = 6
#: By kind of link, what stands on the command line. `ovs10` is a switch whose way to the server is in VLAN 10.
WHERE = {"bridge": "lan0", "macvlan": "macvlan:nic0", "ovs": "ovs0", "vlan": "ovs10"}
HOST_CLIENTS = ("dhclient", "udhcpc", "dhcpcd")
MAC = "fa:de:b0:99:52:1c"
#: The method with busybox' udhcpc6, which sends an empty option 39 in front of the one with the name, and the name with
#: its first message only; dnsmasq looks at the first option of the last message, and learns no name.
NAMELESS = ("udhcpc", "dhcp")
#: This client sends DHCPv6 through the kernel, which leaves the checksum to the hardware that a veth pair is not, and
#: Open vSwitch's datapath in user space passes it on as it is; that of the kernel does not.
UNFINISHED = ("dhclient", 6, "ovs")
#: What a client could change of the host; not what Docker and Open vSwitch keep to themselves.
FILES = """\
for folder in /etc /run /var/lib/dhcp /var/lib/dhcpcd; do
    [ ! -d $folder ] || find $folder -xdev -not -path '/run/lab*' -not -path '/run/netns*' \
        -not -path '/run/docker*' -not -path '/run/containe*' -not -path '/run/lxc*' -not -path '/run/openvswitch*' \
        -not -path /run/pipework.lock -not -path /run -printf '%p %s %m %l %T@\\n'
done | sort
ls -A -I 'container*' -I lxc -I pipework.lock /run
ls /tmp/x 2>&1
cat /etc/resolv.conf
hostname
ip route
"""


class Cell(NamedTuple):
    """One attachment. `extra` are further words of the command line; families: what the word brings addresses of."""

    word: str
    families: tuple[int, ...] = (4,)
    link: str = "bridge"
    docker: bool = False
    extra: tuple[str, ...] = ()
    name: str = ""

    @property
    def client(self) -> str:
        return self.word.partition(":")[0].removesuffix("-f")

    @property
    def kept(self) -> bool:
        return self.word.endswith("-f")

    @property
    def guest(self) -> str:
        """The name of its guest, which tells it from all others."""
        families = "".join(map(str, self.families))
        plain = "".join(char for char in self.word if char.isalpha())
        return self.name or f"{plain}{families}-{self.link}-{'docker' if self.docker else 'netns'}"

    @property
    def line(self) -> tuple[str, ...]:
        """The command line."""
        six = ("-a", "6") if self.families == (6,) and self.word != "auto" else ()
        return (*six, WHERE[self.link], "-i", "eth1", self.guest, self.word, *self.extra)


def cells() -> Iterator[Cell]:
    """Yield all of the table."""
    for family in (4, 6):
        for link in ("bridge", "macvlan", "ovs"):
            for docker in (False, True):
                found = (Cell(client, (family,), link, docker) for client in HOST_CLIENTS)
                yield from (cell for cell in found if (cell.word, family, link) != UNFINISHED)
            yield Cell("dhcp", (family,), link, docker=True)
        yield from (Cell(f"{client}-f", (family,), docker=client == "dhclient") for client in HOST_CLIENTS)
        yield Cell("dhcp:-f", (family,), docker=True)
    yield Cell("auto", (6,))
    yield Cell("dhclient,auto", (4, 6))
    yield Cell("dhcp,auto", (4, 6), docker=True)
    yield Cell("dhcp", docker=True, extra=(MAC,), name="with-mac")
    yield Cell("udhcpc", extra=("U:myhost.foo.com",), name="with-text")
    yield Cell("dhcpcd", link="vlan", extra=("@10",), name="with-vlan")
    yield Cell("dhcp", link="vlan", docker=True, extra=(f"{MAC[:-1]}d@10",), name="with-mac-and-vlan")


CELLS = list(cells())


class Lab:
    """The host with all of it, what each attachment said, and what things were like before."""

    def __init__(self, host: PrivateHost, dhcp: DhcpServer, engine: DockerEngine) -> None:
        self.frames: list[Frame] = []
        self.host, self.dhcp, self.engine = host, dhcp, engine
        with ThreadPoolExecutor(HANDS) as hands:
            self.guests = dict(zip(CELLS, hands.map(self._guest, CELLS), strict=True))
            self.before = host.state(self.guests.values())
            self.files = self.untouched()
            with capture(host, "lan0") as frames:
                self.said = dict(zip(CELLS, hands.map(self._attach, CELLS), strict=True))
                self.frames = frames.all()

    def _guest(self, cell: Cell) -> int | str:
        return self.engine.run(cell.guest) if cell.docker else self.host.netns(cell.guest)

    def _attach(self, cell: Cell) -> CompletedProcess[str]:
        return self.host.pipework("--json", "--timeout", "50", *cell.line, check=False, timeout=120)

    def detach(self, cell: Cell) -> CompletedProcess[str]:
        return self.host.pipework("detach", cell.guest, check=False, timeout=120)

    def untouched(self) -> str:
        """Return all of the host that a client could change."""
        return self.host.run("sh", "-c", FILES).stdout

    def running(self) -> list[str]:
        """Return the command lines of clients and of what watches over them."""
        lines = self.host.run("sh", "-c", RUNNING.replace("lease[.]sh", "lease")).stdout.splitlines()
        return [line for line in lines if "dnsmasq" not in line]

    def link(self, cell: Cell) -> dict[str, Any]:
        """Return what `ip` says of the interface."""
        enter = self.host.enter(self.guests[cell])
        shown = self.host.run(*enter, "ip", "-json", "address", "show", "dev", "eth1")
        return dict(json.loads(shown.stdout)[0])

    def addresses(self, cell: Cell, family: int) -> list[str]:
        """Return the addresses that are not link-local, as `IP/N`."""
        kind = "inet" if family == 4 else "inet6"
        infos = [i for i in self.link(cell)["addr_info"] if (i["family"], i["scope"]) == (kind, "global")]
        return [f"{info['local']}/{info['prefixlen']}" for info in infos]

    def lease(self, cell: Cell, family: int) -> Lease:
        """Return the server's lease of an address that the interface has."""
        ours = {address.partition("/")[0] for address in self.addresses(cell, family)}
        (lease,) = [lease for lease in self.dhcp.leases(family) if lease.ip in ours]
        return lease


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    for part in ("docker", "ovs", "dhcp", "udhcpc6"):
        require(part)
    offer = Offer(slaac=True, last="10.99.0.250", seconds=3600)
    with (
        PrivateHost() as host,
        DockerEngine(host) as engine,
        OpenVSwitch(host) as ovs,
        DhcpServer(host, offer) as dhcp,
    ):
        host.env |= with_udhcpc6()
        # Else the bridge takes the lowest MAC of its ports, whenever one comes.
        host.run("ip", "link", "set", "lan0", "address", "02:00:00:00:00:01")
        host.sysctl("net.ipv6.conf.lan0.accept_ra", 0)
        for name, tag in (("ovs0", ()), ("ovs10", ("tag=10",))):
            ovs.add_bridge(name)
            wire = f"{name}-wire"
            ovs.vsctl("add-port", name, wire, *tag, "--", "set", "interface", wire, "type=internal")
            host.sysctl(f"net.ipv6.conf.{wire}.disable_ipv6", 1)
            host.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", 1)
            host.run("ip", "link", "set", wire, "master", "lan0", "up")
        yield Lab(host, dhcp, engine)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.guest)
def test_an_address_and_what_the_server_knows_of_it(lab: Lab, cell: Cell) -> None:
    done = lab.said[cell]
    assert done.returncode == 0, done.stderr
    told = [lease["address"] for lease in json.loads(done.stdout)["leases"]]
    leased = [family for family in cell.families if cell.word != "auto" and (family == 4 or cell.families == (6,))]
    for family in leased:
        lease = lab.lease(cell, family)
        address = f"{lease.ip}/{24 if family == 4 else 128}"
        assert address in told, "--json tells of it"
        assert address in lab.addresses(cell, family)
        mac = lab.link(cell)["address"]
        assert lease.client == (mac if family == 4 else f"00:03:00:01:{mac}"), "the MAC is the identity"
        if family == 4 or cell.client not in NAMELESS:
            assert lease.hostname.partition(".")[0] == cell.guest
    if "auto" in cell.word:
        assert any(address in told and address.endswith("/64") for address in lab.addresses(cell, 6))


@pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if cell.client in NAMELESS and cell.families == (6,)], ids=lambda cell: cell.guest
)
def test_the_name_is_on_the_wire_where_the_server_does_not_take_it(lab: Lab, cell: Cell) -> None:
    """Option 39 (RFC 4704, 4.1): no flags, the server is asked to do as it pleases; a name without a domain."""
    name = cell.guest.encode()
    body = bytes((0, len(name))) + name
    option = (39).to_bytes(2) + len(body).to_bytes(2) + body
    mac = lab.link(cell)["address"]
    asked = [frame for frame in lab.frames if (frame.kind, frame.source) == ("dhcp6-solicit", mac)]
    assert any(option in frame.options for frame in asked), asked


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.extra], ids=lambda cell: cell.guest)
def test_a_mac_and_a_vlan_are_as_asked_for(lab: Lab, cell: Cell) -> None:
    wanted = {"with-mac": MAC, "with-text": "02:72:6c:cd:9b:8d", "with-mac-and-vlan": f"{MAC[:-1]}d"}
    if cell.guest in wanted:
        assert lab.link(cell)["address"] == wanted[cell.guest]
        assert lab.lease(cell, 4).client == wanted[cell.guest]
    if cell.link == "vlan":
        assert '"vlan": "10"' in lab.said[cell].stdout or '"vlan": 10' in lab.said[cell].stdout


def test_the_lease_leads_out_and_the_host_answers(lab: Lab) -> None:
    for cell in CELLS[:3]:
        guest = lab.guests[cell]
        assert "default via 10.99.0.1 dev eth1" in lab.host.run(*lab.host.enter(guest), "ip", "route").stdout
        assert lab.host.ping(guest, "10.99.0.1")


def test_the_host_is_as_it_was_and_only_those_that_stay_run(lab: Lab) -> None:
    assert lab.untouched() == lab.files
    kept = [cell for cell in CELLS if cell.kept]
    watched = [line for line in lab.running() if " watch " in line and line.startswith("sh ")]
    outside = {line.partition("interface=")[0] for line in watched}
    assert len(outside) >= len(kept)
    shown = lab.host.run("docker", "ps", "--all", "--format", "{{.Names}}").stdout.split()
    assert len([name for name in shown if name.startswith("pipework-")]) == len([c for c in kept if c.client == "dhcp"])


def test_the_same_again_needs_nothing(lab: Lab) -> None:
    again = [cell for cell in CELLS if cell.link == "bridge" and cell.docker and not cell.extra]
    with ThreadPoolExecutor(HANDS) as hands:
        for cell, done in zip(again, hands.map(lab._attach, again), strict=True):
            assert (done.returncode, json.loads(done.stdout)["changed"]) == (0, False), (cell, done)


def test_detaching_gives_leases_back_and_leaves_everything_as_it_was(lab: Lab) -> None:
    """The last of this module."""
    links = {cell: lab.link(cell) for cell in CELLS}
    with ThreadPoolExecutor(HANDS) as hands:
        for cell, done in zip(CELLS, hands.map(lab.detach, CELLS), strict=True):
            assert done.returncode == 0, (cell, done.stderr)
    behind = lab.host.state(lab.guests.values())
    for name, network in lab.before.items():
        for key, values in network.items():
            assert behind[name][key] == values, (name, key)
    assert lab.running() == []
    assert lab.untouched() == lab.files
    shown = lab.host.run("docker", "ps", "--all", "--format", "{{.Names}}").stdout
    assert "pipework-" not in shown
    # What clients send through the kernel, to give a lease back, a switch in user space does not get through either.
    macs = {cell: links[cell]["address"] for cell in CELLS if cell.link not in ("ovs", "vlan")}

    def left() -> list[str]:
        held = {lease.client for lease in lab.dhcp.leases(4)}
        return [cell.guest for cell, mac in macs.items() if mac in held]

    with suppress(AssertionError):
        wait_until(lambda: not left(), "the server has all leases back", within=5)
    assert left() == []
