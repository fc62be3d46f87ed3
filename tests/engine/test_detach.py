"""Detaching as a plan: which interface, what a mark tells, who inherits a default route, what is left undone."""

from __future__ import annotations

import pytest

from pipework_core.engine import attached, detach
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


def choose(found: GuestState, interface: str, *host_links: Link, everything: bool = False) -> list[str]:
    host = HostState(links={one.name: one for one in host_links})
    found = attached.add_lost_ends(found, GUEST, host)
    return attached.choose_interfaces(found, GUEST, interface, everything=everything, host=host)


def test_the_newest_goes_first() -> None:
    found = guest_state(
        ours("eth1", 3), ours("eth3", 9), link("eth0", 2), link("eth2", 5, group=ownership.PENDING_GROUP)
    )
    assert choose(found, "", everything=True) == ["eth3", "eth2", "eth1"]
    assert choose(found, "eth2", everything=False) == ["eth2"]
    assert choose(guest_state(), "", everything=True) == []
    assert choose(guest_state(ours("eth1", 3)), "", everything=False) == ["eth1"]


def test_which_one_must_be_clear() -> None:
    found = guest_state(ours("eth1", 3), ours("eth3", 9), link("eth0", 2))
    with pytest.raises(UsageError, match="has 2 attachments") as several:
        choose(found, "", everything=False)
    assert several.value.hint == "choose with -i: eth1, eth3; or write --all"
    with pytest.raises(GuestError, match="eth0 of blue is not pipework's"):
        choose(found, "eth0", everything=False)
    assert choose(guest_state(link("eth0", 2)), "eth7") == []


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan", "dummy", "veth"])
def test_the_kind_of_one_without_a_mark(kind: str) -> None:
    born = link("eth1", 3, kind=kind, group=ownership.PENDING_GROUP)
    tag, losses, warnings = attached.read_evidence(born, GUEST, HostState(links={}), PLUGINS)
    assert (tag.kind, losses, warnings) == ("bridge" if kind == "veth" else kind, (), ())


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
    tag = attached.read_evidence(first, GUEST, HostState(links={}), PLUGINS)[0]
    request = detach.make_request(first, tag, GUEST)
    context = Context(
        attachment=request, guest=GUEST, host_state=HostState(links={}), guest_state=found, detaching=True
    )
    backend = PluginManager(warn=pytest.fail, third_parties=False).find_backend("dummy")
    plan, _, then = detach.plan_detach(context, backend, None, tag, keep=False, used_elsewhere=())
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


def end_of(name: str, number: int, peer: int, inode: int = 7, master: str = "br1") -> Link:
    alias = Tag(kind="veth", netns=str(inode)).alias
    return Link(name=name, ifindex=number, kind="veth", peer=peer, peer_elsewhere=True, alias=alias, master=master)


BRIDGE = link("br1", 5, kind="bridge", alias=Tag(kind="bridge").alias)


def inner(name: str, number: int, peer: int, alias: str = "") -> Link:
    return Link(name=name, ifindex=number, kind="veth", peer=peer, peer_elsewhere=True, alias=alias)


@pytest.mark.parametrize("alias", ["", "mine", "pipework:2/kind:=bridge"])
def test_what_lost_its_mark_is_known_by_its_end_on_the_host(alias: str) -> None:
    found, end = guest_state(inner("eth1", 3, 20, alias)), end_of("veth1pl7", 20, 3)
    assert choose(found, "", end) == ["eth1"]
    assert choose(found, "eth1", end, everything=False) == ["eth1"]
    assert choose(found, "", end_of("veth1pl7", 20, 3, inode=8), everything=True) == []


def test_what_was_renamed_is_found_by_the_name_of_its_end() -> None:
    found = guest_state(inner("foo", 3, 20), ours("eth2", 4))
    assert choose(found, "eth1", end_of("veth1pl7", 20, 3)) == ["foo"]
    assert attached.find_interface(found, GUEST, HostState(links={"app": end_of("app", 20, 3)}), "eth1", "app") == "foo"
    assert choose(found, "eth3", end_of("veth1pl7", 20, 3)) == []


def test_what_was_moved_away_goes_by_its_end() -> None:
    end = end_of("veth1pl7", 20, 3)
    assert choose(guest_state(), "", end) == ["veth1pl7"]
    assert choose(guest_state(), "eth1", end) == ["veth1pl7"]
    assert choose(guest_state(link("veth1pl7", 9)), "", end) == ["veth1pl7/host"]
    with pytest.raises(GuestError, match="moved away what app of this host leads to") as moved:
        choose(guest_state(), "eth1", end_of("app", 20, 3))
    assert moved.value.hint == "pipework detach blue --all takes it away"


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "pipework:1/kind:=phys/on:=wg0/nic:=wg0/state:=up",
        "pipework:1/kind:=ovs/on:=ovs0",
        "pipework:1/kind:=nosuch/on:=br2",
        "pipework:1/kind:=bridge/on:=br2/gw4:=reboot",
        "pipework:1/kind:=../on:=br2",
    ],
)
def test_the_host_says_what_a_pair_is_connected_to(alias: str) -> None:
    pair = inner("eth1", 3, 20, alias)
    host = HostState(links={"br1": BRIDGE, "veth1pl7": end_of("veth1pl7", 20, 3)})
    tag, losses, warnings = attached.read_evidence(pair, GUEST, host, PLUGINS)
    assert (tag.kind, tag.parent, tag.gw4) == ("bridge", "br1", "")
    assert losses or warnings


def test_a_loopback_is_no_attachment_whatever_it_says() -> None:
    forged = Link(name="lo", ifindex=1, layer="loopback", alias=Tag(kind="phys", nic="wg0").alias)
    assert choose(GuestState(links={"lo": forged}), "", everything=True) == []


@pytest.mark.parametrize(
    ("alias", "parent", "vlan"),
    [
        (Tag(kind="macvlan", parent="nic0").alias, "nic0", ""),
        (Tag(kind="macvlan", parent="nic9", vlan="10").alias, "nic0", ""),
        (Tag(kind="phys", parent="wg0", nic="wg0", state="up").alias, "nic0", ""),
        (Tag(kind="bridge", parent="br1").alias, "nic0", ""),
        ("pipework:1/kind:=nosuch/on:=br2", "nic0", ""),
    ],
)
def test_a_link_on_a_parent_of_the_host_is_what_it_is_whatever_it_says(alias: str, parent: str, vlan: str) -> None:
    forged = Link(name="eth1", ifindex=3, kind="macvlan", peer=2, peer_elsewhere=True, alias=alias)
    host = HostState(links={"nic0": link("nic0", 2)})
    tag = attached.read_evidence(forged, GUEST, host, PLUGINS)[0]
    assert (tag.kind, tag.parent, tag.vlan, tag.nic) == ("macvlan", parent, vlan, "")


def test_a_link_on_a_vlan_of_the_host_keeps_what_it_says() -> None:
    tag = Tag(kind="ipvlan", parent="nic0", vlan="10")
    forged = Link(name="eth1", ifindex=3, kind="ipvlan", peer=2, peer_elsewhere=True, alias=tag.alias)
    host = HostState(links={"nic0.10": Link(name="nic0.10", ifindex=2, kind="vlan", parent="nic0", data={"id": 10})})
    assert attached.read_evidence(forged, GUEST, host, PLUGINS) == (tag, (), ())


def test_a_kind_that_nobody_knows_stays_unknown_without_a_word_of_the_host() -> None:
    odd = link("odd", 3, kind="bridge", alias="pipework:1/kind:=nosuch/on:=br2")
    assert attached.read_evidence(odd, GUEST, HostState(links={}), PLUGINS)[0].kind == "nosuch"
