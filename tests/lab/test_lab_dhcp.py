from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .capture import capture
from .dhcp import DhcpServer, Lease, Offer, neighbour, parse_leases, wait_until
from .rogue import DISCOVER, HOSTILE, REQUEST, TRAP, Rogue

if TYPE_CHECKING:
    from .host import PrivateHost

#: A script for busybox' udhcpc that prints what it was given.
PRINTER = "#!/bin/sh\n[ $1 = bound ] && env\n[ $1 = nak ] && echo NAKED\nexit 0\n"


def client(host: PrivateHost, guest: int, *words: str) -> str:
    """Run Debian's static udhcpc once in a guest and return what its script was given."""
    host.write("/run/lab/print.sh", PRINTER)
    host.run("chmod", "755", "/run/lab/print.sh")
    tries = ("-n", "-q", "-f", "-t", "2", "-T", "1")
    # It begins again for ever when it is refused.
    udhcpc = ("timeout", "5", "busybox", "udhcpc", "-i", "eth1", *tries, "-s", "/run/lab/print.sh", *words)
    return host.run(*host.enter(guest), *udhcpc, check=False).stdout


def test_a_client_gets_what_is_offered_and_the_server_knows_its_name(host: PrivateHost, dhcp: DhcpServer) -> None:
    guest = neighbour(host)
    dhcp.restart(Offer(mtu=1400, routes="10.1.0.0/16,10.99.0.7", domain="x.example"))
    given = client(host, guest, "-O", "mtu", "-O", "staticroutes", "-x", "hostname:web1").splitlines()
    lease = dhcp.lease("web1")
    assert {f"ip={lease.ip}", "mask=24", "mtu=1400", "router=10.99.0.1", "dns=10.99.0.1", "lease=120"} <= set(given)
    assert {"domain=x.example", "staticroutes=10.1.0.0/16 10.99.0.7"} <= set(given)
    assert lease.client in host.run(*host.enter(guest), "ip", "link", "show", "dev", "eth1").stdout
    assert "DHCPACK" in dhcp.log()


def test_a_reservation_holds_after_a_restart_and_the_lease_is_known(host: PrivateHost, dhcp: DhcpServer) -> None:
    guest = neighbour(host)
    client(host, guest)
    (first,) = dhcp.leases(4)
    dhcp.restart(Offer(hosts=(f"{first.client},10.99.0.77",)))
    assert [lease.ip for lease in dhcp.leases(4)] == [first.ip]
    assert "ip=10.99.0.77" in client(host, guest)
    dhcp.forget()
    assert dhcp.leases() == []


def test_dhcpv6_and_addresses_from_router_advertisements(host: PrivateHost, dhcp: DhcpServer) -> None:
    dhcp.restart(Offer(slaac=True))
    guest = neighbour(host)
    shown = (*host.enter(guest), "ip", "-6", "address", "show", "dev", "eth1")
    wait_until(lambda: "dynamic mngtmpaddr" in host.run(*shown).stdout, "SLAAC made an address")
    wait_until(lambda: "tentative" not in host.run(*shown).stdout, "the addresses may be used")
    script = "/run/lab/true.sh"
    host.write(script, "#!/bin/sh\n")
    host.run("chmod", "755", script)
    host.run(
        *host.enter(guest),
        *("dhclient", "-6", "-1", "-D", "LL", "-sf", script, "-lf", "/run/lab/l6", "-pf", "/run/lab/p6", "eth1"),
    )
    (lease,) = dhcp.leases(6)
    assert lease.ip.startswith("fd00:99::")
    assert lease.client.startswith("00:03:00:01:")


def test_the_nic_of_the_lan_carries_macvlans(host: PrivateHost, dhcp: DhcpServer) -> None:
    guest = host.process_guest()
    netns = f"/proc/{guest}/ns/net"
    host.run("ip", "link", "add", "link", "nic0", "name", "eth1", "netns", netns, "type", "macvlan", "mode", "bridge")
    host.run(*host.enter(guest), "ip", "link", "set", "eth1", "up")
    assert "ip=10.99.0." in client(host, guest, "-x", "hostname:stacked")
    assert dhcp.lease("stacked").ip.startswith("10.99.0.")


def test_leases_are_parsed() -> None:
    text = (
        "1700000120 02:00:00:00:00:01 10.99.0.10 * 01:02:00:00:00:00:01\nduid 00:01\n1700000120 7 fd00::1 a.b 00:03\n"
    )
    four = Lease("10.99.0.10", "02:00:00:00:00:01", "", 1700000120, "01:02:00:00:00:00:01")
    assert parse_leases(text) == [four, Lease("fd00::1", "00:03", "a.b", 1700000120, "7")]


def test_a_server_that_cannot_start_says_why(dhcp: DhcpServer) -> None:
    with pytest.raises(RuntimeError, match="bad command line"):
        dhcp.restart(Offer(extra=("--nonsense",)))


@pytest.mark.parametrize(
    ("mode", "heard"),
    [("silent", {DISCOVER}), ("nak", {DISCOVER, REQUEST}), ("nonsense", {DISCOVER, REQUEST}), ("xid", {DISCOVER})],
)
def test_rogues_do_as_they_are_told(host: PrivateHost, dhcp: DhcpServer, mode: str, heard: set[int]) -> None:
    dhcp.stop()
    guest = neighbour(host)
    with Rogue(host, mode, address="203.0.113.9", options=HOSTILE) as rogue:
        given = client(host, guest)
        assert set(rogue.heard()) == heard
    assert ("ip=203.0.113.9" in given) == (mode == "nonsense")
    assert (TRAP.partition(b"\n")[0].decode() in given) == (mode == "nonsense")
    assert ("NAKED" in given) == (mode == "nak")


def test_a_neighbour_sees_arp_dhcp_and_advertisements(host: PrivateHost, dhcp: DhcpServer) -> None:
    near, guest = neighbour(host), neighbour(host, "10.99.0.6/24")
    with capture(host, "eth1", near) as frames:
        client(host, guest)
        host.run(*host.enter(guest), "busybox", "arping", "-U", "-c", "1", "-I", "eth1", "10.99.0.6", check=False)
        frames.wait(lambda frame: frame.gratuitous and frame.sender == "10.99.0.6")
        host.run(*host.enter(guest), "ip", "address", "add", "fd00:99::6/64", "dev", "eth1")
        frames.wait(lambda frame: frame.kind == "ns" and frame.target == "fd00:99::6")
        frames.wait(lambda frame: frame.kind == "dhcp-discover")
    with capture(host, "lan0") as frames:
        client(host, guest)
        (ack,) = frames.wait(lambda frame: frame.kind == "dhcp-ack")
    assert ack.target == dhcp.leases(4)[0].ip


def test_nothing_of_it_is_left_on_the_machine(dhcp: DhcpServer) -> None:
    assert dhcp.leases() == []
    assert not Path("/run/lab").exists()
