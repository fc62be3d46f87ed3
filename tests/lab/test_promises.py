"""The engine's promises on a real kernel, for the kinds of link that need nothing but `ip`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from . import promises

if TYPE_CHECKING:
    from .host import PrivateHost

MAC = "02:00:00:00:00:11"
MAC2 = "02:00:00:00:00:12"

#: Name: what the host is like before, the request, and the command that brings the host back to that.
EMPTY = ""
BRIDGE = "ip link add br1 type bridge && ip link set br1 up && ip link add p0 master br1 type veth peer name p1"
NIC = "ip link add eth9 type veth peer name wire && ip link set wire up"
OTHER_DEFAULT = (
    "ip -n blue link add eth0 type veth peer name e0 && ip -n blue address add 10.9.0.2/24 dev eth0 && "
    "ip -n blue address add fd09::2/64 dev eth0 nodad && ip -n blue link set eth0 up && ip -n blue link set e0 up && "
    "ip -n blue route add default via 10.9.0.1 src 10.9.0.2 && ip -n blue -6 route add default via fd09::1"
)
GUEST_RESET = "ip -n blue link delete eth1; true; "
CASES = {
    "new bridge": (EMPTY, ("br1", "blue", "10.0.0.1/24", MAC), GUEST_RESET + "ip link delete br1"),
    "existing bridge": (BRIDGE, ("br1", "blue", "10.0.0.1/24,fd00::1/64", MAC), GUEST_RESET),
    "gateways": (
        OTHER_DEFAULT,
        ("br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64@fd01::1", MAC),
        GUEST_RESET + "ip link delete br1; ip -n blue route replace default via 10.9.0.1 dev eth0 src 10.9.0.2; "
        "ip -n blue -6 route replace default via fd09::1 dev eth0",
    ),
    "gateway outside": (BRIDGE, ("br1", "blue", "10.0.0.1/32@192.0.2.1", MAC), GUEST_RESET),
    "macvlan": (NIC, ("eth9", "blue", "10.0.0.1/24", MAC), GUEST_RESET + "ip link set eth9 down group default"),
}


@pytest.fixture
def prepared(host: PrivateHost, request: pytest.FixtureRequest) -> PrivateHost:
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "set", "lo", "up")
    before = CASES[request.param][0]
    if before:
        host.run("sh", "-ec", before)
    return host


every_case = pytest.mark.parametrize(
    ("prepared", "case"), [(name, name) for name in CASES], ids=list(CASES), indirect=["prepared"]
)


@every_case
def test_a_failure_or_interruption_after_any_step_undoes_everything(prepared: PrivateHost, case: str) -> None:
    promises.undoes_everything(prepared, ["blue"], *CASES[case][1])


@every_case
def test_a_run_killed_after_any_step_is_completed_by_running_it_again(prepared: PrivateHost, case: str) -> None:
    _, argv, reset = CASES[case]
    promises.survives_kills(prepared, ["blue"], *argv, reset=("sh", "-c", reset))


@every_case
def test_the_second_run_changes_nothing(prepared: PrivateHost, case: str) -> None:
    promises.needs_nothing_twice(prepared, ["blue"], *CASES[case][1])


def test_replacing_is_undone_after_any_step(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("sh", "-ec", OTHER_DEFAULT)
    host.run("sh", "-ec", BRIDGE)  # one of ours would go after the final step
    host.pipework("br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64", MAC)
    promises.undoes_everything(host, ["blue"], "--replace", "br2", "blue", "10.0.1.1/24", MAC2)


def test_replacing_gives_the_earlier_default_route_back(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("sh", "-ec", OTHER_DEFAULT)
    before = host.state(["blue"])["blue"]["routes -4"]
    host.pipework("br1", "blue", "10.0.0.1/24@10.0.0.254")
    host.pipework("--replace", "br1", "blue", "10.0.0.2/24")
    routes = host.state(["blue"])["blue"]["routes -4"]
    assert [route for route in before if "default" in route] == [route for route in routes if "default" in route]


def test_locks_and_the_preference_of_a_router_are_given_back(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("sh", "-ec", OTHER_DEFAULT)
    routes = (
        "ip -n blue route replace default via 10.9.0.1 mtu lock 1400 advmss 1300 rtt 80ms; "
        "ip -n blue -6 route delete default; ip -n blue -6 route add default via fd09::1 hoplimit lock 9 pref high"
    )
    host.run("sh", "-ec", routes)

    def shown() -> list[str]:
        said = host.run("ip", "-n", "blue", "route", "show", "table", "all", "default").stdout
        return sorted(said.splitlines())

    before = shown()
    assert [line.count("lock") for line in before] == [1, 1]
    promises.undoes_everything(host, ["blue"], "br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64@fd00::ff")
    assert shown() == before
    host.pipework("br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64@fd00::ff")
    host.pipework("--replace", "br1", "blue", "10.0.0.2/24")
    assert shown() == before


def test_a_different_request_is_refused_and_names_both(host: PrivateHost) -> None:
    host.netns("blue")
    host.pipework("br1", "blue", "10.0.0.1/24")
    before = host.state(["blue"])
    refused = host.pipework("br1", "blue", "10.0.0.2/24", check=False)
    assert refused.returncode == 1
    assert "10.0.0.1/24" in refused.stderr
    assert "10.0.0.2/24" in refused.stderr
    assert "--replace" in refused.stderr
    assert host.state(["blue"]) == before


@pytest.mark.parametrize("extra", [(), ("--replace",)], ids=["plain", "replace"])
def test_an_interface_of_somebody_else_is_never_touched(host: PrivateHost, extra: tuple[str, ...]) -> None:
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "add", "eth1", "type", "bridge")
    before = host.state(["blue"])
    refused = host.pipework(*extra, "br1", "blue", "10.0.0.1/24", check=False)
    assert refused.returncode == 1
    assert "not pipework's" in refused.stderr
    assert host.state(["blue"]) == before


def test_what_was_taken_away_by_hand_is_put_back(host: PrivateHost) -> None:
    host.netns("blue")
    argv = ("br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64", MAC)
    host.pipework(*argv)
    wanted = host.state(["blue"])
    host.run("ip", "-n", "blue", "address", "flush", "dev", "eth1")
    peer = next(link["name"] for link in wanted["host"]["links"] if link["kind"] == "veth")
    host.run("ip", "link", "set", "dev", peer, "nomaster", "down")
    assert host.state(["blue"]) != wanted
    host.pipework(*argv)
    assert host.state(["blue"]) == wanted


def test_twenty_at_once_on_a_bridge_that_does_not_exist_all_succeed(host: PrivateHost) -> None:
    names = [host.netns(f"guest{number}") for number in range(20)]
    started = [
        host.popen(*pipework(), "br1", name, f"10.0.0.{number}/24", stderr=-1)
        for number, name in enumerate(names, start=1)
    ]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 20, said
    ports = json.loads(host.run("ip", "-json", "link", "show", "master", "br1").stdout)
    assert len(ports) == 20
    assert host.ping("guest0", "10.0.0.20")


def test_a_failing_run_leaves_a_bridge_that_others_use(host: PrivateHost) -> None:
    """Both make br1; the one that fails finds the other's port on it and keeps it."""
    host.netns("blue")
    host.netns("red")
    host.pipework("br1", "red", "10.0.0.2/24")
    before = host.state(["red"])
    done = promises.sabotage(host, "fail", 3, "br1", "blue", "10.0.0.1/24")
    assert done.code == 1
    assert host.state(["red"]) == before


def pipework() -> tuple[str, ...]:
    return (sys.executable, "-P", "-m", "pipework_core")


@pytest.mark.parametrize("extra", [(), ("--replace",)], ids=["plain", "replace"])
@pytest.mark.parametrize("kind", ["bridge", "phys", "\x1b[2J", "../../x", ""])
def test_a_mark_that_a_guest_forged_changes_nothing(host: PrivateHost, kind: str, extra: tuple[str, ...]) -> None:
    """The root of a guest can give its interfaces any alias."""
    host.netns("blue")
    host.pipework("br1", "blue", "10.0.0.1/24")
    alias = f"pipework:1/kind:={kind}/on:=\x1b]0;owned\x07/req:=0badcafe/gw4:=via:,1.2.3.4:,dev:,lo:,table:,7/nic:=-x"
    host.run("ip", "-n", "blue", "link", "set", "eth1", "alias", alias)
    before = host.state(["blue"])
    refused = host.pipework(*extra, "eth9", "blue", "10.0.0.2/24", check=False)
    assert refused.returncode == 1
    assert "\x1b" not in refused.stderr
    assert "Traceback" not in refused.stderr
    assert host.state(["blue"]) == before


def test_a_default_route_that_could_not_be_given_back_is_not_taken(host: PrivateHost) -> None:
    host.netns("blue")
    host.run("ip", "-n", "blue", "route", "add", "blackhole", "default")
    before = host.state(["blue"])
    refused = host.pipework("br1", "blue", "10.0.0.1/24@10.0.0.254", check=False)
    assert refused.returncode == 1
    assert "could not be given back (blackhole)" in refused.stderr
    assert host.state(["blue"]) == before


@pytest.mark.parametrize("words", [("--help",), ("--json", "br1", "blue", "10.0.0.1/24"), ("route", "blue", "show")])
def test_a_full_disk_behind_stdout_is_a_sentence(host: PrivateHost, words: tuple[str, ...]) -> None:
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "set", "lo", "up")
    host.run("ip", "-n", "blue", "route", "add", "10.9.0.0/24", "dev", "lo")
    done = host.run("sh", "-c", 'exec "$@" >/dev/full', "sh", *pipework(), *words, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_guest_cannot_pass_anothers_port_off_as_its_own(host: PrivateHost) -> None:
    """Root in a guest makes a veth pair with the very two ifindexes that another guest's has."""
    for name in ("victim", "evil", "nested"):
        host.netns(name)
    host.pipework("br1", "victim", "10.1.0.1/24")
    host.pipework("br2", "evil", "10.2.0.2/24")
    (port,) = json.loads(host.run("ip", "-json", "link", "show", "master", "br1").stdout)
    evil = ("ip", "-n", "evil", "link")
    (mine,) = json.loads(host.run("ip", "-n", "evil", "-json", "link", "show", "dev", "eth1").stdout)
    host.run(*evil, "delete", "dev", "eth1")
    ends = ("name", "eth1", "index", str(port["link_index"]), "type", "veth", "peer", "name", "pz")
    host.run(*evil, "add", *ends, "index", str(port["ifindex"]), "netns", "nested")
    host.run(*evil, "set", "dev", "eth1", "alias", mine["ifalias"], "up")
    refused = host.pipework("br2", "evil", "10.2.0.2/24", check=False)
    assert refused.returncode == 1
    assert "lost its end on the host" in refused.stderr
    (still,) = json.loads(host.run("ip", "-json", "link", "show", "master", "br1").stdout)
    assert still["ifname"] == port["ifname"]
