"""Links of one file that contradict each other are refused, with the lines of both."""

from __future__ import annotations

import pytest

from pipework_core import topology
from pipework_core.model.errors import UsageError
from pipework_core.topology.conflicts import refuse_conflicts


def check(*links: str, hosts: str = "") -> None:
    text = f"version: 1\nlinks:\n{''.join(f'  - {link}{chr(10)}' for link in links)}{hosts}"
    found = topology.parse_topology(text, "f.yaml")
    guests = {name: ["web1", "web2"] for name in ("", *(machine.name for machine in found.machines))}
    refuse_conflicts(topology.expand_machines(found, guests), found.hosts)


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (("br1 a 10.0.0.1/24", "br1 b 10.0.0.1/24"), "4:5: on br1, a eth1 has 10.0.0.1 in line 3 already."),
        (("br1 a 10.0.0.1/24", "bridge:br1 b 10.0.0.1/16"), "4:5: on br1, a eth1 has 10.0.0.1"),
        (("br1 a fd00::1/64", '"br1 b dhclient,fd00:0::1/64"'), "4:5: on br1, a eth1 has fd00::1"),
        (("'eth9 a 10.0.0.1/24 @10'", "'ipvlan:eth9 b 10.0.0.1/24 @10'"), "4:5: on eth9 @10, a eth1 has 10.0.0.1"),
        (("br1 a 10.0.0.1/24@10.0.0.9", "br2 -i eth2 a 10.2.0.1/24@10.2.0.9"), "IPv4 through eth1 of line 3, and eth2"),
        (("br1 a fd00::1/64@fd00::9", "br2 -i eth2 a fd02::1/64@fd02::9"), "its default route of IPv6"),
        (("br1 a 10.0.0.1/24@10.0.0.9", "br2 -i eth2 a dhclient -o metric=0"), "its default route of IPv4"),
        (("br1 a 10.0.0.1/24@10.0.0.9", "br2 -i eth2 netns:a 10.2.0.1/24@10.2.0.9"), "netns:a has its default route"),
        (("br1 web1 10.0.0.1/24@10.0.0.9", "br2 -i eth2 web* 10.2.0.0/24@10.2.0.9"), "web1 has its default route"),
    ],
)
def test_what_contradicts_itself_is_refused(links: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        check(*links)
    assert said in str(raised.value)
    assert str(raised.value).startswith("f.yaml:4:5: ")
    assert raised.value.hint


def test_an_address_of_the_host_is_taken() -> None:
    with pytest.raises(UsageError, match=r"3:5: on br1, the host has 10\.0\.0\.1 in line 5 already\."):
        check("br1 a 10.0.0.1/24", hosts="host:\n  - br1 10.0.0.1/24\n")


@pytest.mark.parametrize(
    "links",
    [
        ("br1 a 10.0.0.1/24", "br2 b 10.0.0.1/24"),
        ("'br1 a 10.0.0.1/24 @10'", "'br1 b 10.0.0.1/24 @20'"),
        ("dummy:x a 10.0.0.1/32", "dummy:x b 10.0.0.1/32"),
        ("dummy0 a 10.0.0.1/32", "dummy0 b 10.0.0.1/32"),
        ("br1 a 10.0.0.1/24@10.0.0.9", "br1 b 10.0.0.2/24@10.0.0.9"),
        ("br1 lxc:a 10.0.0.1/24@10.0.0.9", "br1 netns:a 10.0.0.2/24@10.0.0.9"),
        ("br1 a 10.0.0.1/24@10.0.0.9", "br2 -i eth2 a fd00::1/64@fd00::9"),
        ("br1 a 10.0.0.1/24@10.0.0.9", "br2 -i eth2 a dhclient"),
    ],
)
def test_what_goes_together_is_taken(links: tuple[str, ...]) -> None:
    check(*links)


def test_both_kinds_are_told_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        check("br1 a 10.0.0.1/24@10.0.0.9", "br1 b 10.0.0.1/24", "br2 -i eth2 a 10.2.0.1/24@10.2.0.9")
    assert len(str(raised.value).splitlines()) == 2


MACHINES = "machines: {h1: ssh://h1, h2: ssh://h2}\n"


@pytest.mark.parametrize(
    ("links", "said"),
    [
        (("h1: ovn:blue a 10.0.0.1/24", "h2: ovn:blue b 10.0.0.1/24"), "on ovn:blue, h1/a eth1 has 10.0.0.1 in line 3"),
        (("h1: vxlan:4 a 10.0.0.1/24", "h2: vxlan:4 a 10.0.0.1/24"), "on vxlan:4, h1/a eth1 has 10.0.0.1 in line 3"),
        (("h1: ovn:blue a 0/0 U:x", "h2: ovn:blue b 0/0 U:x"), "on ovn:blue, h1/a eth1 has the MAC address"),
        (("h1: br1 a 10.0.0.1/24", "h1: br1 b 10.0.0.1/24"), "on br1 of h1, h1/a eth1 has 10.0.0.1 in line 3"),
        (("h1: br1 a 10.0.0.1/24@10.0.0.9", "h1: br2 -i eth2 a 10.2.0.1/24@10.2.0.9"), "h1/a has its default route"),
    ],
)
def test_machines_are_one_network_where_their_kind_spans_them(links: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        check(*links, hosts=MACHINES)
    assert said in str(raised.value)
    assert str(raised.value).startswith("f.yaml:4:5: ")


def test_one_entry_on_two_machines_may_contradict_itself() -> None:
    with pytest.raises(UsageError, match=r"3:5: on ovn:blue, h1/a eth1 has 10\.0\.0\.1 in line 3 already"):
        check("{on: [h1, h2], guest: a, host: 'ovn:blue', address: 10.0.0.1/24}", hosts=MACHINES)


def test_a_mac_twice_on_a_bridge_is_refused() -> None:
    with pytest.raises(UsageError, match="on br1, a eth1 has the MAC address 02:00:00:00:00:01 in line 3") as raised:
        check("br1 a 0/0 02:00:00:00:00:01", "br1 b 0/0 02:00:00:00:00:01")
    assert raised.value.hint == "give one of the two another MAC address"


@pytest.mark.parametrize(
    "links",
    [
        ("h1: br1 a 10.0.0.1/24", "h2: br1 b 10.0.0.1/24"),
        ("h1: br1 a 0/0 U:x", "h2: br1 b 0/0 U:x"),
        ("h1: ovn:blue a 10.0.0.1/24", "h2: ovn:red b 10.0.0.1/24"),
        ("h1: vxlan:4 a 10.0.0.1/24", "h2: ovn:4 b 10.0.0.1/24"),
        ("h1: br1 a 10.0.0.1/24@10.0.0.9", "h2: br2 -i eth2 a 10.2.0.1/24@10.2.0.9"),
        ("{on: [h1, h2], guest: a, host: br1, address: 10.0.0.1/24, host-interface: x1}",),
    ],
)
def test_what_machines_may_have_each(links: tuple[str, ...]) -> None:
    check(*links, hosts=MACHINES + "host: [{h1: br1 10.0.0.9/24}, {h2: br1 10.0.0.9/24}]\n")


def test_the_host_s_address_counts_on_its_own_machine() -> None:
    check("h1: br1 a 10.0.0.9/24", hosts=MACHINES + "host:\n  - h2: br1 10.0.0.9/24\n")
    with pytest.raises(UsageError, match=r"3:5: on br1 of h1, the host has 10\.0\.0\.9 in line 6"):
        check("h1: br1 a 10.0.0.9/24", hosts=MACHINES + "host:\n  - h1: br1 10.0.0.9/24\n")
