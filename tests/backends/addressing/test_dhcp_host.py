"""DHCP by a client of the host, as plans. What the scripts do is proven in the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_backends.addressing.dhcp_host import HostClient, pipework_addressing
from pipework_core.cli import parser
from pipework_core.model.context import Context, Guest
from pipework_core.model.errors import GuestError, HostError, UsageError
from pipework_core.model.link import GuestState, HostState, Link, Route
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Netns, Outcome

if TYPE_CHECKING:
    from pipework_core.model.plan import Command, Plan

GUEST = Guest(name="web 1", runtime="docker", netns=Netns(path="/proc/42/ns/net"), pid=42, inode=7)
MARK = Tag(kind="bridge", parent="br1")
LINK = Link(name="eth1", ifindex=2, up=True, alias=MARK.alias)
EARLIER = Route(dst="default", family=4, via="10.0.0.1", dev="eth0", words=("via", "10.0.0.1", "dev", "eth0"))
ALL = frozenset({"dhclient", "udhcpc", "udhcpc6", "dhcpcd"})


def context(line: str, *, answer: str = "", existing: Link | None = None, guest: Guest = GUEST) -> Context:
    attachment = parser.parse(line.split()).request
    assert attachment
    assert attachment.dhcp
    kind, client = attachment.kind or "bridge", attachment.dhcp.client
    attachment = attachment._replace(interface="eth1", kind=kind)
    reads = HostClient(client).queries(attachment, guest)
    answers = {key: Outcome(code=0, stdout=answer) for key in reads}
    return Context(
        attachment=attachment,
        guest=guest,
        host_state=HostState(links={}),
        guest_state=GuestState(),
        existing=existing,
        answers=answers,
        programs=ALL,
    )


def planned(view: Context) -> Plan:
    assert view.attachment.dhcp
    return HostClient(view.attachment.dhcp.client).plan(view, MARK)


def words(step: Command) -> dict[str, str]:
    """Return the settings of a call of lease.sh."""
    assert step.argv[0] == "sh"
    assert step.argv[1].endswith("/scripts/lease.sh")
    before = step.argv[3 : step.argv.index("--")]
    return dict(word.partition("=")[::2] for word in before)


@pytest.mark.parametrize("client", ["dhclient", "udhcpc", "dhcpcd"])
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("keep", ["", "-f"])
def test_a_lease_is_asked_for_patiently(client: str, family: int, keep: str) -> None:
    (step,) = planned(context(f"-a {family} br1 web1 {client}{keep} --timeout 12")).steps
    assert step.argv[2] == "get"
    assert words(step) == {
        "id": "7-eth1",
        "guest": "/proc/42/ns/net",
        "client": client,
        "family": str(family),
        "interface": "eth1",
        "hostname": "web 1",
        "timeout": "12",
        "mtu": "1",
        **({"keep": "1"} if keep else {}),
    }
    assert step.netns == GUEST.netns
    assert step.timeout > 12
    (undo,) = step.undo
    assert undo.argv[2:] == ("stop", "7-eth1")


def test_words_of_the_user_stay_behind_all_of_ours() -> None:
    attachment = parser.parse(["br1", "web1", "udhcpc:-x 'hostname:a b' --"]).request
    assert attachment
    view = context("br1 web1 udhcpc")
    (step,) = planned(view._replace(attachment=view.attachment._replace(dhcp=attachment.dhcp))).steps
    assert step.argv[step.argv.index("--") :] == ("--", "-x", "hostname:a b", "--")


def test_wishes_are_passed_on() -> None:
    (step,) = planned(context("--dns --no-dad --mtu 1400 -o metric=7 br1 web1 dhclient")).steps
    found = words(step)
    assert (found["dns"], found["nodad"], found["metric"]) == ("42", "1", "7")
    assert "mtu" not in found, "an MTU that was asked for is not the server's to change"


def test_a_default_route_keeps_its_place_unless_it_is_to_go() -> None:
    view = context("br1 web1 dhclient")
    beside = view._replace(guest_state=GuestState(routes=(EARLIER,)))
    assert "metric" not in words(planned(beside).steps[0]), "the hook chooses, when the lease is there"
    assert "-o metric=0" in planned(beside).notes[0]
    insist = context("-o metric=0 br1 web1 dhclient", existing=LINK)._replace(guest_state=GuestState(routes=(EARLIER,)))
    (step,) = planned(insist).steps
    assert words(step)["metric"] == "0"
    assert [str(undo).partition(" ip ")[2] for undo in step.undo[1:]] == [
        "-4 address flush dev eth1 dynamic",
        "-4 route replace default via 10.0.0.1 dev eth0",
    ]


def test_a_metric_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="metric=x is no metric"):
        planned(context("-o metric=x br1 web1 dhclient"))


def test_an_ipvlan_has_an_identity_of_its_own() -> None:
    found = {}
    for name, family in (("a", 4), ("b", 4), ("a", 6)):
        view = context(f"-a {family} ipvlan:eth0 web1 dhclient", guest=GUEST._replace(name=name))
        found[name, family] = words(planned(view).steps[0])
        assert found[name, family]["broadcast"] == "1"
    assert len({entry["clientid"] for entry in found.values()}) == 3
    assert found["a", 4]["clientid"].startswith("00:")
    assert found["a", 6]["clientid"].startswith("00:04:")


def test_a_lease_that_is_there_needs_nothing() -> None:
    held = LINK._replace(leased=("fd00::7/64", "fd00::5/128", "10.0.0.5/24"))
    for family, address in ((4, "10.0.0.5/24"), (6, "fd00::5/128")):
        plan = planned(context(f"-a {family} br1 web1 dhclient", existing=held))
        assert (plan.steps, plan.notes) == ((), (f"eth1 has {address} from a DHCP server",))
    assert planned(context("br1 web1 dhclient")).steps, "that of a link that is replaced does not count"
    advertised = LINK._replace(leased=("fd00::7/64",))
    assert planned(context("-a 6 br1 web1 dhclient", existing=advertised)).steps


def test_a_lease_without_an_end_brings_an_address_without_one() -> None:
    held = LINK._replace(addresses=("192.0.2.9/24", "10.0.0.5/24"))
    plan = planned(context("br1 web1 192.0.2.9/24,dhclient", existing=held))
    assert (plan.steps, plan.notes) == ((), ("eth1 has 10.0.0.5/24 from a DHCP server",))
    static = LINK._replace(addresses=("192.0.2.9/24",))
    assert planned(context("br1 web1 192.0.2.9/24,dhclient", existing=static)).steps
    assert planned(context("-a 6 br1 web1 dhclient", existing=held)).steps


def test_what_the_kind_gave_itself_is_not_given_back() -> None:
    view = context("br1 web1 dhclient", existing=LINK)._replace(keeps_lease=True)
    (names,) = HostClient("dhclient").release(view, MARK._replace(dhcp="dhclient")).steps
    assert "resolv.py" in names.argv[3]
    stop, _ = HostClient("dhclient").release(view, MARK._replace(dhcp="dhclient-f")).steps
    assert "stop" in stop.argv


def test_a_lease_that_has_expired_is_asked_for_again() -> None:
    (step,) = planned(context("br1 web1 dhclient", existing=LINK)).steps
    assert step.reason == "get an address for eth1 by dhclient again, since its lease has expired"
    for line, existing in (
        ("br1 web1 dhclient", None),
        ("br1 web1 dhclient", LINK._replace(group="28791", alias="")),
        ("br1 web1 dhclient-f", LINK),
    ):
        (step,) = planned(context(line, existing=existing)).steps
        assert "expired" not in step.reason


def test_a_client_that_stays_already_needs_nothing() -> None:
    """With the address, which has no lifetime when the lease has none."""
    answer = "9-eth1 dhclient 4 10.0.0.9/24\n7-eth1 dhclient 4 10.0.0.5/24\n"
    for held in (LINK._replace(leased=("10.0.0.5/24",)), LINK._replace(addresses=("10.0.0.5/24",))):
        plan = planned(context("br1 web1 dhclient-f", answer=answer, existing=held))
        assert (plan.steps, plan.notes) == ((), ("dhclient keeps the lease of eth1",))
    others = ("", "9-eth1 dhclient 4 10.0.0.5/24\n", "7-eth1 dhclient 6 fd00::1/128\n", "7-eth1 udhcpc 4 10.0.0.5/24\n")
    for other in others:
        assert planned(context("br1 web1 dhclient-f", answer=other, existing=held)).steps
    assert planned(context("br1 web1 dhclient-f", answer=answer, existing=LINK)).steps, "the address is not there"


def test_a_client_that_is_missing_is_named_with_its_package() -> None:
    for line, name in (("br1 web1 dhclient", "dhclient"), ("-a 6 br1 web1 udhcpc", "udhcpc6")):
        with pytest.raises(HostError, match=f"{name} is not installed here") as caught:
            planned(context(line)._replace(programs=ALL - {name}))
        assert "install it" in str(caught.value.hint)


def test_a_guest_without_a_process_has_no_name_servers() -> None:
    with pytest.raises(GuestError, match=r"no /etc/resolv\.conf of its own"):
        planned(context("--dns br1 web1 dhclient", guest=GUEST._replace(pid=0)))


@pytest.mark.parametrize("client", ["dhclient", "udhcpc", "dhcpcd"])
@pytest.mark.parametrize("family", ["", "6"])
def test_detaching_gives_the_lease_back(client: str, family: str) -> None:
    view, method = context("br1 web1 dhclient"), HostClient(client)
    stop, names = method.release(view, MARK._replace(dhcp=f"{client}{family}-f")).steps
    assert stop.argv[2:] == ("stop", "7-eth1")
    assert stop.netns is None
    assert words(stop.undo[0])["keep"] == "1"
    release, names = method.release(view, MARK._replace(dhcp=f"{client}{family}")).steps
    assert release.argv[2] == "release"
    found = words(release)
    assert (found["client"], found["family"], found["hostname"]) == (client, family or "4", "web 1")
    assert names.argv[3].endswith("resolv.py")
    assert {0, 1} <= release.ok_codes, "a server that does not answer is no reason to stay attached"


def test_all_three_are_registered() -> None:
    assert [one.method for one in pipework_addressing()] == ["dhclient", "udhcpc", "dhcpcd"]
