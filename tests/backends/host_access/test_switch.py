"""Plans of `pipework host` for states of a host, and what a run makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipework_backends.host_access import routes as host_routes
from pipework_backends.links import nic_state
from pipework_core.cli import parser
from pipework_core.engine.host_access import Hosting
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import BaseDriver, NullLock, PinnedNetns
from pipework_core.model.errors import ConflictError, HostError
from pipework_core.model.ownership import PENDING_GROUP
from pipework_core.model.plan import Outcome
from pipework_core.plugins.manager import PluginManager
from pipework_drivers import batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.model.plan import Command, Netns, Plan

FOUR = {"family": "inet", "local": "10.1.1.123", "prefixlen": 24, "broadcast": "10.1.1.255", "scope": "global"}
SECOND = {"family": "inet", "local": "10.1.1.124", "prefixlen": 24, "scope": "global", "label": "eth0:1"}
SIX = {"family": "inet6", "local": "fd00::1", "prefixlen": 64, "scope": "global"}
NEAR = {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}
RA = {"family": "inet6", "local": "fd09::5", "prefixlen": 64, "scope": "global", "dynamic": True, "mngtmpaddr": True}
DEFAULT = {"type": "unicast", "dst": "default", "gateway": "10.1.1.254", "dev": "eth0", "metric": 100}
KERNEL = {"type": "unicast", "dst": "10.1.1.0/24", "dev": "eth0", "protocol": "kernel", "prefsrc": "10.1.1.123"}
DEFAULT_RA = {"type": "unicast", "dst": "default", "gateway": "fe80::9", "dev": "eth0", "protocol": "ra", "pref": "low"}
DEFAULT_SIX = {"type": "unicast", "dst": "default", "gateway": "fe80::ff", "dev": "eth0", "metric": 9, "pref": "medium"}


class Host(BaseDriver):
    """Answers with one state, and takes every change for done."""

    def __init__(self, links: Sequence[dict[str, Any]], routes: Sequence[dict[str, Any]]) -> None:
        self.said = f"{json.dumps(links)}\n{json.dumps(routes)}\n"
        self.shown = "\n".join(map(as_shown, routes))
        self.started: list[Command] = []

    def pin(self, netns: Netns) -> PinnedNetns:
        del netns
        return PinnedNetns(inode=1)

    def has_program(self, program: str) -> bool:
        return program == "arping"

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        answers = {nic_state.QUERY: self.said, host_routes.QUERY: self.shown}
        return [Outcome(code=0, stdout=answers.get(command, "")) for command in commands]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        del stop
        return [Outcome(code=0)] * len(commands)

    def start(self, commands: Sequence[Command]) -> None:
        self.started += commands

    def lock(self) -> NullLock:
        return NullLock()


def as_shown(route: dict[str, Any]) -> str:
    """Return a route as `ip -details route` shows it."""
    words = {"gateway": "via", "dev": "dev", "protocol": "proto", "prefsrc": "src", "metric": "metric", "pref": "pref"}
    pairs = [f"{word} {route[key]}" for key, word in words.items() if key in route]
    more = [f"{key} {route[key]}" for key in ("nhid", "encap") if key in route]
    return " ".join([route["type"], route["dst"], *more, *pairs, "table main", "linkdown"])


def link(name: str, *addresses: dict[str, Any], kind: str = "", **more: object) -> dict[str, Any]:
    infos = [{"label": name, **info} if info["family"] == "inet" else info for info in addresses]
    known = {"ifindex": 2, "ifname": name, "flags": ["UP"], "link_type": "ether", "addr_info": infos}
    return known | ({"linkinfo": {"info_kind": kind}} if kind else {}) | more


def plan(line: str, links: Sequence[dict[str, Any]], routes: Sequence[dict[str, Any]] = ()) -> Plan:
    part = parser.parse(["host", *line.split()]).request
    assert part is not None
    plugins = PluginManager(warn=pytest.fail, third_parties=False)
    return Hosting(plugins=plugins, driver=Host(links, routes), signals=Signals()).run(part)[1].plan


def words(steps: Sequence[Command]) -> list[str]:
    """Return the commands that change addresses and routes."""
    return [str(step) for step in steps if step.argv[:2] in {("ip", "address"), ("ip", "route")}]


def alias(made: Plan) -> str:
    return next(step.argv[step.argv.index("alias") + 1] for step in made.steps if "alias" in step.argv)


def test_addresses_and_routes_of_a_nic_move_and_each_state_between_has_them() -> None:
    nic = link("eth0", FOUR, SECOND, NEAR)
    made = plan("eth0 10.1.1.123/24@10.1.1.254", [nic], [DEFAULT, KERNEL])
    there = [
        "ip address replace 10.1.1.123/24 broadcast 10.1.1.255 dev eth0-host scope global",
        "ip address replace 10.1.1.124/24 dev eth0-host scope global label eth0-host:1",
        "ip route replace 0.0.0.0/0 via 10.1.1.254 dev eth0-host metric 100",
    ]
    gone = ["ip address delete 10.1.1.124/24 dev eth0", "ip address delete 10.1.1.123/24 dev eth0"]
    assert words(made.steps) == there + gone
    assert [str(step) for step in made.steps[0].undo] == [
        "ip link delete dev eth0-host",
        "ip address replace 10.1.1.123/24 broadcast 10.1.1.255 dev eth0 scope global",
        "ip address replace 10.1.1.124/24 dev eth0 scope global label eth0:1",
        "ip route replace 0.0.0.0/0 via 10.1.1.254 dev eth0 metric 100",
    ]
    assert alias(made).startswith("pipework:1/kind:=host/on:=eth0/req:=")
    assert made.steps[-1].argv[-3:] == ("10", "eth0-host", "10.1.1.254")
    assert made.steps[-1].timeout == 10
    assert [str(step) for step in made.commit] == ["ip link set dev eth0-host group default"]


def test_the_guard_knows_all_that_undoes_the_move_before_the_sibling_is_marked() -> None:
    made = plan("eth0 10.1.1.123/24 --confirm-within 3", [link("eth0", FOUR)], [DEFAULT])
    (at,) = (n for n, step in enumerate(made.steps) if step.argv[0] == "sh" and "host_guard.sh" in step.argv[1])
    assert made.steps[at].argv[2:] == ("8", "eth0-host", PENDING_GROUP)
    assert made.steps[at].stdin == "".join(f"{step}\n" for step in made.steps[0].undo)
    assert "alias" in made.steps[at + 1].argv
    assert words(made.steps[:at]) == []


def test_nobody_is_asked_and_nothing_guarded_with_zero_seconds() -> None:
    made = plan("eth0 10.1.1.123/24 --confirm-within 0", [link("eth0", FOUR)], [DEFAULT])
    assert not [step for step in made.steps if step.argv[0] == "sh"]


def test_without_a_gateway_nobody_is_asked() -> None:
    made = plan("eth0 10.1.1.123/24", [link("eth0", FOUR)], [KERNEL])
    assert not [step for step in made.steps if step.timeout]


def test_what_the_nic_does_not_have_is_new_and_remembered() -> None:
    made = plan("eth0 10.1.1.9/24@10.1.1.254,fd00::9/64", [link("eth0", FOUR)])
    assert "/new:=10.1.1.9-24,fd00::9-64,10.1.1.254" in alias(made)
    assert words(made.steps)[1:3] == [
        "ip address add 10.1.1.9/24 broadcast + dev eth0-host",
        "ip address add fd00::9/64 dev eth0-host",
    ]
    assert words(made.steps)[-1] == "ip route add 0.0.0.0/0 via 10.1.1.254 dev eth0-host"


def test_ipv6_is_the_same_but_for_what_is_the_kernels() -> None:
    made = plan("eth0 fd00::1/64", [link("eth0", SIX, NEAR, RA)], [DEFAULT_RA, DEFAULT_SIX])
    assert words(made.steps) == [
        "ip address replace fd00::1/64 dev eth0-host scope global nodad",
        "ip address change fd00::1/64 dev eth0-host scope global",
        "ip route replace ::/0 via fe80::ff dev eth0-host metric 9",
        "ip address delete fd00::1/64 dev eth0",
    ]
    assert made.steps[-1].argv[-1] == "fe80::ff"


def test_the_whole_move_is_one_batch() -> None:
    nic = link("eth0", FOUR, SECOND, SIX)
    made = plan("eth0 10.1.1.123/24", [nic], [DEFAULT, DEFAULT_SIX])
    groups = [group for group in batch.group_commands(made.steps) if words(group.commands)]
    assert len(groups) == 1
    assert groups[0].argv == ("ip", "-batch", "-")


def sibling(made: Plan, *infos: dict[str, Any], group: str = "default") -> dict[str, Any]:
    return link("eth0-host", *infos, kind="macvlan", link="eth0", ifalias=alias(made), group=group)


def test_a_second_run_has_nothing_to_do_and_another_request_is_a_conflict() -> None:
    made = plan("eth0 10.1.1.123/24", [link("eth0", FOUR)])
    there = [link("eth0"), sibling(made, FOUR)]
    again = plan("eth0 10.1.1.123/24", there)
    assert not again.all_steps
    assert again.notes
    with pytest.raises(ConflictError, match="another request"):
        plan("eth0 10.1.1.124/24", there)


def test_what_is_taken_back_leaves_out_what_was_new() -> None:
    made = plan("eth0 10.1.1.9/24@10.1.1.254", [link("eth0", FOUR)])
    new = {"family": "inet", "local": "10.1.1.9", "prefixlen": 24, "scope": "global"}
    route = {"type": "unicast", "dst": "default", "gateway": "10.1.1.254", "dev": "eth0-host"}
    back = plan("--remove eth0", [link("eth0"), sibling(made, FOUR, new)], [route])
    assert words(back.steps) == ["ip address replace 10.1.1.123/24 broadcast 10.1.1.255 dev eth0 scope global"]
    assert [str(step) for step in back.steps[0].undo] == ["ip address delete 10.1.1.123/24 dev eth0"]
    assert [str(step) for step in back.commit] == ["ip link delete dev eth0-host"]
    assert back.announce[0].argv[2:] == ("eth0", "10.1.1.123")


def test_a_default_route_that_got_lost_is_put_back() -> None:
    made = plan("eth0 10.1.1.123/24", [link("eth0", FOUR)], [DEFAULT])
    back = plan("--remove eth0", [link("eth0"), sibling(made, FOUR)])
    assert words(back.steps)[-1] == "ip route replace 0.0.0.0/0 via 10.1.1.254 dev eth0 metric 100"


def test_a_sibling_of_somebody_else_is_left_alone() -> None:
    there = [link("eth0", FOUR), link("eth0-host", kind="macvlan", link="eth0", ifalias="mine")]
    assert plan("--remove eth0", there).notes == ("eth0 has no sibling of pipework's",)
    with pytest.raises(ConflictError, match="not pipework's"):
        plan("eth0 10.1.1.123/24", there)


@pytest.mark.parametrize(
    ("info", "route", "said"),
    [
        ({**FOUR, "dynamic": True, "valid_life_time": 9, "preferred_life_time": 9}, DEFAULT, "from DHCP"),
        (FOUR, {**DEFAULT, "nhid": 7}, "could not be moved"),
        (FOUR, {**DEFAULT, "encap": "ip"}, "could not be moved: encap"),
    ],
)
def test_what_cannot_be_moved_is_refused(info: dict[str, Any], route: dict[str, Any], said: str) -> None:
    with pytest.raises(HostError, match=said):
        plan("eth0 10.1.1.123/24", [link("eth0", info)], [route])


def test_another_default_route_is_not_taken() -> None:
    with pytest.raises(ConflictError, match=r"default route goes through 10\.2\.0\.1 and eth1"):
        plan(
            "eth0 10.1.1.123/24@10.1.1.254",
            [link("eth0", FOUR)],
            [{**DEFAULT, "dev": "eth1", "gateway": "10.2.0.1", "metric": 0}],
        )


def test_a_bridge_is_made_marked_and_addressed() -> None:
    made = plan("br1 192.168.1.254/24", [])
    assert str(made.steps[0]) == f"ip link add name br1 group {PENDING_GROUP} type bridge"
    assert made.steps[-2].argv[-1].startswith("pipework:1/kind:=bridge/req:=")
    assert made.steps[-2].argv[-1].endswith("/new:=192.168.1.254-24")
    assert [str(step) for step in made.steps[-1].undo] == ["ip address delete 192.168.1.254/24 dev br1"]


def test_a_bridge_of_somebody_else_is_marked_as_such_and_never_removed() -> None:
    made = plan("br1 192.168.1.254/24", [link("br1", kind="bridge")])
    assert alias(made).startswith("pipework:1/kind:=host/")
    info = {"family": "inet", "local": "192.168.1.254", "prefixlen": 24, "scope": "global"}
    back = plan("--remove br1", [link("br1", info, kind="bridge", ifalias=alias(made))])
    assert [str(step) for step in back.all_steps] == [
        "ip address delete 192.168.1.254/24 dev br1",
        "ip link set dev br1 alias ''",
    ]
    assert plan("--remove br1", [link("br1", info, kind="bridge")]).notes == ("pipework gave the host no part in br1",)


def test_a_network_that_the_host_has_elsewhere_is_warned_about() -> None:
    made = plan("br1 10.1.1.9/24", [link("eth0", FOUR)])
    assert made.warnings[0].startswith("eth0 is in 10.1.1.0/24 as well, with 10.1.1.123/24")


@pytest.mark.parametrize("name", ["eth0", "averylongname12", "é" * 7])
def test_the_sibling_s_name_fits(name: str) -> None:
    made = plan(f"{name} 10.1.1.123/24", [link(name, FOUR)])
    created = next(step.argv for step in made.steps if "macvlan" in step.argv)
    assert len(created[created.index("name") + 1].encode()) <= 15
