"""What the method `dhcp` plans. What comes of it is proven in the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_backends.addressing.dhcp_busybox import DhcpBusybox, container_name
from pipework_core.cli import parser
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import GuestError, UsageError
from pipework_core.model.link import GuestState, HostState, Link, Route
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Netns, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.plan import Command, Plan

LINK = Link(name="eth1", ifindex=2, alias="pipework:1/kind:=bridge")
GUEST = Guest(name="web 1", runtime="docker", netns=Netns(path="/proc/42/ns/net"), id="abc", pid=42, inode=7)


def planned(
    *line: str,
    guest: Guest = GUEST,
    routes: tuple[Route, ...] = (),
    answer: str | None = None,
    kind: str = "bridge",
    existing: Link | None = None,
) -> Plan:
    attachment = parser.parse(line).request
    assert attachment
    context = Context(
        attachment=attachment._replace(interface="eth1", kind=kind),
        guest=guest,
        host_state=HostState(links={}),
        guest_state=GuestState(routes=routes),
        existing=existing or (None if answer is None else LINK),
        answers={"dhcp": Outcome(code=0, stdout=answer or "")},
    )
    return DhcpBusybox().plan(context, Tag(kind=kind))


def words(*line: str, **context: object) -> tuple[str, ...]:
    (step,) = planned(*line, **context).steps
    return step.argv[2:]


def test_all_that_the_container_needs_and_the_users_words_as_they_are() -> None:
    (step,) = planned("br1", "web1", "dhcp:-f -x 'hostname:a b'", "--timeout", "9").steps
    assert step.netns is None, "the engine is the host's"
    assert step.timeout > 9
    assert step.argv[2:] == (
        *("get", "/proc/42/ns/net", "runtime=docker", "container=abc", "image=busybox", "name=pipework-7-eth1"),
        *("guest=/proc/42/ns/net", "id=7-eth1", "family=4", "interface=eth1", "hostname=web 1", "timeout=9", "keep=1"),
        *("mtu=1", "--", "-x", "hostname:a b"),
    )
    (undo,) = step.undo
    assert undo.argv[2:] == ("stop", "/proc/42/ns/net", "runtime=docker", "name=pipework-7-eth1", "id=7-eth1")


def test_options_and_what_follows_from_them() -> None:
    assert "image=a.b/c:1" in words("br1", "web1", "dhcp", "-o", "image=a.b/c:1")
    assert "metric=5" in words("br1", "web1", "dhcp", "-o", "metric=5")
    assert "mtu=1" not in words("br1", "web1", "dhcp", "--mtu", "1400")
    assert "family=6" in words("-a", "6", "br1", "web1", "dhcp")
    assert "nodad=1" in words("-a", "6", "--no-dad", "br1", "web1", "dhcp")
    (step,) = planned("--dns", "br1", "web1", "dhcp").steps
    assert "dns=42" in step.argv
    assert step.undo[0].argv[-2:] == ("dns=42", "interface=eth1")


def test_a_shared_mac_is_no_identity() -> None:
    found = [word for word in words("eth0", "web1", "dhcp", kind="ipvlan") if word.startswith(("clientid", "broad"))]
    assert found[0] == "broadcast=1"
    assert found[1].startswith("clientid=00:")
    assert not any(word.startswith("clientid") for word in words("eth0", "web1", "dhcp", kind="macvlan"))


@pytest.mark.parametrize("option", ["image=", "image=--privileged", "image=a b", "metric=x", "metric=4294967296"])
def test_options_that_make_no_sense(option: str) -> None:
    with pytest.raises(UsageError):
        planned("br1", "web1", "dhcp", "-o", option)


def test_a_guest_that_is_no_container() -> None:
    with pytest.raises(GuestError, match="no container") as caught:
        planned("br1", "web1", "dhcp", guest=GUEST._replace(runtime="netns"))
    assert "dhclient" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("word", "answer", "there"),
    [("dhcp", "", {"leased": ("10.0.0.9/24",)}), ("dhcp:-f", "true\n", {"addresses": ("10.0.0.9/24",)})],
)
def test_what_is_there_needs_nothing(word: str, answer: str, there: dict[str, tuple[str]]) -> None:
    plan = planned("br1", "web1", word, answer=answer, existing=LINK._replace(**there))
    assert plan.steps == ()
    assert "has its lease" in plan.notes[0]
    assert planned("br1", "web1", word, answer=answer, existing=LINK).steps, "a client that still asks is not enough"


@pytest.mark.parametrize("word", ["dhcp", "dhcp:-f"])
def test_what_is_there_no_more_is_obtained_again(word: str) -> None:
    assert planned("br1", "web1", word, answer="").steps


def test_names_of_containers_differ_as_interfaces_do_and_are_allowed() -> None:
    names = [container_name(GUEST, name) for name in ("eth1", "eth_1", "eth_5f1", "é", "a+b")]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and set("+ ").isdisjoint(name) for name in names)


def test_a_default_route_of_the_guests_own_stays_first() -> None:
    own = Route(dst="default", family=4, via="10.1.0.1", dev="eth0")
    assert not any("metric=" in word for word in words("br1", "web1", "dhcp", routes=(own,)))
    assert not any(word.startswith("metric") for word in words("br1", "web1", "dhcp"))


def test_a_read_asks_for_the_container_that_stays() -> None:
    def asked(word: str) -> Mapping[str, Command]:
        attachment = parser.parse(("br1", "web1", word)).request
        assert attachment
        return DhcpBusybox().queries(attachment._replace(interface="eth1"), GUEST)

    assert asked("dhcp") == {}
    assert asked("dhcp:-f")["dhcp"].argv[-1] == "pipework-7-eth1"


@pytest.mark.parametrize("family", ["", "6"])
def test_detaching_gives_the_lease_back(family: str) -> None:
    attachment = parser.parse(("br1", "web1", "dhcp")).request
    assert attachment
    bare = attachment._replace(interface="eth1", kind="bridge", dhcp=None)
    context = Context(
        attachment=bare, guest=GUEST, host_state=HostState(links={}), guest_state=GuestState(), existing=LINK
    )
    stop, names = DhcpBusybox().release(context, Tag(kind="bridge", dhcp=f"dhcp{family}-f")).steps
    assert stop.argv[2:] == ("stop", "/proc/42/ns/net", "runtime=docker", "name=pipework-7-eth1", "id=7-eth1")
    assert "keep=1" in stop.undo[0].argv
    assert names.argv[3].endswith("resolv.py")
    release, _ = DhcpBusybox().release(context, Tag(kind="bridge", dhcp=f"dhcp{family}")).steps
    assert release.argv[2] == "release"
    assert {f"family={family or 4}", "hostname=web 1", "timeout=8"} <= set(release.argv)
    assert "keep=1" not in release.undo[0].argv
    for step in (stop, release, names):
        assert {0, 1, 125} <= step.ok_codes, "an engine that does not answer is no reason to stay attached"
