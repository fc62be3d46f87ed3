"""What lets OVN choose a port's address and answer DHCP on it, and what takes that away."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest

from pipework_backends.links import ovn_dhcp
from pipework_backends.links.ovn_nb import DhcpOptions, LogicalPort, Northbound, Remote
from pipework_backends.links.ovn_network import Network

from .test_ovn_network import BLUE, UDHCPC, make_request

if TYPE_CHECKING:
    from pipework_core.model.attachment import Attachment

MAC, PORT = "0a:00:00:00:00:05", "h1/web1/eth1"
LOGICAL = LogicalPort(
    PORT, "blue", addresses=(f"{MAC} dynamic",), security=(MAC,), external_ids={"pipework.host": "h1"}
)
EMPTY = Northbound(Remote(db="unix:/run/nb.sock"))
#: Somebody's row, and the one that a request for a lease leads to.
THEIRS = DhcpOptions("uuid-1", "10.1.0.0/24")


def choose(asked: Attachment | None = None, network: Network = BLUE) -> DhcpOptions:
    """Return the row for a request, which is for a lease if none is given."""
    row = ovn_dhcp.choose_answers(asked or make_request(dhcp=UDHCPC), network, LOGICAL, 1442)
    assert row is not None
    return row


def make_database(row: DhcpOptions, *, used: str) -> Northbound:
    """Return a database with the port and a row; the port uses the row of that UUID."""
    port = LOGICAL._replace(rest={"dhcpv4_options": used} if used else {})
    return EMPTY._replace(ports={PORT: port}, dhcp=(row,))


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


def test_a_port_is_narrowed_to_what_ovn_has_chosen() -> None:
    asked = make_request("10.2.0.5/24", dhcp=UDHCPC)
    assert ovn_dhcp.list_senders(asked, MAC, f"{MAC} 10.1.0.2") == (f"{MAC} 10.1.0.2", f"{MAC} 10.2.0.5")
    assert ovn_dhcp.list_senders(asked, MAC, "0a:00:00:00:00:06 10.1.0.2") == (MAC,)  # that of a former MAC
    assert ovn_dhcp.is_unsettled(asked, LOGICAL)
    assert not ovn_dhcp.is_unsettled(asked, LOGICAL._replace(security=()))
    step = ovn_dhcp.secure_port(asked, EMPTY, LOGICAL, 12)
    assert step.argv[2:4] == (PORT, f"{MAC} 10.2.0.5")
    assert step.argv[4] == "ovn-nbctl"
    assert "--timeout=12" in step.argv
    assert step.timeout == 12
    assert ovn_dhcp.secure_port(make_request(dhcp=UDHCPC), EMPTY, LOGICAL, 12).argv[3] == ""


def test_the_row_that_answers_dhcp() -> None:
    row = choose(network=BLUE._replace(servers=("9.9.9.9", "8.8.8.8")))
    assert row.cidr == "10.1.0.0/24"
    assert {key: row.options[key] for key in ("server_id", "router", "mtu", "dns_server")} == {
        "server_id": "10.1.0.1",
        "router": "10.1.0.1",
        "mtu": "1442",
        "dns_server": "{9.9.9.9, 8.8.8.8}",
    }
    assert row.external_ids == {"pipework.made": "1", "pipework.host": "h1", "pipework.port": PORT}


def test_a_static_address_is_answered_for_when_told_so() -> None:
    asked = make_request("10.9.0.5/24")
    assert ovn_dhcp.choose_answers(asked, BLUE, LOGICAL, 1442) is None
    row = choose(asked._replace(options=(("dhcp", "yes"),)))
    assert (row.cidr, row.options["server_id"]) == ("10.9.0.0/24", "10.9.0.1")
    assert "router" not in row.options  # that of the switch is in another network


def test_without_a_router_the_server_has_the_address_that_nobody_gets() -> None:
    row = choose(network=Network(subnet=IPv4Network("10.1.0.0/24")))
    assert row.options["server_id"] == "10.1.0.1"
    assert "router" not in row.options


def test_a_row_is_made_with_the_port_and_found_again_by_its_marks() -> None:
    made = ovn_dhcp.change_answers(EMPTY, PORT, choose())
    assert made.words[0] == "--"
    assert made.words[-1] == "dhcpv4_options=" + made.words[1].removeprefix("--id=")
    (undo,) = made.undo
    assert undo.argv[0] == "ovsdb-client"
    assert f'["pipework.port","{PORT}"]' in undo.argv[-1]
    other = ovn_dhcp.change_answers(EMPTY, "h1/web2/eth1", choose())
    assert other.words[1] != made.words[1]  # both may be in one transaction


def test_a_row_that_is_as_it_should_be_stays() -> None:
    has = choose()._replace(uuid="uuid-2")
    assert ovn_dhcp.change_answers(make_database(has, used="uuid-2"), PORT, choose()) == ovn_dhcp.Addition()
    assert ovn_dhcp.change_answers(make_database(THEIRS, used="uuid-1"), PORT, choose()) == ovn_dhcp.Addition()
    assert ovn_dhcp.change_answers(make_database(THEIRS, used=""), PORT, None) == ovn_dhcp.Addition()


@pytest.mark.parametrize("used", ["", "uuid-2"])
def test_a_row_that_is_not_as_it_should_be_is_changed_and_changed_back(used: str) -> None:
    has = choose(network=BLUE._replace(servers=("9.9.9.9",)))._replace(uuid="uuid-2")
    changed = ovn_dhcp.change_answers(make_database(has, used=used), PORT, choose())
    assert "uuid-2" in changed.words
    assert "dhcpv4_options=uuid-2" in changed.words
    assert "9.9.9.9" not in " ".join(changed.words)
    assert "9.9.9.9" in " ".join(changed.undo[0].argv)


def test_a_row_of_a_machine_that_got_another_system_id_is_taken_over() -> None:
    has = choose()._replace(uuid="uuid-2")
    marks = {**has.external_ids, "pipework.host": "h0"}
    changed = ovn_dhcp.change_answers(make_database(has._replace(external_ids=marks), used="uuid-2"), PORT, choose())
    assert 'external_ids:pipework.host="h1"' in changed.words
    assert 'external_ids:pipework.host="h0"' in changed.undo[0].argv


def test_a_row_that_is_not_wanted_any_more_goes_and_comes_back_when_undone() -> None:
    has = choose()._replace(uuid="uuid-2")
    gone = ovn_dhcp.change_answers(make_database(has, used="uuid-2"), PORT, None)
    assert gone.words == ("--", "destroy", "DHCP_Options", "uuid-2")
    assert "create" in gone.undo[0].argv


def test_a_port_goes_with_its_row_and_both_come_back_when_undone() -> None:
    has = choose()._replace(uuid="uuid-2")
    nb = make_database(has, used="uuid-2")
    step = ovn_dhcp.remove_port(nb, nb.ports[PORT], reason="as asked")
    assert " ".join(step.argv).endswith(f"lsp-del {PORT} -- --if-exists destroy DHCP_Options uuid-2")
    (undo,) = step.undo
    assert "create" in undo.argv
    assert "dhcpv4_options=uuid-2" not in undo.argv  # the new row has another UUID
    nb = make_database(THEIRS, used="uuid-1")
    step = ovn_dhcp.remove_port(nb, nb.ports[PORT], reason="as asked")
    assert " ".join(step.argv).endswith(f"lsp-del {PORT}")
    assert "dhcpv4_options=uuid-1" in step.undo[0].argv
