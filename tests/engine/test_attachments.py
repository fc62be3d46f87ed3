"""What `ls` makes of what it reads: who is believed, what is adopted, and how it is shown."""

from __future__ import annotations

import json

import pytest

from pipework_backends.addressing.dhcp_clients import Kept
from pipework_core.engine import attachments, report_json
from pipework_core.engine.guests import GuestDirectory
from pipework_core.model.context import Guest
from pipework_core.model.link import GuestState, HostState, Link
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import Command, Netns, Outcome
from pipework_core.model.snapshot import Client, Namespace, Snapshot, SwitchPort
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.manager import PluginManager
from pipework_core.state import namespaces
from pipework_core.testing.fake import FakeDriver

BLUE, RED = 100, 200
MARKED = Tag(kind="bridge", parent="br1", vlan="10", req="0badc0de").alias


class Vxlan(LinkBackend):
    kind = "vxlan"
    link_kind = "veth"


BACKENDS = [*PluginManager(warn=pytest.fail, third_parties=False).list_backends(), Vxlan()]


def list_attachments(seen: Snapshot) -> list[attachments.AttachmentStatus]:
    return attachments.list_attachments(seen, BACKENDS)


def end(inode: int = BLUE, **changes: object) -> Link:
    """Return the host's end of a pair of ours."""
    usual = Link(
        name="veth1pl42", ifindex=7, kind="veth", up=True, master="br1", peer=2, peer_elsewhere=True,
        alias=Tag(kind="veth", netns=str(inode)).alias,
    )  # fmt: skip
    return usual._replace(**changes)


def eth1(**changes: object) -> Link:
    """Return the guest's end."""
    usual = Link(
        name="eth1", ifindex=2, kind="veth", up=True, mac="02:00:00:00:00:01", peer=7, peer_elsewhere=True,
        alias=MARKED, addresses=("10.0.0.1/24", "fe80::1/64"),
    )  # fmt: skip
    return usual._replace(**changes)


def snapshot(host: list[Link], *guest_state: Link, **more: object) -> Snapshot:
    return Snapshot(
        host_state=HostState(links={link.name: link for link in host}),
        spaces={inode: Namespace(inode=inode, netns=Netns(path=f"/proc/{inode}/ns/net")) for inode in (BLUE, RED)},
        guest_states={BLUE: GuestState(links={link.name: link for link in guest_state}), RED: GuestState()},
        by_index={link.ifindex: link for link in host},
        **more,
    )


def test_a_pair_whose_ends_bear_each_other_out() -> None:
    (entry,) = list_attachments(snapshot([end()], eth1()))
    assert entry.kind == "bridge"
    assert (entry.parent, entry.vlan, entry.host_end, entry.inode) == ("br1", "10", "veth1pl42", BLUE)
    assert (entry.state, entry.addresses, entry.adopted) == ("up", ("10.0.0.1/24",), False)


@pytest.mark.parametrize(("off", "state"), [(False, "up"), (True, "down")])
def test_a_port_that_a_kind_knows_more_of_is_of_that_kind_and_as_it_says(off: bool, state: str) -> None:  # noqa: FBT001 - a parameter of the test
    port = SwitchPort("veth1pl42", "blue", ours=True, kind="ovn", off=off)
    for alias in (
        Tag(kind="ovn", parent="blue", req="0badc0de").alias,
        Tag(kind="ovs", parent="br-int", req="0").alias,
    ):
        (entry,) = list_attachments(snapshot([end(master="")], eth1(alias=alias), ports={port.name: port}))
        assert (entry.kind, entry.parent, entry.state) == ("ovn", "blue", state)


def test_a_mark_of_a_logical_switch_on_a_port_of_a_bridge_is_forged() -> None:
    forged = eth1(alias=Tag(kind="ovn", parent="blue", req="0badc0de").alias)
    (entry,) = list_attachments(snapshot([end()], forged))
    assert (entry.kind, entry.parent) == ("bridge", "br1")


def test_a_third_party_s_pair_is_its_own_kind_and_what_it_made_for_all_is_no_attachment() -> None:
    shared = Tag(kind="vxlan", parent="42").alias
    bridge = Link(name="pwx42", ifindex=5, kind="bridge", up=True, alias=shared)
    tunnel = Link(name="pwx42t", ifindex=6, kind="vxlan", up=True, master="pwx42", alias=shared)
    guest = eth1(alias=Tag(kind="vxlan", parent="42", req="0badc0de").alias)
    (entry,) = list_attachments(snapshot([bridge, tunnel, end(master="pwx42")], guest))
    assert (entry.kind, entry.parent, entry.host_end, entry.state) == ("vxlan", "42", "veth1pl42", "up")


def test_a_tag_without_a_request_is_forged_and_shown() -> None:
    forged = eth1(alias=Tag(kind="bridge", parent="br1", vlan="99").alias, peer=8)
    assert [entry.state for entry in list_attachments(snapshot([], forged))] == ["elsewhere"]


@pytest.mark.parametrize(
    ("host", "guest"),
    [
        pytest.param(end(inode=RED), eth1(), id="the end of another guest"),
        pytest.param(end(peer=3), eth1(), id="an end that names another interface"),
        pytest.param(end(alias=""), eth1(), id="an end without a mark"),
        pytest.param(
            end(alias="pipework:1/kind:=veth/netns:=$(x)"), eth1(), id="a mark that nobody could have written"
        ),
        pytest.param(end(kind="bridge"), eth1(), id="no end of a pair"),
        pytest.param(end(), eth1(peer_elsewhere=False), id="a pair within the guest"),
        pytest.param(end(), eth1(kind="dummy"), id="no veth at all"),
        pytest.param(end(), eth1(alias=Tag(kind="macvlan", parent="br1", req="0").alias), id="another kind than it is"),
    ],
)
def test_a_forged_mark_claims_no_bridge(host: Link, guest: Link) -> None:
    found = [entry for entry in list_attachments(snapshot([host], guest)) if entry.interface == "eth1"]
    assert [(entry.parent, entry.vlan, entry.host_end, entry.state) for entry in found] == [("", "", "", "elsewhere")]


@pytest.mark.parametrize(
    "alias",
    [
        "eth1", "pipework", "pipework:2/kind:=bridge", "pipework:1/kind:=bridge/on:=a b", "pipework:1/kind:=../x",
        "pipework:1/kind:=bridge/on:=-x", "pipework:1/kind:=bridge/mac:=zz", "pipework:1/kind:=bridge/mtu:=1e9",
        "pipework:1/kind:=bridge/state:=x", "pipework:1/kind:=bridge/gw4:=exec:,x", "\x1b[2J",
    ],
)  # fmt: skip
def test_what_no_mark_says_is_no_attachment(alias: str) -> None:
    assert [e for e in list_attachments(snapshot([], eth1(alias=alias))) if e.interface] == []


def test_a_parent_must_be_on_the_host() -> None:
    parent = Link(name="eth0", ifindex=5)
    tag = Tag(kind="macvlan", parent="eth0", req="0badc0de").alias
    on_it = eth1(kind="macvlan", alias=tag, peer=5)
    assert list_attachments(snapshot([parent], on_it))[0].parent == "eth0"
    assert list_attachments(snapshot([parent], on_it._replace(peer_elsewhere=False)))[0].state == "elsewhere"
    assert list_attachments(snapshot([parent], on_it._replace(peer=6)))[0].parent == ""
    assert list_attachments(snapshot([parent._replace(name="eth9")], on_it))[0].parent == ""


@pytest.mark.parametrize("kind", ["macvlan", "ipvlan"])
def test_a_living_guest_whose_nic_was_moved_is_no_orphan(kind: str) -> None:
    guest = eth1(kind=kind, alias=Tag(kind=kind, parent="eth0", req="0badc0de").alias, peer=5)
    (entry,) = list_attachments(snapshot([], guest))
    assert (entry.interface, entry.kind, entry.state) == ("eth1", kind, "elsewhere")


@pytest.mark.parametrize("alias", ["", "mine", "pipework:1/kind:=bridge/on:=a b"])
def test_a_pair_without_its_mark_is_shown_by_its_end(alias: str) -> None:
    (entry,) = list_attachments(snapshot([end()], eth1(alias=alias)))
    assert (entry.interface, entry.kind, entry.parent, entry.state) == ("eth1", "bridge", "br1", "up")


def test_a_pair_whose_end_the_guest_moved_is_elsewhere() -> None:
    (entry,) = list_attachments(snapshot([end()]))
    assert (entry.host_end, entry.inode, entry.state) == ("veth1pl42", BLUE, "elsewhere")


@pytest.mark.parametrize("kind", ["veth", "dummy", "macvlan", ""])
def test_only_what_no_guest_can_make_is_shown_as_a_nic(kind: str) -> None:
    forged = eth1(kind=kind, alias=Tag(kind="phys", parent="wg0", nic="wg0", state="up").alias, peer_elsewhere=False)
    (entry,) = list_attachments(snapshot([], forged))
    assert entry.state == ("elsewhere" if kind else "up")


def test_a_killed_run_leaves_what_is_unfinished() -> None:
    (entry,) = list_attachments(snapshot([end(alias="", group=PENDING_GROUP)], eth1(alias="", group=PENDING_GROUP)))
    assert (entry.state, entry.parent, entry.kind) == ("unfinished", "br1", "bridge")


def test_what_the_host_keeps_of_dead_guests() -> None:
    nic = Link(name="eth1", ifindex=9, alias=Tag(kind="phys", parent="eth7", nic="eth7", state="up").alias)
    port = SwitchPort(kind="ovs", name="veth1pl9", bridge="ovsbr0", vlan="20", ours=True, guest="web1", pid=9)
    found = list_attachments(snapshot([end(inode=999), nic], ports={port.name: port}))
    shown = {(entry.host_end or entry.interface, entry.parent, entry.state, entry.former_guest) for entry in found}
    assert shown == {
        ("veth1pl42", "br1", "orphan", ""),
        ("eth1", "eth7", "orphan", ""),
        ("veth1pl9", "ovsbr0", "orphan", "web1"),
    }


def test_a_guest_that_is_a_host_to_guests_of_its_own_is_left_to_itself() -> None:
    inner = end(name="veth1pl3", ifindex=30, inode=RED)
    nested = snapshot([], inner, Link(name="br1", ifindex=31, kind="bridge", alias=Tag(kind="bridge").alias))
    nested = nested._replace(guest_states={**nested.guest_states, RED: GuestState(links={"eth1": eth1(peer=30)})})
    assert list_attachments(nested) == []


@pytest.mark.parametrize(
    ("name", "pids", "adopted"),
    [
        ("veth1pl42", {42: BLUE}, True),
        ("veth1pl42", {42: RED}, False),
        ("veth1pl42", {}, False),
        ("veth2pl42", {42: BLUE}, False),
        ("veth1pl", {42: BLUE}, False),
        ("veth1pl42x", {42: BLUE}, False),
        ("hostapp1", {42: BLUE}, False),
    ],
)
def test_a_name_of_the_shell_version_counts_with_its_process(name: str, pids: dict[int, int], *, adopted: bool) -> None:
    found = list_attachments(snapshot([end(name=name, alias="")], eth1(alias=""), pids=pids))
    assert [entry.adopted for entry in found] == ([True] if adopted else [])


def test_a_port_of_the_shell_version_counts_with_its_process() -> None:
    port = SwitchPort(kind="ovs", name="hostapp1", bridge="ovsbr0", vlan="5", ours=True, pid=42)
    host = [end(name="hostapp1", alias="", master="")]
    (entry,) = list_attachments(snapshot(host, eth1(alias=""), ports={port.name: port}, pids={42: BLUE}))
    assert (entry.kind, entry.parent, entry.vlan, entry.adopted) == ("ovs", "ovsbr0", "5", True)
    assert list_attachments(snapshot(host, eth1(alias=""), ports={port.name: port}, pids={42: RED})) == []


def test_a_macvlan_that_the_shell_version_left_on_its_way() -> None:
    (entry,) = list_attachments(snapshot([Link(name="ph42eth1", ifindex=4, kind="macvlan", parent="eth0")]))
    assert (entry.parent, entry.state, entry.adopted) == ("eth0", "unfinished", True)


PART = Tag(kind="host", parent="eth0", req="0badcafe", new="10.1.1.9-24")


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (Link(name="eth0-host", ifindex=4, kind="macvlan", parent="eth0", up=True, alias=PART.alias),
         ("eth0-host", "macvlan", "eth0", "up")),
        (Link(name="eth0-host", ifindex=4, kind="macvlan", peer=3, peer_elsewhere=True, alias=PART.alias),
         ("eth0-host", "macvlan", "eth0", "down")),
        (Link(name="eth0-host", ifindex=4, kind="macvlan", parent="eth0", alias=PART.alias, group=PENDING_GROUP),
         ("eth0-host", "macvlan", "eth0", "unfinished")),
        (Link(name="eth0-host", ifindex=4, kind="macvlan", parent="eth0", group=PENDING_GROUP),
         ("eth0-host", "macvlan", "eth0", "unfinished")),
        (Link(name="br1", ifindex=4, kind="bridge", up=True, alias=PART._replace(kind="bridge", parent="").alias),
         ("br1", "bridge", "br1", "up")),
        (Link(name="br1", ifindex=4, kind="bridge", up=True, alias=PART._replace(parent="").alias),
         ("br1", "bridge", "br1", "up")),
        (Link(name="ovs1", ifindex=4, kind="tun", up=True, alias=PART._replace(parent="").alias),
         ("ovs1", "ovs", "ovs1", "up")),
    ],
)  # fmt: skip
def test_the_host_s_own_parts_are_shown(link: Link, shown: tuple[str, ...]) -> None:
    (entry,) = attachments.add_guests(list_attachments(snapshot([link])), {})
    assert (entry.interface, entry.kind, entry.parent, entry.state) == shown
    assert attachments.name_guest(entry) == "(host)"
    assert report_json.encode_status(entry)["guest"] == {
        "name": "this host", "runtime": "host", "id": None, "pid": None, "netns": None, "inode": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("link", "state"),
    [
        pytest.param(Link(name="br1", ifindex=4, kind="bridge", alias=Tag(kind="bridge").alias), "", id="no part"),
        pytest.param(Link(name="eth7", ifindex=4, alias=PART.alias), "orphan", id="a NIC with a guest's alias"),
        pytest.param(Link(name="x", ifindex=4, kind="macvlan", alias="mine", group=PENDING_GROUP), "", id="somebody's"),
    ],
)
def test_what_is_no_part_of_the_host_s_is_not_shown_as_one(link: Link, state: str) -> None:
    found = list_attachments(snapshot([link]))
    assert [entry.state for entry in found] == ([state] if state else [])
    assert attachments.THIS_HOST not in [entry.guest for entry in found]


@pytest.mark.parametrize(
    ("dhcp", "leased", "state"),
    [
        ("", (), "up"),
        ("dhclient", (), "expired"),
        ("dhclient", ("10.0.0.7/24",), "up"),
        ("dhcpcd-f", ("fd00::7/128",), "expired"),
        ("dhclient6", ("10.0.0.7/24", "fd00::7/64"), "expired"),
        ("dhcp6-f", ("fd00::7/128",), "up"),
        ("strangers", (), "up"),
    ],
)
def test_a_lease_that_is_over(dhcp: str, leased: tuple[str, ...], state: str) -> None:
    alias = Tag(kind="bridge", parent="br1", req="0badc0de", dhcp=dhcp).alias
    (entry,) = list_attachments(snapshot([end()], eth1(alias=alias, addresses=("fe80::1/64",), leased=leased)))
    assert entry.state == state
    down = eth1(alias=alias, addresses=(), leased=leased, up=False)
    (entry,) = list_attachments(snapshot([end()], down))
    assert entry.state == "down"


def test_a_client_that_was_to_stay_is_alive_or_not() -> None:
    kept = eth1(
        alias=Tag(kind="bridge", parent="br1", req="0badc0de", dhcp="dhclient6-f").alias, leased=("fd00::7/128",)
    )
    client = Client(name="dhclient", inode=BLUE, interface="eth1", pid=5, stop=Command(argv=("true",)))
    (here,) = list_attachments(snapshot([end()], kept, clients=(client,)))
    (gone,) = list_attachments(snapshot([end()], kept, clients=(client._replace(inode=RED),)))
    assert (here.alive, gone.alive) == (True, False)
    (alone,) = list_attachments(snapshot([end()], kept, clients=(client._replace(alone=True),)))
    assert (here.state, alone.state) == ("up", "orphan")
    assert report_json.encode_status(gone)["dhcp"] == {"client": "dhclient", "family": 6, "kept": True, "alive": False}


def test_namespaces_are_found_by_process_and_by_mount() -> None:
    processes = Outcome(code=0, stdout=json.dumps({"namespaces": [{"ns": 1, "pid": 1}, {"ns": BLUE, "pid": 42}]}))
    mounts = Outcome(
        code=0,
        stdout="1 2 0:4 / / rw - ext4 x rw\n"
        f"3 2 0:4 net:[{RED}] /run/netns/old rw - nsfs nsfs rw\n"
        f"3 2 0:4 net:[{BLUE}] /run/netns/a\\040b rw shared:1 - nsfs nsfs rw\n"
        f"3 2 0:4 mnt:[77] /run/netns/m rw - nsfs nsfs rw\n"
        f"3 2 0:4 net:[300] /run/docker/netns/default rw - nsfs nsfs rw\n"
        f"3 2 0:4 net:[400] /run/netns/old rw - nsfs nsfs rw\n",
    )
    found = {space.inode: space for space in namespaces.parse_namespaces(processes, mounts, host=1)}
    assert found.keys() == {BLUE, 300, 400}
    assert (found[BLUE].names, found[BLUE].pid) == (("a b",), 42)
    assert (found[300].names, found[400].names) == ((), ("old",))


def test_guests_have_the_names_that_runtimes_give_them() -> None:
    def answer(command: Command) -> Outcome:
        if command.argv[0] == "podman":
            return Outcome(code=125, stderr="no connection")
        if command.argv[:2] == ("docker", "ps"):
            return Outcome(code=0, stdout="aa\nbb\n")
        if command.argv[0] == "docker":
            told = '{"id":"%s","name":"/%s","pid":%d,"status":"running","network":"%s"}\n'
            rows = [("bb", "side", 43, "container:aa"), ("aa", "web1", 42, "none"), ("cc", "host", 44, "host")]
            return Outcome(code=0, stdout="".join(told % row for row in rows))
        if command.argv[0] == "lxc-ls":
            return Outcome(code=0, stdout="NAME PID\nbox  50\nstopped -\n")
        where = {42: BLUE, 43: BLUE, 50: RED}
        return Outcome(code=1, stdout="".join(f"{n} /proc/{pid}/task/{pid}/ns/net\n" for pid, n in where.items()))

    said: list[str] = []
    spaces = [Namespace(inode=n, netns=Netns(path=f"/proc/{n}/ns/net"), pid=n) for n in (BLUE, RED, 300)]
    driver = FakeDriver(answer, programs=frozenset({"docker", "podman", "lxc-info"}))
    directory = GuestDirectory(plugins=PluginManager(warn=print), driver=driver, warn=said.append)
    found = directory.find_owners(spaces)
    assert {(g.runtime, g.name) for g in found.values()} == {("docker", "web1"), ("lxc", "box"), ("pid", "300")}
    assert len(said) == 1
    assert "podman" in said[0]


def test_names_of_namespaces_need_no_runtime() -> None:
    driver = FakeDriver(lambda command: pytest.fail(f"asked {command}"))
    space = Namespace(inode=BLUE, netns=Netns(path="/run/netns/blue"), names=("blue",))
    found = GuestDirectory(plugins=PluginManager(warn=print), driver=driver).find_owners([space])
    assert (found[BLUE].runtime, found[BLUE].name) == ("netns", "blue")


def test_a_client_with_a_guest_is_not_looked_at_again() -> None:
    client = Client(name="udhcpc", inode=BLUE, interface="eth1", pid=50, stop=Command(argv=("true",)))
    asked = FakeDriver(lambda _: Outcome(code=0, stdout="50\n"))
    older = {BLUE: Namespace(inode=BLUE, netns=Netns(path="/x"), pid=42)}
    alone = {BLUE: Namespace(inode=BLUE, netns=Netns(path="/x"), pid=50)}
    assert [c.alone for c in Kept().check_alone(asked, [client], older)] == [False]
    assert asked.reads == []
    assert [c.alone for c in Kept().check_alone(asked, [client], alone)] == [True]


@pytest.mark.parametrize("line", ["", "x", "1 2 3 4 5 6", "nodash dhclient 4 eth1 7", "1-eth1 dhclient 4 eth1 x"])
def test_what_is_no_line_about_a_client_is_none(line: str) -> None:
    assert Kept().find_clients(FakeDriver(lambda _: Outcome(code=0, stdout=line), programs=frozenset())) == ()


def test_guests_come_in_the_order_that_people_count_in() -> None:
    entries = [
        attachments.AttachmentStatus(interface, "bridge", guest=Guest(name=name, runtime="netns", netns=Netns("/x")))
        for name, interface in (("n10", "eth1"), ("n2", "eth10"), ("n2", "eth9"), ("n1", "eth1"))
    ]
    found = attachments.add_guests(entries, {})
    assert [(entry.guest and entry.guest.name, entry.interface) for entry in found] == [
        ("n1", "eth1"), ("n2", "eth9"), ("n2", "eth10"), ("n10", "eth1"),
    ]  # fmt: skip
