"""Static addressing: what is told to whom. What it does to a guest is proven in the lab."""

from __future__ import annotations

import pytest

from pipework_backends.static import Static
from pipework_core import arguments
from pipework_core.contract import Guest, Scene
from pipework_core.facts import GuestFacts, HostFacts, Link
from pipework_core.marks import Mark
from pipework_core.plan import Netns, Plan

NETNS = Netns(path="/proc/42/ns/net")


def planned(line: str, *, ipv6_off: bool = False, existing: Link | None = None) -> Plan:
    attachment = arguments.parse(line.split()).attachment
    assert attachment
    scene = Scene(
        attachment=attachment._replace(interface="eth1"),
        guest=Guest(name="web1", runtime="docker", netns=NETNS, pid=42, inode=7),
        host=HostFacts(links={}),
        inside=GuestFacts(ipv6_off=ipv6_off),
        existing=existing,
    )
    return Static().plan(scene, Mark(kind="bridge", on="br1"))


def told(plan: Plan) -> list[str]:
    return [" ".join(command.argv) for command in plan.announce]


def test_every_ipv4_address_is_announced_and_nobody_waits() -> None:
    plan = planned("br1 web1 10.0.0.1/24,10.0.1.1/24,fd00::1/64")
    assert told(plan) == ["arping -q -U -c 3 -I eth1 10.0.0.1", "arping -q -U -c 3 -I eth1 10.0.1.1"]
    assert not any("arping" in command.argv for command in plan.steps)


def test_nothing_is_announced_on_infiniband_or_without_an_address() -> None:
    assert told(planned("ipoib:ib0 web1 10.0.0.1/24")) == []
    assert told(planned("br1 web1 0/0")) == []


def test_nothing_is_announced_when_nothing_was_done() -> None:
    mark = Mark(kind="bridge", on="br1")
    link = Link(name="eth1", ifindex=2, up=True, alias=mark.alias, addresses=("10.0.0.1/24",))
    plan = planned("br1 web1 10.0.0.1/24", existing=link)
    assert (plan.steps, plan.announce) == ((), ())
    assert plan.notes == ("eth1 of web1 is up, with all that was asked for",)


@pytest.mark.parametrize(
    ("line", "off", "turned_on"),
    [
        ("br1 web1 fd00::1/64", True, True),
        ("br1 web1 fd00::1/64", False, False),
        ("br1 web1 10.0.0.1/24", True, False),
    ],
)
def test_ipv6_is_turned_on_where_it_is_needed_and_off(line: str, *, off: bool, turned_on: bool) -> None:
    files = [command.argv[1] for command in planned(line, ipv6_off=off).steps if command.argv[0] == "tee"]
    assert files == (["/proc/sys/net/ipv6/conf/eth1/disable_ipv6"] if turned_on else [])


def test_no_broadcast_address_where_there_is_none() -> None:
    """RFC 3021: a network of two addresses has no broadcast."""
    added = [
        command for command in planned("br1 web1 10.0.0.0/31,10.1.0.1/24,10.2.0.1/32").steps if "add" in command.argv
    ]
    assert ["broadcast" in command.argv for command in added] == [False, True, False]
