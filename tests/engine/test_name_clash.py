"""A name that the host has, too, for a guest's link, on kernels that look it up on the host."""

from __future__ import annotations

import pytest

from pipework_core.engine import name_clash
from pipework_core.engine.planner import Planner
from pipework_core.model.context import Context, Guest
from pipework_core.model.link import GuestState, HostState, Link
from pipework_core.model.ownership import PENDING_GROUP
from pipework_core.model.plan import Netns, Outcome, Plan
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.contexts import make_attachment
from pipework_core.testing.fake import FakeDriver

GUEST = Guest(name="web1", runtime="docker", netns=Netns(path="/proc/42/ns/net"), pid=42, inode=0xBEE)
NIC = Link(name="eth1", ifindex=2, up=True, mac="52:54:00:00:00:01")
UNNAMED = "pwbee"
OLD, NEW = "6.1.0-37-amd64\n", "6.15.0\n"


def planned(line: str, release: str, *, host: tuple[Link, ...] = (NIC,), inside: tuple[Link, ...] = ()) -> Plan:
    driver = FakeDriver(lambda command: Outcome(0, release if "osrelease" in str(command) else ""))
    planner = Planner(plugins=PluginManager(warn=pytest.fail, third_parties=False), driver=driver)
    links, state = ({link.name: link for link in known} for known in (host, inside))
    context, backend = planner.context(make_attachment(line.split()), GUEST, HostState(links), GuestState(state))
    return planner.plan(context, backend)


def told(plan: Plan) -> list[str]:
    return [str(step) for step in plan.steps]


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("eth1 web1 0/0", "ip link add link eth1 name {} mtu 1500 group 28791"),
        ("ipvlan:eth1 web1 0/0", "ip link add link eth1 name {} mtu 1500 group 28791"),
        ("eth1 web1 0/0 @10", "ip link add link eth1.10 name {} mtu 1500 group 28791"),
        ("dummy web1 0/0", "ip link add name {} group 28791"),
        ("--direct-phys eth1 web1 0/0 @10", "ip link add link eth1 name {} mtu 1500 group 28791"),
    ],
)
def test_the_link_gets_its_name_in_the_guest_where_the_kernel_needs_it(line: str, made: str) -> None:
    steps = told(planned(line, OLD))
    (create,) = [step for step in steps if step.startswith(made.format(UNNAMED))]
    inside = [step for step in steps if "--net=/proc/42/ns/net" in step]
    assert inside[0].endswith(f"ip link set dev {UNNAMED} name eth1")
    assert steps.index(create) < steps.index(inside[0])
    assert [step.startswith(made.format("eth1")) for step in told(planned(line, NEW))].count(True) == 1


def test_undoing_finds_it_under_the_name_that_it_has() -> None:
    steps = planned("eth1 web1 0/0", OLD).steps
    undo = {str(step): [str(back) for back in step.undo] for step in steps}
    assert [back for back in undo.values() if back][:2] == [
        [f"nsenter --net=/proc/42/ns/net ip link delete dev {UNNAMED}"],
        [f"nsenter --net=/proc/42/ns/net ip link set dev eth1 name {UNNAMED}"],
    ]


def test_nobody_is_asked_where_no_name_clashes_and_none_for_a_pair() -> None:
    for line in ("eth1 -i eth7 web1 0/0", "br1 web1 0/0"):
        assert not any(UNNAMED in step for step in told(planned(line, OLD)))
    assert not name_clash.find_clash(
        Plan(), Context(make_attachment(["eth1", "web1", "0/0"]), GUEST, HostState({}), GuestState())
    )


def test_what_a_killed_run_left_unnamed_is_completed() -> None:
    left = Link(name=UNNAMED, ifindex=5, kind="macvlan", peer=2, peer_elsewhere=True, group=PENDING_GROUP)
    steps = told(planned("eth1 web1 0/0", OLD, inside=(left,)))
    assert steps[0].endswith(f"ip link set dev {UNNAMED} name eth1")
    assert not any("link add" in step for step in steps)


def test_what_a_killed_run_of_another_request_left_unnamed_goes() -> None:
    left = Link(name=UNNAMED, ifindex=5, kind="macvlan", peer=2, peer_elsewhere=True, group=PENDING_GROUP)
    steps = told(planned("dummy web1 0/0", OLD, inside=(left,)))
    assert steps[0].endswith(f"ip link delete dev {UNNAMED}")
    assert steps[1].startswith(f"ip link add name {UNNAMED}")
    mine = left._replace(group="default")
    assert f"delete dev {UNNAMED}" not in " ".join(told(planned("dummy web1 0/0", OLD, inside=(mine,))))


def test_a_name_that_docker_may_want_is_warned_about() -> None:
    theirs = Link(name="eth0", ifindex=3, kind="veth")
    for line, inside, said in (
        ("br1 web1 0/0", (theirs,), True),
        ("br1 -i lan0 web1 0/0", (theirs,), False),
        ("br1 web1 0/0", (), False),
        ("br1 web1 0/0", (theirs._replace(alias="pipework:1/kind:=bridge"),), False),
    ):
        warnings = planned(line, NEW, host=(), inside=inside).warnings
        assert any("docker network connect" in warning for warning in warnings) == said, line
