"""Static addressing: what is told to whom. What it does to a guest is proven in the lab."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from pipework_backends.addressing.static import Static
from pipework_core.cli import parser
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import HostError
from pipework_core.model.link import GuestState, HostState, Link
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import Command, Netns, Outcome, Plan
from pipework_core.testing.contexts import make_context
from pipework_core.testing.facts import make_facts, make_link
from pipework_drivers import batch

if TYPE_CHECKING:
    from collections.abc import Mapping

NETNS = Netns(path="/proc/42/ns/net")
MARK = Tag(kind="bridge", parent="br1")


ARPING = frozenset({"arping"})


def planned(
    line: str,
    *,
    ipv6_off: bool = False,
    existing: Link | None = None,
    programs: frozenset[str] = ARPING,
    answers: Mapping[str, Outcome] = MappingProxyType({}),
) -> Plan:
    attachment = parser.parse(line.split()).request
    assert attachment
    context = Context(
        attachment=attachment._replace(interface="eth1"),
        guest=Guest(name="web1", runtime="docker", netns=NETNS, pid=42, inode=7),
        host_state=HostState(links={}),
        guest_state=GuestState(ipv6_off=ipv6_off),
        existing=existing,
        programs=programs,
        answers=answers,
        announces=attachment.kind != "ipoib",
    )
    return Static().plan(context, MARK)


def short(command: Command) -> str:
    """The command without the folders of our scripts and of the kernel's switches."""
    words = [word.rpartition("/")[2] if word.startswith("/") and "conf" not in word else word for word in command.argv]
    return " ".join(words).replace("/proc/sys/net/", "") + (f" <<< {command.stdin}" if command.stdin else "")


def steps(plan: Plan) -> list[str]:
    return [short(command) for command in plan.steps]


def told(plan: Plan) -> list[str]:
    return [short(command) for command in plan.announce]


def test_every_ipv4_address_is_announced_by_one_process_and_nobody_waits() -> None:
    plan = planned("br1 web1 10.0.0.1/24,10.0.1.1/24,fd00::1/64")
    assert told(plan) == ["sh announce.sh guest=/proc/42/ns/net inode=7 eth1 10.0.0.1 10.0.1.1"]
    assert not any("announce" in word for step in steps(plan) for word in step.split())


def test_an_ipv4_address_takes_no_more_processes_than_its_commands() -> None:
    """One batch of `ip`, and the announcement: whatever else is promised, it costs nothing here."""
    plan = planned("br1 web1 10.0.0.1/24@10.0.0.254")
    assert [step.split()[0] for step in steps(plan)] == ["ip"] * 4
    assert len(batch.group_commands(plan.steps)) == 2  # `ip` and `ip -4`
    assert len(plan.announce) == 1


def test_without_arping_the_kernel_announces_ipv4_addresses() -> None:
    """And again: nobody may have heard of it at that moment."""
    plan = planned("br1 web1 10.0.0.1/24,10.0.1.1/24", programs=frozenset())
    assert told(plan) == ["sh announce.sh guest=/proc/42/ns/net inode=7 eth1"]
    assert steps(plan)[0] == "tee ipv4/conf/eth1/arp_notify <<< 1"
    assert steps(plan)[-1] == "ip link set dev eth1 up"


def test_without_arping_all_switches_of_a_value_are_written_by_one_process() -> None:
    plan = planned("br1 web1 10.0.0.1/24,fd00::1/64", programs=frozenset())
    assert steps(plan)[0] == "tee ipv4/conf/eth1/arp_notify ipv6/conf/eth1/ndisc_notify <<< 1"


def test_an_unfinished_interface_is_switched_again_and_a_finished_one_is_not() -> None:
    line = "br1 web1 10.0.0.1/24,fd00::1/64"
    is_pending = Link(name="eth1", ifindex=2, group=PENDING_GROUP)
    finished = Link(name="eth1", ifindex=2, alias=MARK.alias)
    written = [step for step in steps(planned(line, programs=frozenset(), existing=is_pending)) if "tee" in step]
    assert written == ["tee ipv4/conf/eth1/arp_notify ipv6/conf/eth1/ndisc_notify <<< 1"]
    assert not any("tee" in step for step in steps(planned(line, programs=frozenset(), existing=finished)))


def test_nothing_is_announced_on_infiniband_or_without_an_address() -> None:
    assert told(planned("ipoib:ib0 web1 10.0.0.1/24")) == []
    assert told(planned("br1 web1 0/0")) == []
    assert not any("notify" in step for step in steps(planned("ipoib:ib0 web1 10.0.0.1/24", programs=frozenset())))


def test_nothing_is_announced_when_nothing_was_done() -> None:
    link = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias, addresses=("10.0.0.1/24",))
    plan = planned("br1 web1 10.0.0.1/24", existing=link)
    assert (plan.steps, plan.announce) == ((), ())
    assert plan.notes == ("eth1 of web1 is up, with all that was asked for",)


@pytest.mark.parametrize(
    ("line", "off", "turned_on"),
    [
        ("br1 web1 fd00::1/64", True, True),
        ("br1 web1 fd00::1/64", False, False),
        ("br1 web1 10.0.0.1/24", True, False),
        ("br1 web1 auto", True, True),
    ],
)
def test_ipv6_is_turned_on_where_it_is_needed_and_off(line: str, *, off: bool, turned_on: bool) -> None:
    written = [step for step in steps(planned(line, ipv6_off=off)) if "disable_ipv6" in step]
    assert written == (["tee ipv6/conf/eth1/disable_ipv6 <<< 0"] if turned_on else [])


def test_the_kernel_is_told_everything_before_the_interface_is_raised() -> None:
    plan = steps(planned("br1 web1 auto,fd00::1/64 -o accept_ra=1", ipv6_off=True, programs=frozenset()))
    up = plan.index("ip link set dev eth1 up")
    assert max(number for number, step in enumerate(plan) if "tee" in step) < up


def test_an_ipv6_address_is_waited_for_last_and_patiently() -> None:
    plan = planned("br1 web1 fd00::1/64,10.0.0.1/24@10.0.0.254,fd00::2/64 --timeout 7")
    last = plan.steps[-1]
    assert short(last).startswith("sh settle.sh 7 eth1 given fd00::1=fd000000000000000000000000000001 fd00::2=")
    assert last.timeout == 7
    assert [step.timeout for step in plan.steps[:-1]] == [0] * (len(plan.steps) - 1)


def test_nobody_waits_without_detection() -> None:
    plan = planned("br1 web1 fd00::1/64,10.0.0.1/24 --no-dad")
    assert "ip address add fd00::1/64 dev eth1 nodad" in steps(plan)
    assert "ip address add 10.0.0.1/24 broadcast + dev eth1" in steps(plan)
    assert not any(step.timeout for step in plan.steps)


@pytest.mark.parametrize(("unsettled", "waits"), [(("fd00::1/64",), 1), ((), 0)])
def test_an_address_that_a_killed_run_did_not_wait_for_is_waited_for(unsettled: tuple[str, ...], *, waits: int) -> None:
    link = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias, addresses=("fd00::1/64",), unsettled=unsettled)
    assert len(planned("br1 web1 fd00::1/64", existing=link).steps) == waits


def test_an_address_written_in_another_way_is_the_same() -> None:
    link = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias, addresses=("fd00:0:0::1/64",))
    assert planned("br1 web1 fd00::1/64", existing=link, ipv6_off=True).steps == ()


def test_probing_asks_when_the_interface_is_up_and_before_it_has_an_address() -> None:
    plan = planned("br1 web1 10.0.0.1/24@10.0.0.254,fd00::1/64 --probe --timeout 9")
    kinds = [" ".join(step.split()[:3]) for step in steps(plan)]
    order = ["ip link set", "ip link set", "python3 -I -S", "ip address add", "ip address add", "ip -4 route"]
    assert kinds == ["tee ipv6/conf/eth1/ndisc_notify <<<", *order, "sh settle.sh 9"]
    asked = plan.steps[3]
    assert short(asked) == "python3 -I -S probe.py 9 eth1 10.0.0.1 fd00::1"
    assert asked.timeout > 9


@pytest.mark.parametrize(
    ("line", "programs", "announced"),
    [
        ("br1 web1 fd00::1/64", ARPING, []),
        ("br1 web1 fd00::1/64 --no-dad", ARPING, ["sh announce.sh guest=/proc/42/ns/net inode=7 eth1"]),
        (
            "br1 web1 10.0.0.1/24,fd00::1/64 --no-dad",
            ARPING,
            [
                "sh announce.sh guest=/proc/42/ns/net inode=7 eth1 10.0.0.1",
                "sh announce.sh guest=/proc/42/ns/net inode=7 eth1",
            ],
        ),
        (
            "br1 web1 10.0.0.1/24,fd00::1/64 --no-dad",
            frozenset(),
            ["sh announce.sh guest=/proc/42/ns/net inode=7 eth1"],
        ),
    ],
)
def test_the_kernel_is_asked_to_announce_what_it_did_not(
    line: str, programs: frozenset[str], announced: list[str]
) -> None:
    assert told(planned(line, programs=programs)) == announced


def test_nobody_is_asked_for_an_address_that_is_there_or_on_infiniband() -> None:
    link = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias, addresses=("10.0.0.1/24",))
    assert planned("br1 web1 10.0.0.1/24 --probe", existing=link).steps == ()
    with pytest.raises(HostError, match="InfiniBand"):
        planned("ipoib:ib0 web1 10.0.0.1/24 --probe")


def test_auto_makes_the_guest_listen_even_where_it_routes() -> None:
    plan = planned("br1 web1 auto")
    assert steps(plan)[:2] == [
        "tee ipv6/conf/eth1/ndisc_notify ipv6/conf/eth1/autoconf <<< 1",
        "tee ipv6/conf/eth1/accept_ra <<< 2",
    ]
    assert "tee ipv6/conf/eth1/accept_dad <<< 0" in steps(planned("br1 web1 auto --no-dad"))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("br1 web1 10.0.0.1/24 -o accept_ra=3", "accept_ra=3"),
        ("br1 web1 10.0.0.1/24 -o autoconf=2", "autoconf=2"),
        ("br1 web1 10.0.0.1/24 -o autoconf=", "autoconf="),
        ("br1 web1 auto -o accept_ra=0", "accept_ra=0"),
        ("br1 web1 auto -o autoconf=0", "autoconf=0"),
    ],
)
def test_options_that_make_no_sense_are_refused(line: str, says: str) -> None:
    with pytest.raises(HostError, match=says) as caught:
        planned(line)
    assert caught.value.hint


def test_options_hold_for_an_interface_that_has_no_ipv6_address_too() -> None:
    plan = planned("br1 web1 10.0.0.1/24 -o accept_ra=0 -o autoconf=0")
    assert steps(plan)[0] == "tee ipv6/conf/eth1/accept_ra ipv6/conf/eth1/autoconf <<< 0"
    assert plan.steps[0].undo == ()  # it dies with the interface


def test_a_switch_of_a_finished_interface_is_given_back() -> None:
    line = "br1 web1 10.0.0.1/24 -o accept_ra=0 -o autoconf=0"
    attachment = parser.parse(line.split()).request
    assert attachment
    reads = Static().queries(attachment._replace(interface="eth1"), Guest(name="web1", runtime="docker", netns=NETNS))
    assert [short(read) for read in reads.values()] == ["cat ipv6/conf/eth1/accept_ra ipv6/conf/eth1/autoconf"]
    link = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias, addresses=("10.0.0.1/24",))
    plan = planned(line, existing=link, answers=dict.fromkeys(reads, Outcome(code=0, stdout="1\n0\n")))
    assert steps(plan) == ["tee ipv6/conf/eth1/accept_ra <<< 0"]
    assert [short(command) for command in plan.steps[0].undo] == ["tee ipv6/conf/eth1/accept_ra <<< 1"]


def test_nothing_more_is_read_for_an_ipv4_address() -> None:
    attachment = parser.parse(["br1", "web1", "10.0.0.1/24"]).request
    assert attachment
    assert Static().queries(attachment, Guest(name="web1", runtime="docker", netns=NETNS)) == {}


def test_no_broadcast_address_where_there_is_none() -> None:
    """RFC 3021: a network of two addresses has no broadcast."""
    added = [
        command for command in planned("br1 web1 10.0.0.0/31,10.1.0.1/24,10.2.0.1/32").steps if "add" in command.argv
    ]
    assert ["broadcast" in command.argv for command in added] == [False, True, False]


@pytest.mark.parametrize(
    ("alias", "hint"),
    [
        ("", "choose another address"),
        (
            "pipework:1/kind:=bridge/on:=br1/req:=0badc0de",
            "pipework detach -i eth0 web1 first, or choose another address",
        ),
    ],
)
def test_the_hint_for_an_address_that_is_taken_says_how_it_gets_free(alias: str, hint: str) -> None:
    facts = make_facts(guest_state=[make_link(name="eth0", ifindex=2, addresses=["10.0.0.1/24"], alias=alias)])
    with pytest.raises(HostError, match="already, on eth0") as caught:
        Static().plan(make_context("br1 web1 10.0.0.1/24", facts=facts), MARK)
    assert caught.value.hint == hint


def test_only_what_is_needed_has_to_be_writable() -> None:
    """In most containers /proc/sys is read-only, and neighbours hear of an address in other ways, too."""
    written = {
        short(step).partition(" <<< ")[0]: step.ok_codes
        for step in planned("br1 web1 10.0.0.1/24,fd00::1/64", ipv6_off=True, programs=frozenset()).steps
        if step.argv[0] == "tee"
    }
    assert written == {
        "tee ipv4/conf/eth1/arp_notify ipv6/conf/eth1/ndisc_notify": {0, 1},
        "tee ipv6/conf/eth1/disable_ipv6": {0},
    }
    asked = planned("br1 web1 fd00::1/64 -o accept_ra=2").steps
    assert [step.ok_codes for step in asked if "accept_ra" in str(step)] == [{0}]
    auto = planned("br1 web1 auto").steps
    assert [step.ok_codes for step in auto if "accept_ra" in str(step)] == [{0, 1}]
