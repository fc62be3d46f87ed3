"""What a logical switch of OVN says of its network, and the words that let OVN give addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from pipework_backends.links import ovn_dhcp
from pipework_backends.links.ovn_dhcp import Network, choose_network
from pipework_core.model.attachment import Attachment, Dhcp
from pipework_core.model.errors import ConflictError, HostError, UsageError

MAC, PORT = "0a:00:00:00:00:05", "h1/web1/eth1"
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
    assert ovn_dhcp.list_notes(network, Network()) == (
        'other_config:subnet="10.1.0.0/24"',
        'external_ids:pipework.router="10.1.0.1"',
    )
    assert ovn_dhcp.list_forgotten(network, Network()) == (
        ("other_config", "subnet"),
        ("external_ids", "pipework.router"),
    )
    assert ovn_dhcp.list_notes(choose_network(asked, BLUE, ours=True), BLUE) == ()


def test_nobody_gets_a_router_that_is_not_the_first_address() -> None:
    network = choose_network(make_request("10.1.0.5/24", "10.1.0.254"), Network(), ours=True)
    assert (network.router, network.excluded) == ("10.1.0.254", "10.1.0.254")


def test_what_a_switch_was_told_stays() -> None:
    told = BLUE._replace(servers=("9.9.9.9",), excluded="10.1.0.100..10.1.0.120")
    assert choose_network(make_request("10.9.0.5/24", "10.9.0.1"), told, ours=True) == told


@pytest.mark.parametrize("address", ["10.1.0.5/32", "10.1.0.4/31"])
def test_no_addresses_are_given_from_a_network_of_one_or_two(address: str) -> None:
    assert choose_network(make_request(address), Network(), ours=True).subnet is None


def test_options_say_the_network() -> None:
    asked = make_request(dhcp=UDHCPC, subnet="10.1.0.0/24", router="10.1.0.1", dns="9.9.9.9,8.8.8.8")
    network = choose_network(asked, Network(), ours=True)
    assert network == BLUE._replace(servers=("9.9.9.9", "8.8.8.8"))
    noted = {"subnet": "10.1.0.0/24"}, {"pipework.router": "10.1.0.1", "pipework.dns": "9.9.9.9,8.8.8.8"}
    assert ovn_dhcp.read_network(*noted) == network


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"subnet": "10.1.0.5/24"}, "is no network"),
        ({"subnet": "blue"}, "is no network"),
        ({"subnet": "2001:db8::/64"}, "is no network"),
        ({"subnet": "10.1.0.4/31"}, "too small"),
        ({"router": "10.1.0.1/24"}, "is no address"),
        ({"router": "fe80::1"}, "is no address"),
        ({"dns": "9.9.9.9,,8.8.8.8"}, "is no address"),
        ({"dns": "one.example"}, "is no address"),
        ({"subnet": "10.1.0.0/24", "router": "10.2.0.1"}, "not in the subnet"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        choose_network(make_request(**options), Network(), ours=True)
    assert error.value.hint


def test_a_word_that_the_option_dhcp_does_not_have() -> None:
    with pytest.raises(UsageError, match="neither yes nor no"):
        ovn_dhcp.is_dynamic(make_request(dhcp=UDHCPC)._replace(options=(("dhcp", "maybe"),)))


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
    assert ovn_dhcp.read_network({"subnet": "10.1.0.0/99"}, {}) == Network()
    assert ovn_dhcp.read_network({}, {}) == Network()


def test_what_nobody_would_answer_is_refused_before() -> None:
    leased = make_request(dhcp=UDHCPC)
    ovn_dhcp.check_request(leased, BLUE, has_router=False)
    with pytest.raises(HostError, match="has no subnet") as error:
        ovn_dhcp.check_request(leased, Network(), has_router=False)
    assert "-o subnet=" in error.value.hint
    six = make_request(dhcp=Dhcp(client="dhclient", family=6))
    for asked in (six, make_request()._replace(auto=True)):
        with pytest.raises(HostError, match="has no logical router"):
            ovn_dhcp.check_request(asked, BLUE, has_router=False)
        ovn_dhcp.check_request(asked, BLUE, has_router=True)
        elsewhere = asked._replace(options=(("dhcp", "no"),))
        ovn_dhcp.check_request(elsewhere, Network(), has_router=False)


@pytest.mark.parametrize(
    ("asked", "addresses", "senders"),
    [
        (make_request(), (MAC,), (MAC,)),
        (make_request("10.1.0.5/24"), (f"{MAC} 10.1.0.5",), (f"{MAC} 10.1.0.5",)),
        (make_request(dhcp=UDHCPC), (f"{MAC} dynamic",), (MAC,)),
        (make_request("10.2.0.5/24", dhcp=UDHCPC), (f"{MAC} dynamic", f"{MAC} 10.2.0.5"), (MAC,)),
        (make_request(dhcp=UDHCPC)._replace(options=(("dhcp", "no"),)), (MAC,), (MAC,)),
        (make_request()._replace(auto=True), (MAC,), (MAC,)),
    ],
)
def test_what_reaches_a_port_and_what_it_may_send(
    asked: Attachment, addresses: tuple[str, ...], senders: tuple[str, ...]
) -> None:
    assert ovn_dhcp.list_addresses(asked, MAC) == addresses
    assert ovn_dhcp.list_senders(asked, MAC) == senders


def test_the_row_that_answers_dhcp() -> None:
    words = ovn_dhcp.make_answers(make_request(dhcp=UDHCPC), BLUE._replace(servers=("9.9.9.9",)), PORT, "h1", 1442)
    assert words[0] == "--"
    row = words[1].removeprefix("--id=")
    assert words[-1] == f"dhcpv4_options={row}"
    assert {
        'cidr="10.1.0.0/24"',
        'options:server_id="10.1.0.1"',
        'options:router="10.1.0.1"',
        'options:mtu="1442"',
        'options:dns_server="{9.9.9.9}"',
        'external_ids:pipework.made="1"',
        'external_ids:pipework.host="h1"',
        f'external_ids:pipework.port="{PORT}"',
    } < set(words)


def test_rows_of_one_transaction_have_names_of_their_own() -> None:
    asked = make_request(dhcp=UDHCPC)
    names = {ovn_dhcp.make_answers(asked, BLUE, port, "h1", 1442)[1] for port in (PORT, "h1/web2/eth1")}
    assert len(names) == 2


def test_a_static_address_is_answered_for_when_told_so() -> None:
    asked = make_request("10.9.0.5/24")._replace(options=(("dhcp", "yes"),))
    assert ovn_dhcp.has_answers(asked)
    words = ovn_dhcp.make_answers(asked, BLUE, PORT, "h1", 1442)
    assert 'cidr="10.9.0.0/24"' in words
    assert 'options:server_id="10.9.0.1"' in words
    assert not any("router" in word for word in words)  # that of the switch is in another network
    assert not ovn_dhcp.has_answers(make_request("10.9.0.5/24"))


def test_the_port_is_narrowed_to_what_ovn_has_chosen() -> None:
    step = ovn_dhcp.secure_port(make_request("10.2.0.5/24", dhcp=UDHCPC), PORT, MAC, ("ovn-nbctl", "--timeout=10"))
    assert step.argv[2:] == (PORT, f"{MAC} 10.2.0.5", "ovn-nbctl", "--timeout=10")
    assert step.timeout
    assert ovn_dhcp.secure_port(make_request(dhcp=UDHCPC), PORT, MAC, ("ovn-nbctl",)).argv[3] == ""
