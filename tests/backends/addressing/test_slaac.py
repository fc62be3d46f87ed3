"""Addresses from router advertisements, as plans. What comes of them is proven in the lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_backends.addressing.slaac import Slaac
from pipework_core.cli import parser
from pipework_core.model.context import Context, Guest
from pipework_core.model.link import GuestState, HostState, Link
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Netns, Outcome

if TYPE_CHECKING:
    from pipework_core.model.plan import Plan

GUEST = Guest(name="web1", runtime="docker", netns=Netns(path="/proc/42/ns/net"), pid=42, inode=7)
MARK = Tag(kind="bridge", parent="br1")
LINK = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias)
ADDRESS = {"family": "inet6", "local": "fd00::5", "prefixlen": 64, "dynamic": True, "mngtmpaddr": True}


def planned(*, answer: Outcome, existing: Link | None = LINK, line: str = "br1 web1 auto --timeout 12") -> Plan:
    attachment = parser.parse(line.split()).request
    assert attachment
    attachment = attachment._replace(interface="eth1")
    (key,) = Slaac().queries(attachment, GUEST)
    context = Context(
        attachment=attachment, guest=GUEST, host_state=HostState(links={}), guest_state=GuestState(), existing=existing
    )
    return Slaac().plan(context._replace(answers={key: answer}), MARK)


def brought(*addresses: dict[str, object]) -> Outcome:
    return Outcome(code=0, stdout=json.dumps([{"ifname": "eth1", "addr_info": list(addresses)}]))


def test_an_advertisement_is_waited_for_patiently() -> None:
    (step,) = planned(answer=Outcome(code=1), existing=None).steps
    assert step.argv[0] == "sh"
    assert step.argv[1].endswith("/settle.sh")
    assert step.argv[2:] == ("12", "eth1", "advertised")
    assert (step.timeout, step.netns) == (12, GUEST.netns)


def test_an_address_that_is_there_needs_nothing() -> None:
    plan = planned(answer=brought(ADDRESS))
    assert plan.steps == ()
    assert plan.notes == ("eth1 has fd00::5/64 from a router advertisement",)


def test_an_address_that_is_not_settled_or_not_there_is_waited_for() -> None:
    """iproute2 prints an empty object for an interface without such an address."""
    for answer in (brought(ADDRESS | {"tentative": True}), brought(), Outcome(code=0, stdout="[{}]")):
        assert len(planned(answer=answer).steps) == 1


def test_the_address_of_an_interface_that_is_replaced_does_not_count() -> None:
    assert len(planned(answer=brought(ADDRESS), existing=None).steps) == 1
