"""What `gc` takes away, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.engine import gc as collecting
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.link import GuestState, Link
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import Command, Netns, Outcome
from pipework_core.model.snapshot import Client, Namespace
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.fake import FakeDriver

from .test_attachments import BLUE, RED, end, eth1, snapshot

if TYPE_CHECKING:
    from pipework_core.model.snapshot import Snapshot


def planned(seen: Snapshot, driver: FakeDriver | None = None) -> list[str]:
    found = collecting.plan_collection(seen, PluginManager(warn=print), driver or FakeDriver(programs=frozenset()))
    return [str(command) for command in found.cleanup]


def born(link: Link) -> Link:
    return link._replace(alias="", group=PENDING_GROUP)


def sibling(**changes: object) -> Link:
    """Return a macvlan that took over what eth0 had."""
    usual = Link(
        name="eth0-host", ifindex=9, kind="macvlan", parent="eth0", addresses=("10.1.1.1/24",),
        alias=Tag(kind="host", parent="eth0", req="0badcafe").alias,
    )  # fmt: skip
    return usual._replace(**changes)


def test_a_sibling_that_was_given_nothing_goes_and_one_that_has_the_addresses_is_told_of() -> None:
    assert planned(snapshot([sibling(alias="", group=PENDING_GROUP, addresses=())])) == ["ip link delete dev eth0-host"]
    plugins, driver = PluginManager(warn=print), FakeDriver(programs=frozenset())
    (said,) = collecting.plan_collection(snapshot([sibling(group=PENDING_GROUP)]), plugins, driver).warnings
    assert "pipework host --remove eth0" in said


@pytest.mark.parametrize(
    ("host", "guest"),
    [
        pytest.param([end()], eth1(), id="a whole pair"),
        pytest.param([end()], eth1(name="eth9", ifindex=3), id="a guest that moved its end on"),
        pytest.param([sibling()], eth1(), id="a sibling of a NIC"),
        pytest.param([sibling(group=PENDING_GROUP)], eth1(), id="a sibling whose gateway is being asked"),
        pytest.param([sibling(parent="", peer=3, peer_elsewhere=True)], eth1(), id="a sibling whose NIC is in a guest"),
        pytest.param([sibling(alias="mine", group=PENDING_GROUP)], eth1(), id="somebody's macvlan in our group"),
        pytest.param([end(inode=999)], eth1(), id="an end that went from a guest to another"),
        pytest.param([end(alias="")], eth1(), id="a pair of somebody else"),
        pytest.param([end(alias="x", group=PENDING_GROUP)], eth1(), id="somebody's alias in our group"),
        pytest.param([end(alias="pipework:1/kind:=veth/netns:=a b")], eth1(), id="an unsound mark"),
        pytest.param([Link(name="br9", ifindex=1, kind="bridge")], eth1(), id="a bridge of somebody else"),
        pytest.param(
            [end(), Link(name="br1", ifindex=1, kind="bridge", alias=Tag(kind="bridge").alias)],
            eth1(),
            id="a bridge with a port",
        ),
        pytest.param(
            [Link(name="br1", ifindex=1, kind="bridge", alias=Tag(kind="bridge").alias, addresses=("10.0.0.1/8",))],
            eth1(),
            id="a bridge with an address",
        ),
        pytest.param(
            [Link(name="eth0.5", ifindex=5, kind="vlan", alias=Tag(kind="vlan").alias)],
            eth1(kind="macvlan", peer=5),
            id="a VLAN with a link of a guest",
        ),
        pytest.param([Link(name="eth0", ifindex=5)], born(eth1(kind="dummy", peer=0)), id="a link of unknown origin"),
        pytest.param([], born(eth1(kind="macvlan", peer=5)), id="a parent that is elsewhere"),
        pytest.param([Link(name="dummy0", ifindex=3, kind="dummy")], eth1(), id="nobody's business"),
    ],
)
def test_what_is_alive_or_not_ours_stays(host: list[Link], guest: Link) -> None:
    assert planned(snapshot(host, guest)) == []


def test_what_dead_guests_leave_goes() -> None:
    nic = Link(
        name="eth1", ifindex=9, up=True,
        alias=Tag(kind="phys", parent="eth7", nic="eth7", state="up", mac="02:00:00:00:00:07", mtu="1400").alias,
    )  # fmt: skip
    child = Link(name="ib0.1", ifindex=10, kind="ipoib", alias=Tag(kind="ipoib", parent="ib0").alias)
    empty = Link(name="br1", ifindex=1, kind="bridge", alias=Tag(kind="bridge").alias)
    assert planned(snapshot([end(inode=999), nic, child, empty])) == [
        "ip link delete dev veth1pl42",
        "ip link delete dev br1",
        "ip link delete dev ib0.1",
        "ip link set dev eth1 down",
        "ip link set dev eth1 name eth7 address 02:00:00:00:00:07 mtu 1400 group default alias '' up",
    ]


def test_a_nic_whose_name_is_taken_stays_and_is_told_of() -> None:
    nic = Link(name="eth1", ifindex=9, alias=Tag(kind="phys", nic="eth7").alias)
    seen = snapshot([nic, Link(name="eth7", ifindex=8)])
    found = collecting.plan_collection(seen, PluginManager(warn=print), FakeDriver(programs=frozenset()))
    assert (found.cleanup, len(found.warnings)) == ((), 1)


def test_what_killed_runs_leave_goes() -> None:
    parent = Link(name="eth0", ifindex=5)
    vlan = Link(name="eth0.9", ifindex=6, kind="vlan", parent="eth0", group=PENDING_GROUP)
    mine = born(eth1(name="eth2", ifindex=3, kind="macvlan", peer=5))
    assert planned(snapshot([parent, vlan, born(end())], born(eth1()), mine)) == [
        "ip link delete dev veth1pl42",
        f"nsenter --net=/proc/{BLUE}/ns/net ip link delete dev eth2",
        "ip link delete dev eth0.9",
    ]
    # The host's end was finished, the guest's was not.
    assert planned(snapshot([end()], born(eth1()))) == ["ip link delete dev veth1pl42"]


def test_who_cannot_see_all_guests_believes_none_to_be_dead() -> None:
    driver = FakeDriver(lambda _: Outcome(code=0, stdout="/run/netns/42\n"), programs=frozenset({"find"}))
    empty = Link(name="br1", ifindex=1, kind="bridge", alias=Tag(kind="bridge").alias)
    seen = snapshot([end(inode=999), empty], partial_view=True)
    found = collecting.plan_collection(seen, PluginManager(warn=print), driver)
    assert found.cleanup == ()
    assert "--pid=host" in found.warnings[0]


@pytest.mark.parametrize("line", ["/run/netns/x", "/run/netns/42/x", "/etc/42", "/run/netns/123456789", "-rf", ""])
def test_only_numbers_are_names_of_the_shell_version(line: str) -> None:
    driver = FakeDriver(lambda _: Outcome(code=0, stdout=f"/run/netns/42\n{line}\n"), programs=frozenset({"find"}))
    assert planned(snapshot([]), driver) == [
        "find -L /run/netns/42 -maxdepth 0 -type l -name '[0-9]*' -lname '/proc/[0-9]*/ns/net' -delete"
    ]


def test_clients_go_that_have_nobody_but_themselves() -> None:
    client = Client(name="x", inode=BLUE, interface="eth1", pid=5, stop=Command(argv=("stop", "blue")), alone=True)
    assert planned(snapshot([], clients=(client,))) == ["stop blue"]
    assert planned(snapshot([], clients=(client._replace(alone=False),))) == []
    named = snapshot([], clients=(client,))
    space = Namespace(inode=BLUE, netns=Netns(path="/run/netns/blue"), names=("blue",))
    assert planned(named._replace(spaces={BLUE: space})) == []
    assert planned(snapshot([], clients=(client._replace(inode=12345),))) == []


def test_what_the_kernel_was_quicker_to_remove_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [born(end(name="a", ifindex=20))]
    monkeypatch.setattr("pipework_core.engine.snapshot.take_snapshot", lambda *_, **__: snapshot(hosts))
    driver = FakeDriver(lambda _: Outcome(code=1, stderr='Cannot find device "a"'), programs=frozenset())
    done = collecting.collect_garbage(plugins=PluginManager(warn=print), driver=driver, signals=Signals())
    assert ([command.argv[-1] for command in done.gone], done.failed) == (["a"], ())


def test_one_failure_keeps_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [born(end(name=name, ifindex=number)) for number, name in enumerate(("a", "b", "c"), start=20)]
    monkeypatch.setattr("pipework_core.engine.snapshot.take_snapshot", lambda *_, **__: snapshot(hosts))

    def answer(command: Command) -> Outcome:
        return Outcome(code=TIMED_OUT, stderr="Device busy") if command.argv[-1] == "b" else Outcome(code=0)

    driver = FakeDriver(answer, programs=frozenset())
    done = collecting.collect_garbage(plugins=PluginManager(warn=print), driver=driver, signals=Signals())
    assert [command.argv[-1] for command in driver.acts] == ["a", "b", "c"]
    assert [(command.argv[-1], said) for command, said in done.failed] == [("b", "Device busy")]


def test_a_namespace_that_is_another_by_now_is_not_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    parent, mine = Link(name="eth0", ifindex=5), born(eth1(kind="macvlan", peer=5))
    seen = snapshot([parent], mine)
    seen = seen._replace(guest_states={**seen.guest_states, RED: GuestState()})
    monkeypatch.setattr("pipework_core.engine.snapshot.take_snapshot", lambda *_, **__: seen)
    from pipework_core.model.driver import PinnedNetns  # noqa: PLC0415 - of this test alone

    for inode, acts in ((BLUE, 1), (BLUE + 1, 0)):
        driver = FakeDriver(pins={f"/proc/{BLUE}/ns/net": PinnedNetns(inode=inode)}, programs=frozenset())
        collecting.collect_garbage(plugins=PluginManager(warn=print), driver=driver, signals=Signals())
        assert len(driver.acts) == acts
