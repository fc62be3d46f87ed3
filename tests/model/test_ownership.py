"""The mark: what an alias says is what was written, whatever the names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.model import names, ownership
from pipework_core.model.errors import UsageError
from pipework_core.model.link import Link, Route


def is_name(text: str) -> bool:
    try:
        names.interface_name(text)
    except UsageError:
        return False
    return True


interface_names = st.text(min_size=1, max_size=15).filter(is_name)
addresses = st.sampled_from(["10.0.0.1", "fd00::", "fe80::1", "2001:db8::ff"])


@given(nic=interface_names, on=interface_names, dev=interface_names, via=addresses)
def test_a_mark_is_read_as_it_was_written(nic: str, on: str, dev: str, via: str) -> None:
    route = Route(dst="default", family=6, dev=dev, words=("via", via, "dev", dev))
    tag = ownership.Tag(kind="phys", parent=on, nic=nic, req="0badcafe", gw6=ownership.route_words(route))
    link = Link(name="eth1", ifindex=2, alias=tag.alias)
    found = ownership.read_tag(link)
    assert found == tag
    assert ownership.route_from(found.gw6) == route.words


def test_an_alias_of_somebody_else_is_no_mark() -> None:
    for alias in ("", "uplink to rack 4", "pipework", "pipework:2/kind:=bridge", "not pipework:1/kind:=bridge"):
        assert ownership.read_tag(Link(name="eth1", ifindex=2, alias=alias)) is None


def test_a_field_of_a_later_version_is_passed_over() -> None:
    tag = ownership.read_tag(Link(name="eth1", ifindex=2, alias="pipework:1/kind:=bridge/colour:=blue/on:=br1"))
    assert tag == ownership.Tag(kind="bridge", parent="br1")


def test_a_logical_switch_may_have_a_longer_name_than_an_interface() -> None:
    tag = ownership.Tag(kind="ovn", parent="neutron-7d0c5ec2-4ea9-4d3c-8dbe-2f1d0ff0a2f1", req="0badcafe")
    assert ownership.read_tag(Link(name="eth1", ifindex=2, alias=tag.alias)) == tag
    assert ownership.read_tag(Link(name="eth1", ifindex=2, alias=tag._replace(nic="n" * 16).alias)) is None


def test_what_does_not_fit_into_an_alias_is_refused() -> None:
    with pytest.raises(UsageError, match="holds 255"):
        _ = ownership.Tag(kind="bridge", gw4="x" * 250).alias


def test_a_link_is_newborn_until_it_leaves_our_group() -> None:
    assert ownership.is_pending(Link(name="eth1", ifindex=2, group=ownership.PENDING_GROUP))
    assert ownership.is_pending(
        Link(name="eth1", ifindex=2, group=ownership.PENDING_GROUP, alias="pipework:1/kind:=phys")
    )
    assert not ownership.is_pending(Link(name="eth1", ifindex=2, group=ownership.PENDING_GROUP, alias="somebody's"))
    assert not ownership.is_pending(Link(name="eth1", ifindex=2, alias="pipework:1/kind:=bridge"))
    assert not ownership.is_pending(Link(name="eth1", ifindex=2))


@pytest.mark.parametrize(
    "fields",
    [
        "kind:=../x",
        "kind:=\x1b[2J",
        "kind:=bridge/on:=-x",
        "kind:=bridge/on:=a b",
        "kind:=phys/nic:=evil name",
        "kind:=phys/state:=sideways",
        "kind:=phys/mtu:=x",
        "kind:=phys/mac:=; reboot",
        "kind:=phys/phy:=..",
        "kind:=bridge/req:=$(x)",
        "kind:=bridge/gw4:=via:,10.0.0.1:,dev:,dm:,encap:,bpf:,in:,obj:,x",
        "kind:=bridge/gw4:=a:,dev",
        "kind:=bridge/gw4:=via",
        "kind:=bridge/gw4:=dev:,-x",
        "kind:=bridge/gw6:=via:,fe80--1:,dev:,eth0",
        "kind:=bridge/gw6:=table:,7:,dev:,eth0",
    ],
)
def test_a_mark_that_we_could_not_have_written_is_none(fields: str) -> None:
    """The root of a guest can write any alias; none of this may become a word of a command on the host."""
    assert ownership.read_tag(Link(name="eth1", ifindex=2, alias=f"pipework:1/{fields}")) is None


@pytest.mark.parametrize("bits", range(1, 8))
def test_what_was_changed_on_a_link_is_read_from_its_group(bits: int) -> None:
    group = ownership.group_for(bits)
    assert ownership.read_changes(Link(name="nic0", ifindex=2, group=group)) == bits
    assert group != ownership.PENDING_GROUP
    assert not ownership.is_pending(Link(name="nic0", ifindex=2, group=group))


@pytest.mark.parametrize("group", ["default", "0", "28790", ownership.PENDING_GROUP, "28799", "uplinks"])
def test_no_other_group_tells_of_a_change(group: str) -> None:
    assert ownership.read_changes(Link(name="nic0", ifindex=2, group=group)) == 0
    assert ownership.group_for(0) == "default"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ("on:=-x", ("on",)),
        ("mtu:=99999999999", ("mtu",)),
        ("mac:=::::", ("mac",)),
        ("vlan:=0x123456789", ("vlan",)),
        ("state:=sideways/gw4:=via", ("gw4", "state")),
        ("dhcp:=-", ("dhcp",)),
    ],
)
def test_what_makes_sense_of_a_mark_is_left_for_detaching(fields: str, wrong: tuple[str, ...]) -> None:
    link = Link(name="eth1", ifindex=2, alias=f"pipework:1/kind:=bridge/{fields}")
    assert ownership.read_tag(link) is None
    assert ownership.salvage_tag(link) == (ownership.Tag(kind="bridge"), wrong)
    no_kind = Link(name="eth1", ifindex=2, alias=f"pipework:1/kind:=../{fields}")
    assert ownership.salvage_tag(no_kind) == (None, ("kind", *wrong))
