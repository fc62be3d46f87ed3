"""Everything that `ip -details` shows of addresses and routes moves to a sibling, and comes back the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from . import promises
from .test_host_part import await_no_guard, await_state, details, prepare, silence

if TYPE_CHECKING:
    from .host import PrivateHost

#: The NIC, its network, and another way out of the host.
LINKS = (
    "ip link add eth9 type veth peer name wire netns gw; ip link set eth9 up; ip -n gw link set wire up; "
    "ip -n gw address add 10.1.1.254/24 dev wire; ip -n gw address add 10.1.1.253/24 dev wire; "
    "ip -n gw address add fd01::ff/64 dev wire nodad; "
    "ip link add eth8 type veth peer name other netns gw; ip link set eth8 up; ip -n gw link set other up; "
    "ip address add 10.8.0.1/24 dev eth8; ip address add fd08::1/64 dev eth8 nodad; "
)
ADDRESSES = (
    "10.1.1.123/24 broadcast + dev eth9",
    "10.1.1.124/24 dev eth9 label eth9:1",
    "10.44.0.1/24 dev eth9 metric 55",
    "10.45.0.1/24 dev eth9 noprefixroute",
    "10.46.0.1/24 dev eth9 preferred_lft 0",
    "10.47.0.1 peer 10.47.0.2/32 dev eth9",
    "fd01::1/64 dev eth9 nodad",
    "fd02::1/64 dev eth9 nodad metric 77",
    "fd03::1/64 dev eth9 nodad preferred_lft 0",
    "fd04::1/64 dev eth9 nodad noprefixroute",
    "fd05::1/128 dev eth9 nodad",
)
ROUTES = (
    "default via 10.1.1.254 metric 100 proto static src 10.1.1.123 mtu lock 1400",
    "default via 10.1.1.253 metric 200",
    "10.20.0.0/16 via 10.1.1.254 mtu lock 1300 advmss lock 1200 window 60000 initcwnd 20 quickack 1 hoplimit lock 9",
    "10.21.0.0/16 via 10.1.1.254 rto_min 50ms rtt 100ms features ecn congctl lock cubic",
    "10.22.0.0/16 dev eth9 scope global",
    "10.23.0.0/16 via 10.99.0.1 dev eth9 onlink",
    "10.24.0.0/16 nexthop via 10.1.1.254 dev eth9 weight 3 nexthop via 10.8.0.254 dev eth8 weight 2",
    "10.25.0.0/16 nexthop via 10.99.1.1 dev eth9 onlink weight 3 nexthop via 10.1.1.252 dev eth9 weight 2",
    "10.26.0.0/16 tos 0x10 via 10.1.1.254",
    "10.26.0.0/16 via 10.1.1.253",
    "10.27.0.0/16 via inet6 fe80::9 dev eth9",
    "blackhole 10.28.0.0/16",
    "local 10.29.0.0/16 dev eth9 table 100",
    "10.30.0.0/16 via 10.1.1.254 table 100 metric 0",
    "10.31.0.0/16 dev eth9 proto 77 realm 5",
    "10.32.0.0/16 via 10.1.1.254 proto kernel",
    "multicast 239.0.0.0/8 dev eth9",
    "10.35.0.0/16 dev eth9 mtu 1400 fastopen_no_cookie 1",
    "10.36.0.0/16 dev eth8",
    "default via fd01::ff proto static pref high",
    "fd20::/64 via fd01::ff expires 500",
    "fd21::/64 via fd01::ff metric 5 mtu lock 1300 hoplimit 9 pref low",
    "fd22::/64 nexthop via fd01::ff dev eth9 weight 2 nexthop via fd08::ff dev eth8",
    "fd23::/64 from fd55::/64 via fd01::ff",
    "fd24::/64 via fd99::1 dev eth9 onlink",
    "unreachable fd26::/64",
    "fd27::/64 dev eth9 src fd01::1",
    "local fd28::/64 dev eth9 table 100",
    "fd29::/64 via fd01::ff dev eth9 table 100",
)
RULES = "ip rule add from 10.1.1.123 table 100; ip -6 rule add from fd01::1 table 100; "
NIC = (
    LINKS
    + "".join(f"ip address add {words}; " for words in ADDRESSES)
    + "".join(f"ip {'-6' if '::' in words and 'inet6' not in words else '-4'} route add {words}; " for words in ROUTES)
    + RULES
)
ARGV = ("host", "eth9", "10.1.1.123/24@10.1.1.254,fd01::1/64")


def shown(host: PrivateHost) -> list[str]:
    """Return all that was set, as people see it; how long something lives yet is left out."""
    said = host.run("ip", "-details", "route", "show", "table", "all").stdout.replace("\n\t", " ")
    lines = [line for line in said.splitlines() if "proto kernel" not in line or "via" in line]
    rules = host.run("sh", "-c", "ip rule; ip -6 rule").stdout.splitlines()
    return sorted(re.sub(r"expires \d+sec", "expires", line) for line in lines) + rules


def on_the_nic(host: PrivateHost) -> list[str]:
    return sorted(line.replace("eth9-host", "eth9") for line in shown(host))


def test_every_form_moves_and_comes_back(host: PrivateHost) -> None:
    before = prepare(host, NIC)
    routes, had = shown(host), details(host, "eth9")
    assert sum("dev eth9" in line for line in routes) == 26
    assert host.pipework(*ARGV).stderr == ""
    assert on_the_nic(host) == sorted(routes)
    assert sum("dev eth9-host" in line for line in shown(host)) == 26
    assert not any("dev eth9 " in line for line in shown(host))
    moved = str(details(host, "eth9-host")).replace("eth9-host", "eth9")
    assert moved == str(had)
    host.pipework("host", "--remove", "eth9")
    assert shown(host) == routes
    assert details(host, "eth9") == had
    assert host.state(["gw"]) == before
    await_no_guard(host)


def test_every_form_comes_back_from_a_gateway_that_does_not_answer(host: PrivateHost) -> None:
    prepare(host, NIC)
    silence(host)
    before, routes, had = host.state(["gw"]), shown(host), details(host, "eth9")
    failed = host.pipework(*ARGV, "--confirm-within", "1", check=False)
    assert failed.returncode == 1
    assert "did not answer" in failed.stderr
    assert shown(host) == routes
    assert details(host, "eth9") == had
    assert host.state(["gw"]) == before
    await_no_guard(host)


def test_every_form_comes_back_from_a_failure_or_interruption(host: PrivateHost) -> None:
    prepare(host, NIC)
    routes, had = shown(host), details(host, "eth9")
    promises.undoes_everything(host, ["gw"], *ARGV, modes=("interrupt",), look_each_time=False)
    assert shown(host) == routes
    assert details(host, "eth9") == had
    await_no_guard(host)


@pytest.mark.parametrize("steps", [25, 45])
def test_every_form_comes_back_by_the_guard(host: PrivateHost, steps: int) -> None:
    """Half of the routes are moved when pipework is killed, or half of the addresses are taken."""
    prepare(host, NIC)
    before, routes, had = host.state(["gw"]), shown(host), details(host, "eth9")
    assert promises.sabotage(host, "kill", steps, *ARGV, "--confirm-within", "1").code == -9
    assert shown(host) != routes
    await_state(host, before)
    await_no_guard(host)
    assert shown(host) == routes
    assert details(host, "eth9") == had


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("ip nexthop add id 7 via 10.1.1.254 dev eth9; ip route add 10.20.0.0/16 nhid 7", "10.20.0.0/16"),
        ("ip route add 10.20.0.0/16 encap ip id 5 dst 10.1.1.9 via 10.1.1.254", "encap"),
        ("ip route add 10.20.0.0/16 dev eth8; ip route append 10.20.0.0/16 dev eth9", "another one to there"),
        ("ip route add 10.20.0.0/16 dev eth9; ip route append 10.20.0.0/16 dev eth8", "another one to there"),
        ("ip -6 route add fd20::/64 dev eth8; ip -6 route append fd20::/64 dev eth9", "another one to there"),
        ("ip address add fd06::1/64 dev eth9 nodad valid_lft 900 preferred_lft 900", "fd06::1/64 from DHCP"),
    ],
)
def test_what_cannot_move_is_named_and_nothing_changes(host: PrivateHost, script: str, said: str) -> None:
    prepare(host, LINKS + "ip address add 10.1.1.123/24 dev eth9")
    host.run("sh", "-ec", script)
    before, routes = host.state(["gw"]), shown(host)
    refused = host.pipework("host", "eth9", "10.1.1.123/24", check=False)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "hint:" in refused.stderr
    assert (host.state(["gw"]), shown(host)) == (before, routes)


def test_names_like_words_of_a_route(host: PrivateHost) -> None:
    host.netns("gw")
    for name in ("dead", "metric"):
        host.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"w-{name}", "netns", "gw")
        host.run("ip", "link", "set", "dev", name, "up")
        host.run("ip", "-n", "gw", "link", "set", "dev", f"w-{name}", "up")
    host.run("ip", "address", "add", "10.1.1.123/24", "dev", "metric")
    host.run("ip", "route", "add", "10.20.0.0/16", "dev", "metric", "metric", "7")
    host.run("ip", "route", "add", "10.21.0.0/16", "dev", "dead", "mtu", "lock", "1400")
    before, routes = host.state(["gw"]), shown(host)
    for name, address in (("metric", "10.1.1.123/24"), ("dead", "10.2.2.1/24")):
        host.pipework("host", name, address)
        assert sum(f"dev {name}-host" in line for line in shown(host)) == 1
    for name in ("dead", "metric"):
        host.pipework("host", "--remove", name)
    assert shown(host) == routes
    assert host.state(["gw"]) == before


def test_what_stays_on_the_nic_is_said(host: PrivateHost) -> None:
    prepare(host, LINKS + "ip address add 10.1.1.123/24 dev eth9; ip rule add iif eth9 table 100")
    host.run("ip", "address", "add", "fd06::1/64", "dev", "eth9", "nodad", "mngtmpaddr", "preferred_lft", "0")
    said = host.pipework("host", "eth9", "10.1.1.123/24").stderr
    assert "eth9 keeps fd06::1/64" in said
    assert "rules for eth9" in said
    assert "fd06::1/64" in host.run("ip", "address", "show", "dev", "eth9").stdout
    assert "warning" not in host.pipework("host", "--remove", "eth9").stderr


def test_routes_by_a_gateway_that_nothing_leads_to_hold_nothing_up(host: PrivateHost) -> None:
    """The kernel keeps IPv6 routes when the address goes that led to their gateway, and would not take them again."""
    addresses = "ip address add 10.1.1.123/24 dev eth9; ip address add fd01::1/64 dev eth9 nodad"
    prepare(host, f"{LINKS}{addresses}; ip -6 route add fd55::/32 via fd01::9; ip address delete fd01::1/64 dev eth9")
    routes, stale = shown(host), "the route to fd55::/32 by fd01::9 through eth9"
    assert f"{stale} stays there" in host.pipework("host", "eth9", "10.1.1.123/24").stderr
    host.pipework("host", "--remove", "eth9")
    assert shown(host) == routes
    host.run("sh", "-ec", "ip address add fd01::1/64 dev eth9 nodad")
    host.pipework("host", "eth9", "10.1.1.123/24")
    host.run("ip", "address", "delete", "fd01::1/64", "dev", "eth9-host")
    assert f"{stale}-host goes with it" in host.pipework("host", "--remove", "eth9").stderr
    assert shown(host) == [line for line in routes if "fd55::/32" not in line]
