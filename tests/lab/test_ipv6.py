"""IPv6 done right: duplicate address detection, gateways, several addresses, switches, router advertisements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from . import promises
from .dhcp import DhcpServer, Offer, make_lan, neighbour, wait_until

if TYPE_CHECKING:
    from .host import PrivateHost

MAC = "02:00:00:00:00:0b"


@pytest.fixture
def lan(host: PrivateHost) -> PrivateHost:
    """A host with the bridge lan0 and the guest blue."""
    make_lan(host)
    host.netns("blue")
    return host


@pytest.fixture
def router(host: PrivateHost, dhcp: DhcpServer) -> PrivateHost:
    """A host with router advertisements on the bridge lan0, and the guest blue."""
    dhcp.restart(Offer(ipv4=True, slaac=True))
    host.netns("blue")
    return host


def shown(host: PrivateHost) -> str:
    return host.run("ip", "-n", "blue", "-6", "address", "show", "dev", "eth1").stdout


def switch(host: PrivateHost, name: str) -> str:
    return host.run(*host.enter("blue"), "cat", f"/proc/sys/net/ipv6/conf/eth1/{name}").stdout.strip()


def steps(host: PrivateHost, *argv: str) -> str:
    return host.pipework("-v", *argv).stderr


def test_an_address_can_be_used_when_the_command_returns(lan: PrivateHost) -> None:
    """A tentative address is no source and gets no packets: the kernel refuses to bind to it."""
    lan.pipework("lan0", "blue", "fd00:99::7/64,fd01::7/64,10.99.0.7/24", MAC)
    assert "tentative" not in [word for line in shown(lan).splitlines() if "fd0" in line for word in line.split()]
    assert lan.ping("blue", "fd00:99::1", within=0)


def test_an_address_of_somebody_else_is_an_error_and_undone(lan: PrivateHost) -> None:
    other = neighbour(lan, "fd00:99::7/64")
    before = lan.state(["blue", other])
    refused = lan.pipework("lan0", "blue", "fd00:99::6/64,fd00:99::7/64", MAC, check=False)
    assert refused.returncode == 1
    assert "fd00:99::7 is held by another interface" in refused.stderr
    assert "fd00:99::6 is held" not in refused.stderr
    assert "--probe" in refused.stderr
    assert lan.state(["blue", other]) == before


def test_a_conflict_is_still_an_error_for_whoever_repeats_a_killed_run(lan: PrivateHost) -> None:
    neighbour(lan, "fd00:99::7/64")
    argv = ("lan0", "blue", "fd00:99::7/64", MAC)
    lan.pipework("--no-dad", *argv)
    assert "nothing to do" in steps(lan, *argv)
    # What a run leaves that was killed while it waited: the address, and the kernel's verdict on it.
    lan.run("ip", "-n", "blue", "address", "delete", "fd00:99::7/64", "dev", "eth1")
    lan.run("ip", "-n", "blue", "address", "add", "fd00:99::7/64", "dev", "eth1")
    wait_until(lambda: "dadfailed" in shown(lan), "the kernel finds the conflict")
    again = lan.pipework(*argv, check=False)
    assert again.returncode == 1
    assert "fd00:99::7 is held" in again.stderr


def test_without_detection_nothing_is_waited_for(lan: PrivateHost) -> None:
    argv = ("lan0", "blue", "fd00:99::7/64", MAC)
    told = steps(lan, "--no-dad", *argv)
    assert "settle.sh" not in told
    assert "fd00:99::7/64 scope global nodad" in shown(lan)
    assert lan.ping("blue", "fd00:99::1")


def test_an_interface_without_carrier_is_not_waited_for_and_that_is_said(lan: PrivateHost) -> None:
    lan.run("ip", "link", "add", "nic9", "type", "veth", "peer", "name", "unplugged")
    done = lan.pipework("nic9", "blue", "fd00:99::7/64")
    assert "pipework: warning: eth1 has no carrier, so nobody could be asked about fd00:99::7." in done.stderr
    assert "tentative" in shown(lan)


def test_several_addresses_and_gateways_of_both_families(lan: PrivateHost) -> None:
    """Both gateways are outside of the subnets: on the link, as a route to one address."""
    lan.run("ip", "address", "add", "fd0f::1/128", "dev", "lan0", "nodad")
    addresses = "fd00:99::7/64@fd0f::1,fd01::7/64,10.99.0.7/24@192.0.2.1,10.98.0.7/24"
    lan.pipework("lan0", "blue", addresses, MAC)
    routes = lan.run("ip", "-n", "blue", "-6", "-json", "route", "show").stdout
    found = {route["dst"]: route for route in json.loads(routes)}
    assert (found["fd0f::1"]["dev"], found["fd0f::1"].get("gateway")) == ("eth1", None)
    assert found["default"]["gateway"] == "fd0f::1"
    four = lan.run("ip", "-n", "blue", "-4", "route", "show").stdout
    assert "192.0.2.1 dev eth1 scope link" in four
    assert "default via 192.0.2.1 dev eth1" in four
    assert all(word in shown(lan) for word in ("fd00:99::7/64", "fd01::7/64"))
    lan.run("ip", "address", "add", "2001:db8::1/128", "dev", "lan0", "nodad")
    lan.run("ip", "route", "add", "fd01::/64", "dev", "lan0")
    assert lan.ping("blue", "2001:db8::1")


def test_the_second_run_changes_nothing(lan: PrivateHost) -> None:
    promises.needs_nothing_twice(lan, ["blue"], "lan0", "blue", "fd00:99::7/64@fd00:99::1", MAC, "-o", "accept_ra=0")


def test_a_failure_after_any_step_undoes_everything(lan: PrivateHost) -> None:
    argv = ("--probe", "--timeout", "20", "lan0", "blue", "fd00:99::7/64@fd0f::1", MAC, "-o", "autoconf=0")
    promises.undoes_everything(lan, ["blue"], *argv, modes=("fail",))


def test_advertisements_are_obeyed_unless_that_is_switched_off(router: PrivateHost) -> None:
    """A second guest that obeys shows that one came by."""
    router.netns("red")
    router.pipework("lan0", "blue", "fd00:99::7/64", MAC, "-o", "accept_ra=0", "-o", "autoconf=0")
    assert (switch(router, "accept_ra"), switch(router, "autoconf")) == ("0", "0")
    router.pipework("lan0", "red", "auto")
    # Heard by all on the link, as the answer to the other guest's solicitation or sent by itself.
    assert "dynamic" not in shown(router)
    assert "default" not in router.run("ip", "-n", "blue", "-6", "route", "show").stdout


def test_an_address_from_an_advertisement_is_waited_for_and_shown(router: PrivateHost) -> None:
    # A guest that is a router itself would not listen.
    router.run("ip", "netns", "exec", "blue", "sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
    done = router.pipework("--json", "lan0", "blue", "auto", MAC)
    (lease,) = json.loads(done.stdout)["leases"]
    assert lease["address"] == "fd00:99::ff:fe00:b/64"
    assert lease["router"].startswith("fe80::")
    assert lease["seconds"] > 0
    assert f"inet6 {lease['address']} scope global dynamic mngtmpaddr" in shown(router)
    assert "tentative" not in shown(router)
    assert router.ping("blue", "fd00:99::1")
    before = router.state(["blue"])
    again = router.pipework("-v", "lan0", "blue", "auto", MAC)
    assert "fd00:99::ff:fe00:b/64 from a router advertisement" in again.stderr
    assert "nothing to do" in again.stderr
    assert router.state(["blue"]) == before


def test_ipv6_is_turned_on_for_auto_and_static_addresses_come_along(router: PrivateHost) -> None:
    router.run("ip", "netns", "exec", "blue", "sysctl", "-q", "-w", "net.ipv6.conf.default.disable_ipv6=1")
    router.pipework("--no-dad", "lan0", "blue", "10.99.0.7/24,auto,fd01::7/64", MAC)
    assert all(address in shown(router) for address in ("fd01::7/64", "fd00:99::ff:fe00:b/64"))
    assert router.ping("blue", "10.99.0.1")


def test_no_advertisement_is_an_error_and_undone(lan: PrivateHost) -> None:
    before = lan.state(["blue"])
    refused = lan.pipework("--timeout", "2", "lan0", "blue", "auto", MAC, check=False)
    assert refused.returncode == 1
    assert "no router advertisement came within 2 seconds" in refused.stderr
    assert "hint: is there an IPv6 router" in refused.stderr
    assert lan.state(["blue"]) == before


@pytest.mark.parametrize("option", ["accept_ra=3", "autoconf=2"])
def test_values_that_do_not_exist_are_refused(lan: PrivateHost, option: str) -> None:
    refused = lan.pipework("lan0", "blue", "10.99.0.7/24", "-o", option, check=False)
    assert refused.returncode == 1
    assert option in refused.stderr
