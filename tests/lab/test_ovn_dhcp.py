"""Addresses from OVN itself: no DHCP server anywhere, and nothing of them left in the databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import promises
from .ovn_state import BYTES, WholeMachine, look_after, northbound, send_bytes, switch_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ovn import OvnFleet, OvnMachine

#: The lease of a client of busybox is asked for by hand, and only shown.
_SHOW = '#!/bin/sh\n[ "$1" = bound ] && echo "$ip/$mask $router $dns $mtu"\nexit 0\n'


@pytest.fixture(autouse=True)
def _nothing_is_left(ovn: OvnFleet) -> Iterator[None]:
    """Look, after each test, whether the databases are as they were once its guests are gone."""
    yield from look_after(ovn)


def addresses(machine: OvnMachine, guest: str) -> list[str]:
    """Return the IPv4 addresses of the guest's interface."""
    words = ("ip", "-n", guest, "-4", "-brief", "address", "show", "dev", "eth1")
    return [word for word in machine.run(*words).stdout.split()[2:] if "/" in word]


def ask(ovn: OvnFleet, column: str, port: str) -> str:
    """Return a column of a logical port."""
    return ovn.nb("--bare", f"--columns={column}", "list", "Logical_Switch_Port", port)


def plan(machine: OvnMachine, *words: str) -> str:
    """Return the plan for a request."""
    return machine.pipework("--dry-run", *words).stdout


def test_a_switch_that_a_static_request_made_gives_the_next_guest_an_address(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    one.pipework("ovn:blue", one.netns("web1"), "10.1.0.5/24@10.1.0.1")
    request = ("ovn:blue", two.netns("web2"), "udhcpc")
    two.pipework(*request)
    assert addresses(two, "web2") == ["10.1.0.2/24"]
    assert "default via 10.1.0.1 dev eth1" in two.run("ip", "-n", "web2", "route").stdout
    assert "mtu 1442" in two.run("ip", "-n", "web2", "link", "show", "dev", "eth1").stdout
    assert one.ping("web1", "10.1.0.2")
    assert send_bytes(one, "web1", two, "web2", "10.1.0.2") == BYTES
    before = northbound(ovn)
    assert "nothing to do" in plan(two, *request)
    two.pipework(*request)
    assert northbound(ovn) == before


def test_a_guest_sends_from_no_other_address_than_the_one_it_got(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.pipework("ovn:blue", one.netns("web1"), "10.1.0.5/24")
    one.pipework("ovn:blue", one.netns("web2"), "dhclient")
    chosen = ask(ovn, "dynamic_addresses", "host1/web2/eth1")
    assert chosen.endswith(" 10.1.0.2")
    assert ask(ovn, "port_security", "host1/web2/eth1") == chosen
    assert one.ping("web2", "10.1.0.5")
    one.run("ip", "-n", "web2", "address", "flush", "dev", "eth1")
    one.run("ip", "-n", "web2", "address", "add", "10.1.0.77/24", "dev", "eth1")
    assert not one.ping("web2", "10.1.0.5", within=1)
    # An address that OVN has given is taken.
    done = one.pipework("ovn:blue", one.netns("web3"), "10.1.0.2/24", check=False)
    assert done.returncode == 1
    assert "host1/web2/eth1 has 10.1.0.2 already" in done.stderr


def test_options_say_the_network_of_a_switch_and_static_addresses_are_answered_for_as_well(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    told = ("-o", "subnet=10.2.0.0/24", "-o", "router=10.2.0.254", "-o", "dns=9.9.9.9,8.8.8.8")
    one.pipework("ovn:red", one.netns("web1"), "udhcpc,10.3.0.5/24", *told, "-o", "metric=0")
    assert sorted(addresses(one, "web1")) == ["10.2.0.2/24", "10.3.0.5/24"]
    assert ask(ovn, "port_security", "host1/web1/eth1").count(" ") == 3  # both, each with the MAC
    one.pipework("ovn:red", one.netns("web2"), "10.2.0.9/24", "-o", "dhcp=yes")
    one.write("/run/show.sh", _SHOW)
    one.run("chmod", "+x", "/run/show.sh")
    client = (*one.enter("web2"), "busybox", "udhcpc", "-i", "eth1", "-n", "-q", "-f", "-s", "/run/show.sh")
    said = one.run(*client, "-O", "router", "-O", "dns", "-O", "mtu").stdout
    assert said.split() == ["10.2.0.9/24", "10.2.0.254", "9.9.9.9", "8.8.8.8", "1442"]


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("udhcpc",), "has no subnet that OVN could give an address from", "-o subnet=10.1.0.0/24"),
        (("auto",), "has no logical router", "-o dhcp=no"),
        (("dhclient", "--family", "6"), "has no logical router", "-o dhcp=no"),
        (("udhcpc", "-o", "subnet=10.1.0.0/33"), "is no network", "-o subnet=10.1.0.0/24"),
        (("udhcpc", "-o", "subnet=10.1.0.0/24", "-o", "router=10.2.0.1"), "is no host of the subnet", "-o router="),
    ],
)
def test_what_nobody_would_give_is_said_at_once(ovn: OvnFleet, words: tuple[str, ...], said: str, hint: str) -> None:
    one = ovn["host1"]
    before = northbound(ovn), switch_state(one)
    done = one.pipework("ovn:green", one.netns("web1"), *words, check=False, timeout=5)
    assert done.returncode in {1, 2}
    assert said in done.stderr
    assert hint in done.stderr
    assert (northbound(ovn), switch_state(one)) == before


def test_a_network_without_a_free_address(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.pipework("ovn:tiny", one.netns("web1"), "udhcpc", "-o", "subnet=10.4.0.0/30")
    one.netns("web2")
    whole = WholeMachine(ovn, one)
    before = whole.state(["web2"])
    done = one.pipework("ovn:tiny", "web2", "udhcpc", check=False)
    assert done.returncode == 1
    assert "has no free address for host1/web2/eth1" in done.stderr
    assert whole.state(["web2"]) == before


def test_a_guest_gives_addresses_where_ovn_is_told_not_to(ovn: OvnFleet) -> None:
    one, two = ovn["host1"], ovn["host2"]
    one.pipework("ovn:gray", one.netns("server"), "10.5.0.1/24")
    pool = ("--dhcp-range=10.5.0.50,10.5.0.60,60", "--interface=eth1", "--bind-interfaces", "--port=0")
    one.popen(*one.enter("server"), "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--leasefile-ro", *pool)
    two.pipework("ovn:gray", two.netns("web1"), "udhcpc", "-o", "dhcp=no")
    assert addresses(two, "web1")[0].startswith("10.5.0.5")
    assert ask(ovn, "dynamic_addresses", "host2/web1/eth1") == ""


def test_a_switch_of_somebody_else_gives_addresses_and_stays_as_it_is(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    ovn.nb("ls-add", "theirs", "--", "set", "Logical_Switch", "theirs", "other_config:subnet=10.6.0.0/24")
    before = northbound(ovn)
    one.pipework("ovn:theirs", one.netns("web1"), "udhcpc")
    assert addresses(one, "web1") == ["10.6.0.2/24"]
    one.pipework("detach", "web1")
    assert northbound(ovn) == before
    ovn.nb("ls-del", "theirs")


def test_a_request_for_a_lease_gives_way_to_a_static_one_and_back(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    one.pipework("ovn:blue", one.netns("web0"), "10.1.0.9/24")
    one.pipework("ovn:blue", one.netns("web1"), "udhcpc")
    one.pipework("--replace", "ovn:blue", "web1", "10.1.0.5/24")
    assert addresses(one, "web1") == ["10.1.0.5/24"]
    assert ovn.nb("--bare", "--columns=cidr", "list", "DHCP_Options") == ""
    assert ask(ovn, "addresses", "host1/web1/eth1").endswith(" 10.1.0.5")
    one.pipework("--replace", "ovn:blue", "web1", "udhcpc")
    assert addresses(one, "web1") == ["10.1.0.2/24"]
    assert one.ping("web1", "10.1.0.9")


def test_a_guest_that_is_started_again_gets_the_address_that_it_had(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    request = ("ovn:blue", "web1", "udhcpc", "-o", "subnet=10.1.0.0/24")
    for guest in ("web2", "web1"):
        one.pipework("ovn:blue", one.netns(guest), *request[2:])
    before, rows = addresses(one, "web1"), northbound(ovn)["Logical_Switch_Port"]
    one.pipework("detach", "web2")
    one.run("ip", "netns", "delete", "web1")
    one.netns("web1")
    one.pipework(*request)
    assert addresses(one, "web1") == before == ["10.1.0.3/24"]
    assert len(rows) == len(northbound(ovn)["Logical_Switch_Port"]) + 1


def test_whatever_fails_leaves_the_databases_as_they_were(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    whole = WholeMachine(ovn, one)
    request = ("ovn:blue", one.netns("web1"), "udhcpc", "-o", "subnet=10.1.0.0/24")
    assert promises.undoes_everything(whole, ["web1"], *request, modes=("fail",)) > 5


def test_a_killed_run_is_completed_by_the_next(ovn: OvnFleet) -> None:
    one = ovn["host1"]
    request = ("ovn:blue", one.netns("web1"), "udhcpc", "-o", "subnet=10.1.0.0/24")
    for step in (3, 4, 8, 9):  # behind the logical port, its plug, the wait for its address, and the mark in the guest
        promises.sabotage(one, "kill", step, *request)
        one.pipework(*request)
        assert addresses(one, "web1") == ["10.1.0.2/24"], f"killed behind step {step}"
        assert ask(ovn, "port_security", "host1/web1/eth1").endswith(" 10.1.0.2"), f"killed behind step {step}"
        assert "nothing to do" in plan(one, *request)
        one.pipework("detach", "web1")
