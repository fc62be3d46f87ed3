"""What a logical switch of OVN says of its network, and who gives addresses in it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from pipework_backends.links import ovn_network
from pipework_backends.links.ovn_nb import LogicalSwitch
from pipework_backends.links.ovn_network import Network, choose_network
from pipework_core.model.attachment import Attachment, Dhcp
from pipework_core.model.errors import ConflictError, HostError, UsageError

BLUE = Network(subnet=IPv4Network("10.1.0.0/24"), router="10.1.0.1")
#: A DHCP client, as asked for.
UDHCPC = Dhcp(client="udhcpc")


def make_request(address: str = "", gateway: str = "", *, dhcp: Dhcp | None = None, **options: str) -> Attachment:
    """Return a request for an interface on the logical switch blue."""
    return Attachment(
        guest="web1",
        host="blue",
        kind="ovn",
        addresses=(IPv4Interface(address),) if address else (),
        gateways=(IPv4Address(gateway),) if gateway else (),
        dhcp=dhcp,
        options=tuple(sorted(options.items())),
    )


def test_a_switch_learns_its_network_from_the_first_static_request() -> None:
    asked = make_request("10.1.0.5/24", "10.1.0.1")
    network = choose_network(asked, Network(), ours=True)
    assert network == BLUE
    assert ovn_network.list_notes(network, Network()) == (
        'other_config:subnet="10.1.0.0/24"',
        'external_ids:pipework.router="10.1.0.1"',
    )
    assert " ".join(ovn_network.forget_notes("blue", network, Network())) == (
        "-- remove Logical_Switch blue other_config subnet -- remove Logical_Switch blue external_ids pipework.router"
    )
    assert ovn_network.list_notes(choose_network(asked, BLUE, ours=True), BLUE) == ()


def test_nobody_gets_a_router_that_is_not_the_first_address() -> None:
    network = choose_network(make_request("10.1.0.5/24", "10.1.0.254"), Network(), ours=True)
    assert (network.router, network.excluded) == ("10.1.0.254", "10.1.0.254")


def test_what_a_switch_was_told_stays() -> None:
    told = BLUE._replace(servers=("9.9.9.9",), excluded="10.1.0.100..10.1.0.120")
    assert choose_network(make_request("10.9.0.5/24", "10.9.0.1"), told, ours=True) == told


def test_nobody_gets_what_the_request_keeps() -> None:
    kept = "10.1.0.5-10.1.0.5,10.1.0.128-10.1.0.254"
    asked = make_request("10.1.0.5/24", "10.1.0.254", exclude=kept)
    network = choose_network(asked, Network(), ours=True)
    assert network.excluded == "10.1.0.254 10.1.0.5..10.1.0.5 10.1.0.128..10.1.0.254"
    # A switch that has given addresses goes on as it did: OVN would take them from their guests.
    assert choose_network(asked, BLUE, ours=True) == BLUE


@pytest.mark.parametrize("text", ["", "x", "10.1.0.9-10.1.0.5", "10.1.0.1-", "10.1.0.0/24", "fd00::1-fd00::2", "1-2-3"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="-o exclude="):
        choose_network(make_request("10.1.0.5/24", exclude=text), Network(), ours=True)


@pytest.mark.parametrize("address", ["10.1.0.5/32", "10.1.0.4/31"])
def test_no_addresses_are_given_from_a_network_of_one_or_two(address: str) -> None:
    assert choose_network(make_request(address), Network(), ours=True).subnet is None


def test_options_say_the_network() -> None:
    asked = make_request(dhcp=UDHCPC, subnet="10.1.0.0/24", router="10.1.0.1", dns="9.9.9.9,8.8.8.8")
    network = choose_network(asked, Network(), ours=True)
    assert network == BLUE._replace(servers=("9.9.9.9", "8.8.8.8"))
    noted = {"pipework.router": "10.1.0.1", "pipework.dns": "9.9.9.9,8.8.8.8"}
    switch = LogicalSwitch("blue", config={"subnet": "10.1.0.0/24"}, external_ids=noted)
    assert ovn_network.read_network(switch) == network


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"subnet": "10.1.0.5/24"}, "is no network"),
        ({"subnet": "blue"}, "is no network"),
        ({"subnet": "2001:db8::/64"}, "is no network"),
        *(
            ({"subnet": network}, "cannot give addresses from")
            for network in (
                "10.1.0.4/31",
                "10.1.0.5",
                "10.0.0.0/7",
                "0.0.0.0/8",
                "127.0.0.0/8",
                "224.0.0.0/24",
                "240.0.0.0/24",
            )
        ),
        ({"router": "10.1.0.1/24"}, "is no address"),
        ({"router": "fe80::1"}, "is no address"),
        ({"dns": "9.9.9.9,,8.8.8.8"}, "is no address"),
        ({"dns": "one.example"}, "is no address"),
        ({"subnet": "10.1.0.0/24", "router": "10.2.0.1"}, "no host of the subnet"),
        ({"subnet": "10.1.0.0/24", "router": "10.1.0.255"}, "no host of the subnet"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        choose_network(make_request(**options), Network(), ours=True)
    assert error.value.hint


def test_a_word_that_the_option_dhcp_does_not_have() -> None:
    with pytest.raises(UsageError, match="neither yes nor no"):
        ovn_network.is_dynamic(make_request(dhcp=UDHCPC)._replace(options=(("dhcp", "maybe"),)))


def test_options_that_the_switch_contradicts() -> None:
    with pytest.raises(ConflictError, match=r"has the subnet 10.1.0.0/24, not 10.2.0.0/24"):
        choose_network(make_request(subnet="10.2.0.0/24"), BLUE, ours=True)
    with pytest.raises(ConflictError, match=r"has the router 10.1.0.1, not 10.1.0.2"):
        choose_network(make_request(router="10.1.0.2"), BLUE, ours=True)


def test_a_switch_of_somebody_else_is_told_nothing() -> None:
    assert choose_network(make_request("10.1.0.5/24", "10.1.0.1"), Network(), ours=False) == Network()
    with pytest.raises(ConflictError, match="is not pipework's") as error:
        choose_network(make_request(subnet="10.1.0.0/24"), Network(), ours=False)
    assert "other_config:subnet=10.1.0.0/24" in error.value.hint


def test_a_subnet_that_is_none_says_nothing() -> None:
    assert ovn_network.read_network(LogicalSwitch("blue", config={"subnet": "10.1.0.0/99"})) == Network()
    assert ovn_network.read_network(LogicalSwitch("blue")) == Network()
    assert ovn_network.read_network(None) == Network()


def test_what_nobody_would_answer_is_refused_before() -> None:
    leased = make_request(dhcp=UDHCPC)
    ovn_network.check_request(leased, BLUE, has_router=False)
    with pytest.raises(HostError, match="has no subnet") as error:
        ovn_network.check_request(leased, Network(), has_router=False)
    assert "-o subnet=" in error.value.hint
    six = make_request(dhcp=Dhcp(client="dhclient", family=6))
    for asked in (six, make_request()._replace(auto=True)):
        with pytest.raises(HostError, match="has no logical router"):
            ovn_network.check_request(asked, BLUE, has_router=False)
        ovn_network.check_request(asked, BLUE, has_router=True)
        elsewhere = asked._replace(options=(("dhcp", "no"),))
        ovn_network.check_request(elsewhere, Network(), has_router=False)
