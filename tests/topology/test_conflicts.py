"""Links of one file that contradict each other are refused, with the lines of both."""

from __future__ import annotations

import pytest

from pipework_core import topology
from pipework_core.model.errors import UsageError
from pipework_core.topology.conflicts import refuse_conflicts


def check(*links: str, hosts: str = "") -> None:
    text = f"version: 1\nlinks:\n{''.join(f'  - {link}{chr(10)}' for link in links)}{hosts}"
    found = topology.parse_topology(text, "f.yaml")
    refuse_conflicts(topology.expand_topology(found, ["web1", "web2"]), found.hosts)


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
