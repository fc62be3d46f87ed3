"""A NIC that carries links of other network namespaces: strangers' would be cut off, ours follow it."""

from __future__ import annotations

import pytest

from pipework_backends.links.phys import Phys
from pipework_core.model.errors import ConflictError
from pipework_core.model.link import Link
from pipework_core.model.ownership import Tag
from pipework_core.testing import make_context, make_facts

ANSWERS = {"home": '[{"ifname": "eth9", "addr_info": []}]\n[]\n', "radio": ""}


def child(name: str, kind: str, alias: str = "") -> Link:
    return Link(name=name, ifindex=3, kind=kind, peer=2, peer_elsewhere=True, alias=alias)


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan", "vlan"])
def test_a_nic_below_links_of_others_in_other_namespaces_stays(kind: str) -> None:
    facts = make_facts(host=[Link(name="eth9", ifindex=2)])
    context = make_context("--direct-phys eth9 web1 10.0.0.1/24", facts=facts, answers=ANSWERS)
    strangers, others = {2: (child("mv0", kind),)}, {7: (child("mv0", kind),)}
    with pytest.raises(ConflictError, match="eth9 carries mv0 of other networks of this host"):
        Phys().plan(context._replace(above=strangers))
    assert not Phys().plan(context._replace(above=others)).warnings


def test_an_attachment_follows_the_nic_and_that_is_said() -> None:
    facts = make_facts(host=[Link(name="eth9", ifindex=2)])
    context = make_context("--direct-phys eth9 web1 10.0.0.1/24", facts=facts, answers=ANSWERS)
    ours = child("eth1", "macvlan", Tag(kind="macvlan", parent="eth9", req="0badc0de").alias)
    (warning,) = Phys().plan(context._replace(above={2: (ours,)})).warnings
    assert warning == "eth9 carries eth1 of other guests, which depend on web1 from now on."


def test_what_a_guest_could_forge_is_said_to_stay() -> None:
    facts = make_facts(host=[Link(name="eth9", ifindex=2, kind="wireguard")])
    context = make_context("--direct-phys eth9 web1 10.0.0.1/24", facts=facts, answers=ANSWERS)
    assert Phys().plan(context).warnings == (
        "eth9 is no hardware (wireguard): detach will not bring it home, since a guest could forge one.",
    )
