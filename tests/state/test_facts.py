"""The parsers of what iproute2 prints, on its own words (iproute2 6.1)."""

from __future__ import annotations

import json

import pytest

from pipework_core.model import ownership
from pipework_core.model.errors import HostError
from pipework_core.model.link import GuestState, HostState, Link, Route
from pipework_core.model.plan import Netns
from pipework_core.state import facts

LINKS = [
    {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536, "link_type": "loopback"},
    {
        "ifindex": 3,
        "link_index": 2,
        "ifname": "veth1pl42",
        "flags": ["BROADCAST", "UP"],
        "mtu": 1400,
        "master": "br1",
        "group": "28791",
        "link_type": "ether",
        "address": "f2:c3:84:8a:ac:c1",
        "link_netnsid": 0,
        "linkinfo": {"info_kind": "veth", "info_slave_kind": "bridge"},
    },
    {
        "ifindex": 4,
        "ifname": "br1",
        "flags": ["BROADCAST"],
        "mtu": 1500,
        "ifalias": "pipework:1/kind:=bridge",
        "link_type": "ether",
        "linkinfo": {"info_kind": "bridge", "info_data": {"vlan_filtering": 1}},
    },
    {"ifindex": 5, "ifname": "ib0", "flags": [], "mtu": 2044, "link_type": "infiniband", "address": "80:00:02:08"},
    {"ifindex": 6, "link": "eth0", "ifname": "eth0.10", "linkinfo": {"info_kind": "vlan", "info_data": {"id": 10}}},
    {},
]
ADDRESSES = [
    {
        "ifindex": 2,
        "ifname": "eth1",
        "flags": ["UP"],
        "addr_info": [
            {"family": "inet", "local": "10.0.0.1", "prefixlen": 24, "scope": "global"},
            {"family": "inet6", "local": "fd00::1", "prefixlen": 64, "scope": "global", "dynamic": True},
            {"family": "inet6", "local": "fd00::2", "prefixlen": 64, "scope": "global", "tentative": True},
        ],
    }
]
ROUTES = [
    {"type": "unicast", "dst": "default", "gateway": "10.0.0.254", "dev": "eth1", "table": "main", "flags": []},
    {"type": "unicast", "dst": "default", "gateway": "10.0.0.9", "dev": "eth1", "metric": 50, "flags": ["onlink"]},
    {
        "type": "unicast",
        "dst": "default",
        "dev": "eth1",
        "metric": 1024,
        "pref": "medium",
        "gateway": "fe80::1",
        "protocol": "static",
        "metrics": [{"mtu": 1300}],
        "flags": [],
    },
    {"type": "unicast", "dst": "10.0.0.0/24", "dev": "eth1", "protocol": "kernel", "prefsrc": "10.0.0.1", "flags": []},
    {"type": "local", "dst": "10.0.0.1", "dev": "eth1", "table": "local"},
    {"type": "unicast", "dst": "10.7.0.0/16", "dev": "eth1", "table": "7"},
    {
        "type": "unicast",
        "dst": "10.8.0.0/16",
        "nexthops": [
            {"gateway": "10.0.0.2", "dev": "eth1", "weight": 1},
            {"via": {"family": "inet6", "host": "fe80::2"}, "dev": "eth2", "weight": 3},
        ],
        "flags": [],
    },
]


def test_links() -> None:
    links = facts.parse_links(json.dumps(LINKS))
    assert list(links) == ["lo", "veth1pl42", "br1", "ib0", "eth0.10"]
    veth = links["veth1pl42"]
    assert (veth.ifindex, veth.kind, veth.mtu, veth.master, veth.port) == (3, "veth", 1400, "br1", "bridge")
    assert (veth.up, veth.group, veth.peer, veth.peer_elsewhere) == (True, "28791", 2, True)
    assert (links["br1"].up, links["br1"].data["vlan_filtering"]) == (False, 1)
    assert links["br1"].alias == "pipework:1/kind:=bridge"
    assert links["ib0"].layer == "infiniband"
    assert (links["eth0.10"].parent, links["eth0.10"].data["id"]) == ("eth0", 10)


def test_a_guest_is_two_documents_a_line_each() -> None:
    guest = facts.parse_guest(f"{json.dumps(ADDRESSES)}\n{json.dumps(ROUTES)}\n")
    assert guest.links["eth1"].addresses == ("10.0.0.1/24", "fd00::2/64")
    assert [route.dst for route in guest.routes] == ["default", "default", "default", "10.0.0.0/24", "10.8.0.0/16"]


def test_the_default_route_that_a_new_one_would_replace() -> None:
    guest = facts.parse_guest(f"{json.dumps(ADDRESSES)}\n{json.dumps(ROUTES)}\n")
    first, second = guest.default_route(4), guest.default_route(6)
    assert first
    assert second
    assert (first.via, first.words) == ("10.0.0.254", ("via", "10.0.0.254", "dev", "eth1"))
    assert second.words == ("via", "fe80::1", "dev", "eth1", "metric", "1024", "proto", "static", "mtu", "1300")


def test_a_route_is_put_back_in_its_own_words() -> None:
    routes = facts.parse_guest(f"{json.dumps(ADDRESSES)}\n{json.dumps(ROUTES)}\n").routes
    assert routes[1].words == ("via", "10.0.0.9", "dev", "eth1", "metric", "50", "onlink")
    assert routes[3].kernel
    assert routes[4].words == (
        *("nexthop", "via", "10.0.0.2", "dev", "eth1", "weight", "1"),
        *("nexthop", "via", "inet6", "fe80::2", "dev", "eth2", "weight", "3"),
    )


SHOWN = """\
unicast default via 10.0.0.9 dev eth1 table main proto boot scope global metric 50 mtu lock 1200 onlink
unicast default via 10.0.0.254 dev eth1 table 7 proto boot scope global mtu lock 1200
unicast default via 10.0.0.254 dev eth1 table main proto boot scope global mtu lock 1400 advmss 1300 rto_min lock 5ms
unicast default via fe80::1 dev eth1 table main proto static metric 1024 mtu 1300 pref high
"""


def test_locks_and_the_preference_of_a_router_are_kept() -> None:
    routes = json.loads(json.dumps(ROUTES))
    defaults = [route for route in routes if route["dst"] == "default"]
    defaults[0]["metrics"] = [{"mtu": 1400, "advmss": 1300, "rto_min": 5}]
    defaults[2]["pref"] = "high"
    guest = facts.parse_guest(f"{json.dumps(ADDRESSES)}\n{json.dumps(routes)}\n")
    query = facts.locks_query(Netns(path="/run/netns/blue"), guest)
    assert query
    assert "-json" not in query.argv
    guest = facts.with_locks(guest, SHOWN)
    first, second = guest.default_route(4), guest.default_route(6)
    assert first
    assert second
    assert " ".join(first.words) == "via 10.0.0.254 dev eth1 mtu lock 1400 advmss 1300 rto_min 5ms"
    assert " ".join(second.words[-4:]) == "pref high mtu 1300"
    tag = ownership.Tag(kind="bridge", gw4=ownership.route_words(first), gw6=ownership.route_words(second))
    assert ownership.read_tag(Link(name="eth1", ifindex=1, alias=tag.alias)) == tag


def test_no_locks_are_asked_for_where_nothing_could_be_locked() -> None:
    guest = facts.parse_guest(f"[]\n{json.dumps(ROUTES[:1])}\n")
    assert guest.default_route(4)
    assert facts.locks_query(Netns(path="/run/netns/blue"), guest) is None


def test_an_interface_that_is_called_like_a_metric() -> None:
    route = Route(dst="default", family=4, dev="mtu", words=("dev", "mtu", "mtu", "1400"))
    shown = "unicast default dev mtu table main mtu lock 1400"
    guest = facts.with_locks(GuestState(routes=(route,)), shown)
    assert guest.routes[0].words == ("dev", "mtu", "mtu", "lock", "1400")


def test_an_empty_guest_and_an_empty_host() -> None:
    assert facts.parse_guest("") == GuestState()
    assert facts.parse_links("") == {}


def test_what_a_mac_or_an_index_names() -> None:
    host = HostState(links=facts.parse_links(json.dumps(LINKS)))
    assert [link.name for link in host.by_mac("f2:c3:84:8a:ac:c1")] == ["veth1pl42"]
    found = host.by_index(4)
    assert found
    assert found.name == "br1"
    assert host.by_index(99) is None
    assert [link.name for link in host.ports("br1")] == ["veth1pl42"]


@pytest.mark.parametrize("odd", ["\x1b[2J", "\x1c", "\u2028", "\x85", "\x0b\x0c", "\t", "\udcff"])
def test_an_alias_that_iproute2_prints_as_it_is(odd: str) -> None:
    """iproute2 6.1 escapes quotes, backslashes and some controls, and prints everything else raw."""
    answer = f'[{{"ifindex":2,"ifname":"eth1","ifalias":"a{odd}b"}}]\n[]\n'
    assert facts.parse_guest(answer).links["eth1"].alias == f"a{odd}b"


def test_what_cannot_be_read_is_a_sentence() -> None:
    with pytest.raises(HostError, match="cannot be read"):
        facts.parse_links('[{"ifname": ')


@pytest.mark.parametrize(
    ("entry", "special"),
    [
        ({"type": "blackhole", "dst": "default", "flags": []}, "blackhole"),
        ({"type": "unreachable", "dst": "default", "metric": 1024, "pref": "medium", "flags": []}, "unreachable"),
        ({"type": "unicast", "dst": "default", "nhid": 5, "gateway": "10.0.0.1", "dev": "eth0", "flags": []}, "nhid"),
        ({"type": "unicast", "dst": "default", "gateway": "10.0.0.1", "dev": "eth0", "flags": []}, ""),
    ],
)
def test_a_default_route_that_words_cannot_put_back_is_told(entry: dict[str, object], special: str) -> None:
    guest = facts.parse_guest(f"[]\n{json.dumps([entry])}")
    route = guest.default_route(6 if "pref" in entry else 4)
    assert route
    assert route.special == special


def test_a_default_route_of_a_type_of_service_is_not_the_one_that_is_replaced() -> None:
    entry = {"type": "unicast", "dst": "default", "tos": "0x10", "gateway": "10.0.0.1", "dev": "eth0", "flags": []}
    assert facts.parse_guest(f"[]\n{json.dumps([entry])}").default_route(4) is None
