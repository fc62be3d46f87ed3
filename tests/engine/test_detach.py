"""Detaching as a plan: which interface, what a mark tells, who inherits a default route, what is left undone."""

from __future__ import annotations

import pytest

from pipework_core.engine import detach
from pipework_core.model import ownership
from pipework_core.model.context import Context, Guest, SharedResource
from pipework_core.model.errors import GuestError, UsageError
from pipework_core.model.link import GuestState, HostState, Link, Route
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Command, Netns
from pipework_core.plugins.manager import PluginManager

GUEST = Guest(name="blue", runtime="netns", netns=Netns(path="/run/netns/blue"), inode=7)

PLUGINS = PluginManager(warn=pytest.fail, third_parties=False)


def through(name: str, family: int = 4) -> str:
    words = ("via", "10.0.0.9" if family == 4 else "fd00::9", "dev", name)
    return ownership.route_words(Route(dst="default", family=family, dev=name, words=words))


def link(name: str, number: int, **fields: str) -> Link:
    return Link(name=name, ifindex=number, **fields)


def ours(name: str, number: int, **fields: str) -> Link:
    return link(name, number, kind="dummy", alias=Tag(kind="dummy", parent="dummy0", **fields).alias)


def guest_state(*links: Link) -> GuestState:
    return GuestState(links={one.name: one for one in (link("lo", 1), *links)})


def test_the_newest_goes_first() -> None:
    found = guest_state(
        ours("eth1", 3), ours("eth3", 9), link("eth0", 2), link("eth2", 5, group=ownership.PENDING_GROUP)
    )
    assert detach.choose_interfaces(found, GUEST, "", everything=True) == ["eth3", "eth2", "eth1"]
    assert detach.choose_interfaces(found, GUEST, "eth2", everything=False) == ["eth2"]
    assert detach.choose_interfaces(guest_state(), GUEST, "", everything=True) == []
    assert detach.choose_interfaces(guest_state(ours("eth1", 3)), GUEST, "", everything=False) == ["eth1"]


def test_which_one_must_be_clear() -> None:
    found = guest_state(ours("eth1", 3), ours("eth3", 9), link("eth0", 2))
    with pytest.raises(UsageError, match="has 2 attachments") as several:
        detach.choose_interfaces(found, GUEST, "", everything=False)
    assert several.value.hint == "choose with -i: eth1, eth3; or write --all"
    with pytest.raises(GuestError, match="eth0 of blue is not pipework's"):
        detach.choose_interfaces(found, GUEST, "eth0", everything=False)
    with pytest.raises(GuestError, match="no interface 'eth7'") as none:
        detach.choose_interfaces(guest_state(link("eth0", 2)), GUEST, "eth7", everything=False)
    assert none.value.hint == "pipework attached nothing to blue"


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan", "dummy", "veth"])
def test_the_kind_of_one_without_a_mark(kind: str) -> None:
    born = link("eth1", 3, kind=kind, group=ownership.PENDING_GROUP)
    assert detach.read_tag_or_kind(born, PLUGINS).kind == ("bridge" if kind == "veth" else kind)


def test_a_request_is_what_the_mark_tells() -> None:
    asked = detach.make_request(ours("eth1", 3), Tag(kind="macvlan", parent="nic0", vlan="10"), GUEST)
    told = (asked.guest, asked.kind, asked.host, asked.interface, asked.vlan, asked.addresses)
    assert told == ("blue", "macvlan", "nic0", "eth1", "10", ())


@pytest.mark.parametrize("family", [4, 6])
def test_who_replaced_our_default_route_inherits_what_we_replaced(family: int) -> None:
    key = f"gw{family}"
    first = ours("eth1", 3, **{key: through("eth0", family)})
    second, third = ours("eth2", 4, **{key: through("eth1", family)}), ours("eth3", 5, **{key: through("eth2", family)})
    now = Route(dst="default", family=family, dev="eth3", metric=0 if family == 4 else 1024, words=("dev", "eth3"))
    found = guest_state(link("eth0", 2), first, second, third)._replace(routes=(now,))
    request = detach.make_request(first, detach.read_tag_or_kind(first, PLUGINS), GUEST)
    context = Context(
        attachment=request, guest=GUEST, host_state=HostState(links={}), guest_state=found, detaching=True
    )
    backend = PluginManager(warn=pytest.fail, third_parties=False).find_backend("dummy")
    plan, _, then = detach.plan_detach(context, backend, None, keep=False, used_elsewhere=())
    heir = Tag(kind="dummy", parent="dummy0", **{key: through("eth0", family)})
    told = plan.steps[0]
    assert told.argv == ("ip", "link", "set", "dev", "eth2", "alias", heir.alias)
    assert told.undo[0].argv[-1] == second.alias
    assert [step.argv[-1] for step in plan.commit] == ["eth1"]
    assert then.guest_state.links["eth2"].alias == heir.alias
    assert then.guest_state.links["eth3"] == third
    assert "eth1" not in then.guest_state.links


def test_what_is_used_elsewhere_keeps_what_is_below_it() -> None:
    stack = [SharedResource(name=name, remove=Command(argv=("true",))) for name in ("nic0.10", "nic0")]
    assert detach.find_unneeded(stack, {"nic0.10"}) == ()
    assert detach.find_unneeded(stack, {"nic0"}) == (stack[0],)
    assert detach.find_unneeded(stack, ()) == tuple(stack)


def test_what_killed_runs_left_is_found_by_its_group() -> None:
    detaching = ownership.group_for(ownership.RAISED | ownership.DETACHING)
    links = [
        link("nic0", 2, group=detaching),
        link("br1", 3, kind="bridge", group=ownership.PENDING_GROUP),
        Link(name="nic0.10", ifindex=4, kind="vlan", parent="nic0", data={"id": 10}, group=ownership.PENDING_GROUP),
        link(
            "nic1",
            5,
            group=ownership.PENDING_GROUP,
            alias=Tag(kind="phys", parent="nic1", nic="nic1", state="up").alias,
        ),
        link("br2", 6, kind="bridge", group=ownership.group_for(ownership.FILTERING | ownership.DETACHING)),
        link("br3", 7, kind="bridge", alias=Tag(kind="bridge").alias),
        link("nic2", 8, group=ownership.group_for(ownership.RAISED)),
        link("veth1", 9, kind="veth", group=ownership.PENDING_GROUP),
        link("tun42", 10, kind="vxlan", group=ownership.PENDING_GROUP, alias=Tag(kind="vxlan", parent="42").alias),
        link(
            "mv1",
            11,
            kind="macvlan",
            group=ownership.PENDING_GROUP,
            alias=Tag(kind="host", parent="nic0", req="0").alias,
        ),
    ]
    found = detach.find_unfinished(HostState(links={one.name: one for one in links}), PLUGINS)
    assert [(asked.kind, asked.host, asked.vlan) for asked, _ in found] == [
        ("macvlan", "nic0", ""),
        ("bridge", "br1", ""),
        ("macvlan", "nic0", "10"),
        ("phys", "nic1", ""),
        ("bridge", "br2", "1"),
        ("vxlan", "42", ""),
    ]
    assert all(not asked.interface for asked, _ in found)
