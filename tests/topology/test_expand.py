"""Patterns and pools: distinct addresses that follow from the names alone."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipework_core import topology
from pipework_core.model.errors import UsageError
from pipework_core.spec.pools import parse_pool
from pipework_core.topology import pools

FILE = topology.parse_topology(
    "version: 1\nhost: [br1 10.0.0.100/26]\nlinks:\n- br1 db 10.0.0.70/26\n- br1 web* 10.0.0.64/26@10.0.0.126\n"
)
NAMES = st.sets(st.from_regex(r"web[a-z0-9]{0,4}", fullmatch=True), max_size=55)


def by_name(found: tuple[topology.Link, ...]) -> dict[str, str]:
    return {link.attachment.guest: str(link.attachment.addresses[0]) for link in found}


@given(NAMES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_addresses_are_distinct_of_the_pool_and_whatever_the_order(names: set[str], chance: object) -> None:
    listed = sorted(names)
    chance.shuffle(listed)
    found = topology.expand_topology(FILE, [*listed, "other"])
    addresses = [link.attachment.addresses[0].ip for link in found]
    assert len(set(addresses)) == len(addresses) == len(names) + 1
    assert all(ip in ip_network("10.0.0.64/26") for ip in addresses)
    reserved = {"10.0.0.64", "10.0.0.127", "10.0.0.126", "10.0.0.100"}
    assert not {str(ip) for ip in addresses} & reserved
    assert found == topology.expand_topology(FILE, sorted(names))


@given(NAMES.filter(bool))
@settings(max_examples=60, deadline=None)
def test_who_comes_last_in_natural_order_moves_nobody(names: set[str]) -> None:
    last = max(names, key=pools.make_natural_key)
    full = by_name(topology.expand_topology(FILE, names))
    del full[last]
    assert by_name(topology.expand_topology(FILE, names - {last})) == full


def test_the_handed_out_addresses_stay_what_they_are() -> None:
    found = by_name(topology.expand_topology(FILE, ["web1", "web2", "docker:web3"]))
    assert found == by_name(topology.expand_topology(FILE, ["docker:web3", "web2", "web1"]))
    assert found["docker:web3"] == by_name(topology.expand_topology(FILE, ["web1", "web2", "web3"]))["web3"]


def test_an_exhausted_pool_is_named() -> None:
    full = [f"web{n}" for n in range(59)]
    assert len(topology.expand_topology(FILE, full)) == 60
    with pytest.raises(UsageError, match=r":5:3: the pool 10\.0\.0\.64/26 .* none left for web59") as raised:
        topology.expand_topology(FILE, [*full, "web59"])
    assert raised.value.hint


@pytest.mark.parametrize(
    ("pool", "first", "last"),
    [
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.254"),
        ("10.0.0.10-10.0.0.19/24", "10.0.0.10", "10.0.0.19"),
        ("10.0.0.0-10.0.0.255/24", "10.0.0.1", "10.0.0.254"),
        ("fd00::/64", "fd00::1", "fd00::ffff:ffff:ffff:ffff"),
    ],
)
def test_the_ends_of_a_pool(pool: str, first: str, last: str) -> None:
    found = parse_pool(pool)
    assert found is not None
    assert (found.first, found.last) == (int(ip_address(first)), int(ip_address(last)))


@pytest.mark.parametrize("text", ["10.0.0.1/24", "10.0.0.0/31", "10.0.0.0/32", "0/0", "0.0.0.0/0"])
def test_what_is_no_pool(text: str) -> None:
    assert parse_pool(text) is None


def test_a_pool_for_one_guest() -> None:
    (link,) = topology.expand_topology(
        topology.parse_topology("version: 1\nlinks: [br1 web1 10.0.0.4/30@10.0.0.5]"), []
    )
    assert by_name((link,)) == {"web1": "10.0.0.6/30"}
    assert link.pools == ()


def test_a_guests_own_link_comes_before_a_pattern() -> None:
    found = topology.parse_topology("version: 1\nlinks: [br1 w* 10.0.0.0/24, br1 w1 10.0.0.9/24, br2 w1 -i eth2 0/0]")
    guests = [(link.attachment.guest, link.interface) for link in topology.expand_topology(found, ["w1", "w2"])]
    assert guests == [("w2", "eth1"), ("w1", "eth1"), ("w1", "eth2")]


def test_a_runtime_in_a_pattern() -> None:
    found = topology.parse_topology("version: 1\nlinks: ['br1 docker:w* 0/0']")
    assert [link.attachment.guest for link in topology.expand_topology(found, ["docker:w1", "lxc:w2", "w3"])] == [
        "docker:w1"
    ]


def test_two_patterns_for_one_interface() -> None:
    found = topology.parse_topology("version: 1\nlinks:\n- br1 w* 0/0\n- br2 '*1' 0/0\n")
    with pytest.raises(UsageError, match="4:3: w1 would get eth1 here and by the pattern in line 3"):
        topology.expand_topology(found, ["w1", "w2"])


def test_natural_order() -> None:
    assert sorted(["web10", "web2", "db", "web02", "web"], key=pools.make_natural_key) == [
        "db",
        "web",
        "web02",
        "web2",
        "web10",
    ]
