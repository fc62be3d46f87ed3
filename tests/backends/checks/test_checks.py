"""What checks make of a host that is made up: what they say, and when they say nothing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from pipework_backends.checks import (
    dhcp_servers,
    engines,
    firewall,
    ipv6,
    leases,
    mac_filter,
    modules,
    mtu,
    parents,
    spanning_tree,
    tools,
)
from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.model.plan import Outcome
from pipework_core.model.status import EXPIRED, UP, AttachmentStatus
from pipework_core.testing.facts import make_facts, make_guest, make_link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.link import Link
    from pipework_core.plugins.api import Check

GOOD = Outcome(code=0)
WEB1 = AttachmentStatus(interface="eth1", kind="macvlan", parent="eth0", guest=make_guest(), mtu=1500, mac="02::1")


def judge(
    check: Check, *attached: AttachmentStatus, host: Iterable[Link] = (), programs: str = "", **answers: Outcome
) -> list[Finding]:
    examination = Examination(
        host_state=make_facts(host=host).host, attachments=attached, programs=frozenset(programs.split())
    )
    return list(check.judge(examination, answers))


def grades(found: list[Finding]) -> list[str]:
    return [finding.severity for finding in found]


@pytest.mark.parametrize("platform", mac_filter.PLATFORMS, ids=lambda one: str(one.name))
@pytest.mark.parametrize("used", [True, False])
def test_each_platform_is_recognised_by_each_of_its_signs(platform: mac_filter.Platform, *, used: bool) -> None:
    for field, sign in platform.signs:
        dmi = Outcome(code=0, stdout=f"/sys/class/dmi/id/{field}:{sign} and more\n")
        attached = [WEB1] if used else []
        found = judge(mac_filter.MacFilterCheck(), *attached, host=[make_link("eth0")], dmi=dmi, wifi=GOOD)
        assert [(finding.severity, finding.advice) for finding in found] == [
            (WARNING if used else INFO, platform.advice)
        ]


@pytest.mark.parametrize("kind", ["ipvlan", "dummy"])
def test_who_has_no_mac_of_its_own_is_not_filtered(kind: str) -> None:
    wifi = Outcome(code=0, stdout="/sys/class/net/eth0/phy80211\n")
    entry = WEB1._replace(kind=kind)
    assert judge(mac_filter.MacFilterCheck(), entry, host=[make_link("eth0")], dmi=GOOD, wifi=wifi) == []


def test_the_nic_is_found_below_bridges_bonds_and_vlans() -> None:
    wifi = Outcome(code=0, stdout="/sys/class/net/wlan0/phy80211\n/sys/class/net/wlan1/phy80211\n")
    host = [
        make_link("br1", kind="bridge", up=True),
        make_link("v10", kind="vlan", parent="bond0", master="br1"),
        make_link("bond0", kind="bond", data={"mode": "802.3ad"}),
        make_link("wlan0", master="bond0"),
        make_link("wlan1"),
        make_link("port", kind="veth", peer_elsewhere=True, master="br1"),
    ]
    (found,) = judge(
        mac_filter.MacFilterCheck(), WEB1._replace(kind="bridge", parent="br1"), host=host, dmi=GOOD, wifi=wifi
    )
    assert "wlan0" in found.what


@pytest.mark.parametrize("parent", ["bond0", "br1", "v10"])
@pytest.mark.parametrize(("mode", "grade"), [("balance-alb", [WARNING]), ("balance-tlb", [WARNING]), ("802.3ad", [])])
def test_bonds_that_mix_macs(parent: str, mode: str, grade: list[str]) -> None:
    host = [
        make_link("bond0", kind="bond", up=True, data={"mode": mode}, master="br1" if parent == "br1" else ""),
        make_link("br1", kind="bridge", up=True),
        make_link("v10", kind="vlan", up=True, parent="bond0"),
        make_link("eth0", up=True, master="bond0"),
    ]
    found = judge(parents.ParentCheck(), WEB1._replace(parent=parent), host=host)
    assert grades([finding for finding in found if finding.severity != INFO]) == grade


def test_who_is_cut_off_is_named_but_for_a_crowd() -> None:
    guests = [make_guest(f"web{number}") for number in (1, 2, 3, 4, 5, 6, 7)]
    attached = [WEB1._replace(guest=guest) for guest in guests]
    (found,) = judge(parents.ParentCheck(), *attached[:1], host=[make_link("eth0")])
    assert found.why == "Nothing passes between it and docker:web1."
    (found,) = judge(parents.ParentCheck(), *attached, host=[make_link("eth0")])
    assert found.why.endswith(" and docker:web5 and 2 more.")


def test_an_ipvlan_s_parent_takes_no_macvlan() -> None:
    host = [make_link("eth0", up=True), make_link("i", kind="ipvlan", parent="eth0")]
    (found,) = judge(parents.ParentCheck(), host=host)
    assert (found.severity, found.advice) == (INFO, "Attach to ipvlan:eth0.")
    assert judge(parents.ParentCheck(), host=[make_link("eth0", up=True)]) == []


def test_kinds_without_a_module() -> None:
    missing = Outcome(code=2, stderr="Error: Unknown device type.")
    (found,) = judge(modules.ModuleCheck(), veth=GOOD, vlan=missing, dummy=missing)
    assert found.what == "This kernel cannot make VLANs of a NIC, dummy."
    refused = Outcome(code=2, stderr="RTNETLINK answers: Operation not permitted")
    assert judge(modules.ModuleCheck(), veth=GOOD, dummy=refused) == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Outcome(code=0, stdout="/proc/sys/net/ipv6/conf/all/disable_ipv6:0\n"), ""),
        (Outcome(code=0, stdout="/proc/sys/net/ipv6/conf/all/disable_ipv6:1\n"), "switched off"),
        (Outcome(code=2), "without IPv6"),
        (Outcome(code=127), ""),
        (Outcome(code=TIMED_OUT), ""),
    ],
)
def test_ipv6_of_the_host(answer: Outcome, words: str) -> None:
    told = list(ipv6.Ipv6Check().judge(Examination(), {"host": answer}))
    assert (words in told[0].what) if words else told == []
    # Guests of such a host can have it all the same.
    assert grades(told) == ([INFO] if words == "switched off" else [WARNING] if words else [])


def test_servers_without_number_are_a_line() -> None:
    answers = "".join(f"10.0.{number // 250}.{number % 250} 02:00:00:00:00:01\n" for number in range(5000))
    entry = WEB1._replace(state=UP)
    (found,) = judge(dhcp_servers.DhcpServerCheck(), entry, **{"0": Outcome(code=0, stdout=answers)})
    assert "10.0.0.4 (02:00:00:00:00:01) and 4995 more." in found.what


HOSTILE = "a'`b`'$(c)"  # as it stands, a shell would take the quotes away


@pytest.mark.parametrize(
    "check", [mtu.MtuCheck(), parents.ParentCheck(), spanning_tree.SpanningTreeCheck(), firewall.FirewallCheck()]
)
def test_names_in_commands_can_be_pasted(check: Check) -> None:
    """The kernel lets an interface be called almost anything (`dev_valid_name()` in net/core/dev.c)."""
    host = [
        make_link(HOSTILE, kind="bridge", up=True, mtu=1400, data={"stp_state": 1, "forward_delay": 1500}),
        make_link(f"{HOSTILE}0", kind="bond", up=True, data={"mode": "balance-alb"}),
        make_link(f"{HOSTILE}1", master=f"{HOSTILE}0"),
        make_link(f"{HOSTILE}2", kind="veth", master=HOSTILE, peer_elsewhere=True, up=True, mtu=9000),
        make_link(f"{HOSTILE}3", kind="bridge"),
    ]
    attached = [
        WEB1._replace(kind="bridge", parent=HOSTILE, host_end=f"{HOSTILE}2", mtu=9000),
        WEB1._replace(parent=f"{HOSTILE}0"),
        WEB1._replace(kind="bridge", parent=f"{HOSTILE}3", mtu=0),
    ]
    answers = {"bridged frames": Outcome(code=0, stdout="1\n"), "firewall": Outcome(code=0, stdout="-P FORWARD DROP\n")}
    found = judge(check, *attached, host=host, programs="", **answers)
    words = [word for finding in found for command in finding.mend for word in shlex.split(command)]
    assert {word.rstrip("0123") for word in words if set(word) & set(";`$")} == {HOSTILE}


def test_programs() -> None:
    all_there = "ip nsenter lsns arping docker podman lxc-info udhcpc"
    ip = Outcome(code=0, stdout="ip utility, iproute2-6.1.0, libbpf 1.1.0\n")
    assert grades(judge(tools.ToolCheck(), programs=all_there, ip=ip)) == [INFO]
    assert grades(judge(tools.ToolCheck(), programs="ip nsenter lsns arping", ip=ip)) == [WARNING]
    found = judge(tools.ToolCheck(), programs="arping udhcpc")
    assert [finding.what.split()[0] for finding in found if finding.severity == ERROR] == ["ip", "nsenter", "lsns"]


@pytest.mark.parametrize(
    ("dhcp", "alive", "state", "grade"),
    [
        ("", None, "up", []),
        ("auto", None, "up", []),
        ("udhcpc-f", True, "up", []),
        ("udhcpc-f", False, "up", [ERROR]),
        ("udhcpc", None, "up", [WARNING]),
        ("dhclient6", None, "up", [WARNING]),
        ("dhcp", None, "up", [WARNING]),
        ("udhcpc", None, EXPIRED, [ERROR]),
        ("udhcpc", None, "orphan", []),
    ],
)
def test_leases(dhcp: str, alive: bool | None, state: str, grade: list[str]) -> None:  # noqa: FBT001 - as in a status
    found = judge(leases.LeaseCheck(), WEB1._replace(dhcp=dhcp, alive=alive, state=state))
    assert grades(found) == grade


@pytest.mark.parametrize(
    ("dhcp", "vlan", "command"),
    [
        ("udhcpc", "", "pipework --replace macvlan:eth0 -i eth1 docker:web1 udhcpc-f 02::1"),
        ("dhcp", "10", "pipework --replace macvlan:eth0 -i eth1 docker:web1 dhcp:-f 02::1@10"),
        ("dhclient6", "", "pipework --replace macvlan:eth0 -i eth1 -a 6 docker:web1 dhclient-f 02::1"),
    ],
)
def test_the_same_interface_with_a_client_that_stays(dhcp: str, vlan: str, command: str) -> None:
    (found,) = judge(leases.LeaseCheck(), WEB1._replace(dhcp=dhcp, vlan=vlan))
    assert found.mend == (command,)


@pytest.mark.parametrize(
    ("guest", "end", "bridge", "nic", "grade"),
    [
        (1500, 1500, 1500, 1500, []),
        (1400, 1400, 1500, 1500, []),
        (9000, 9000, 9000, 9000, []),
        (9000, 9000, 1500, 1500, [WARNING]),
        (9000, 9000, 9000, 1500, [WARNING]),
        (1400, 1500, 1500, 1500, [WARNING]),
    ],
)
def test_mtus_on_the_way(guest: int, end: int, bridge: int, nic: int, grade: list[str]) -> None:
    host = [
        make_link("br1", kind="bridge", mtu=bridge),
        make_link("eth0", master="br1", mtu=nic),
        make_link("port1", kind="veth", peer_elsewhere=True, master="br1", mtu=end),
        make_link("port2", kind="veth", peer_elsewhere=True, master="br1", mtu=1280),
    ]
    entry = WEB1._replace(kind="bridge", parent="br1", host_end="port1", mtu=guest)
    assert grades(judge(mtu.MtuCheck(), entry, host=host)) == grade


def engine(code: int, *, sockets: str = "", stdout: str = "[]") -> list[Finding]:
    answers = {"sockets": sockets, "variable": "", "context": "default unix:///var/run/docker.sock"}
    said = {key: Outcome(code=0, stdout=text) for key, text in answers.items()}
    return judge(engines.EngineCheck(), **said, engine=Outcome(code=code, stdout=stdout, stderr="Cannot connect"))


def test_an_engine_that_was_never_started_is_no_fault() -> None:
    assert engine(0) == []
    assert grades(engine(1)) == [INFO]
    assert grades(engine(1, sockets="/run/docker.sock\n")) == [WARNING]
    assert grades(engine(TIMED_OUT)) == [WARNING]
    assert judge(engines.EngineCheck(), sockets=GOOD) == []
