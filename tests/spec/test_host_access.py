"""`pipework host`: what its words mean, and what makes no sense."""

from __future__ import annotations

import pytest

from pipework_core.cli import parser
from pipework_core.model import ownership
from pipework_core.model.errors import UsageError
from pipework_core.model.link import Link


def test_words_become_a_request() -> None:
    part = parser.parse(["host", "--confirm-within=3", "eth0", "10.1.1.123/24@10.1.1.254,fd00::1/64"]).request
    assert part is not None
    assert [str(address) for address in part.attachment.addresses] == ["10.1.1.123/24", "fd00::1/64"]
    assert [str(gateway) for gateway in part.attachment.gateways] == ["10.1.1.254"]
    assert (part.attachment.host, part.confirm, part.remove) == ("eth0", 3, False)


def test_an_interface_called_host_can_be_attached_to() -> None:
    asked = parser.parse(["attach", "host", "web1", "10.0.0.1/24"]).request
    assert asked is not None
    assert asked.host == "host"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("host", "lacks HOSTIF and ADDRESS"),
        ("host br1", "lacks ADDRESS"),
        ("host --remove", "lacks HOSTIF"),
        ("host br1 10.0.0.1/24 web1", "'web1' is one word too many"),
        ("host --remove br1 10.0.0.1/24", "one word too many"),
        ("host br1 0/0", "none is given"),
        ("host br1 dhclient", "asks the network"),
        ("host br1 udhcpc-f", "asks the network"),
        ("host br1 auto", "asks the network"),
        ("host br1 10.0.0.1", "no prefix length"),
        ("host br1 10.0.0.300/24", "not an address"),
        ("host br1 10.0.0.0/24", "address of the network"),
        ("host br1 fe80::1/64", "link-local"),
        ("host br1 10.0.0.1/24@10.0.1.254", "in the subnet of no address"),
        ("host br1 10.0.0.1/24@10.0.0.1", "its own gateway"),
        ("host br1 10.0.0.1/24,10.0.0.1/16", "given twice"),
        ("host br1 10.0.0.1/24@10.0.0.2,10.0.0.3/24@10.0.0.4", "names two"),
        (f"host {'x' * 128} 10.0.0.1/24", "more than 127"),
        ("host br/1 10.0.0.1/24", "the kernel refuses"),
        ("host mac:01:00:00:00:00:00 10.0.0.1/24", "multicast"),
        ("host br1 10.0.0.1/24 --confirm-within -1", "needs a value"),
        ("host br1 10.0.0.1/24 --confirm-within=-1", "not a number of seconds"),
        ("host br1 10.0.0.1/24 --confirm-within 1.5", "not a number of seconds"),
        ("host br1 10.0.0.1/24 --confirm-within ٣", "not a number of seconds"),
        ("host br1 10.0.0.1/24 --confirm-within 601", "from 0 to 600"),
        ("host br1 10.0.0.1/24 --keep-bridge", "goes with --remove"),
        ("host --remove br1 --confirm-within 3", "contradict"),
        ("host br1 10.0.0.1/24 --mtu 1400", "--mtu does not go with host"),
        ("host br1 10.0.0.1/24 -i eth2", "--interface does not go with host"),
        ("br1 web1 10.0.0.1/24 --remove", "--remove does not go with attach"),
    ],
)
def test_what_makes_no_sense_is_said_with_a_hint(line: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser.parse(line.split())
    assert said in str(caught.value)
    assert caught.value.hint


def test_added_addresses_are_read_as_they_were_written() -> None:
    tag = ownership.Tag(
        kind="host", parent="eth0", new=ownership.added_words(["10.1.1.9/24", "fd00::1/64"], ["10.1.1.254"])
    )
    found = ownership.read_tag(Link(name="eth0-host", ifindex=2, alias=tag.alias))
    assert found == tag
    assert ownership.added_from(found.new) == ("10.1.1.9/24", "fd00::1/64", "10.1.1.254")


@pytest.mark.parametrize("new", ["x", "10.0.0.1-24,", "10.0.0.1-99", "-f", "fe80::1%eth0-64", "10.0.0.1-24 dev eth0"])
def test_a_mark_with_anything_else_is_none(new: str) -> None:
    assert (
        ownership.read_tag(Link(name="eth0-host", ifindex=2, alias=f"pipework:1/kind:=host/on:=eth0/new:={new}"))
        is None
    )
