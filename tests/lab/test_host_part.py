"""The host's own part in a network: a gateway behind one end of a veth pair, the other end stands in for the NIC."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from pipework_core.testing.saboteur import NO_MORE

from . import promises

if TYPE_CHECKING:
    from pipework_core.testing.state import Network

    from .host import PrivateHost
    from .ovs import OpenVSwitch

#: A NIC with all that can be lost on the way: several addresses, one with a label, routes of two tables and families.
NIC = (
    "ip link add eth9 type veth peer name wire netns gw; "
    "ip -n gw address add 10.1.1.254/24 dev wire; ip -n gw address add fd01::ff/64 dev wire nodad; "
    "ip -n gw link set wire up; ip link set eth9 up; "
    "ip address add 10.1.1.123/24 broadcast + dev eth9; ip address add 10.1.1.124/24 dev eth9 label eth9:1; "
    "ip address add 10.9.9.1 peer 10.9.9.2/32 dev eth9; "
    "ip address add fd01::1/64 dev eth9 nodad; ip address change fd01::1/64 dev eth9; "
    "ip route add default via 10.1.1.254 metric 100 proto static src 10.1.1.123; "
    "ip route add 10.5.0.0/16 via 10.9.9.2 metric 5; ip route add 10.6.0.0/16 via 10.1.1.254 table 77; "
    "ip route add unreachable 10.7.0.0/16; ip -6 route add default via fd01::ff; ip -6 route add fd55::/32 via fd01::9"
)
BARE = "ip link add eth9 type veth peer name wire netns gw; ip -n gw link set wire up; ip link set eth9 up"
ARGV = ("host", "eth9", "10.1.1.123/24@10.1.1.254,fd01::1/64")
#: Everything is back once the guard has done its work; generous, since the machine may be busy.
GUARDED = 60.0


def prepare(host: PrivateHost, script: str = NIC) -> dict[str, Network]:
    host.netns("gw")
    host.run("sh", "-ec", script)
    host.run("ip", "-n", "gw", "link", "set", "lo", "up")
    return host.state(["gw"])


def details(host: PrivateHost, name: str) -> object:
    """Return the addresses of an interface with broadcast, label and flags, which the state leaves out."""
    rows = json.loads(host.run("ip", "-json", "address", "show", "dev", name).stdout)
    left_out = {"valid_life_time", "preferred_life_time", "tentative"}
    return [
        {key: value for key, value in info.items() if key not in left_out}
        for info in rows[0]["addr_info"]
        if info["scope"] == "global"
    ]


def silence(host: PrivateHost) -> None:
    """Let the gateway hear nothing any more; the NIC keeps its carrier."""
    host.run("sh", "-ec", "ip -n gw link add br0 type bridge; ip -n gw link set wire master br0")


def guards(host: PrivateHost) -> list[str]:
    """Return the command lines of guards that run."""
    script = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f 2>/dev/null | grep -a host_guard; done; :"
    return [line for line in host.run("sh", "-c", script).stdout.splitlines() if "for f in" not in line]


def await_state(host: PrivateHost, wanted: dict[str, Network]) -> None:
    deadline = time.monotonic() + GUARDED
    while (now := host.state(["gw"])) != wanted:
        assert time.monotonic() < deadline, f"{now} is not {wanted}"
        time.sleep(0.2)


def await_no_guard(host: PrivateHost) -> None:
    deadline = time.monotonic() + GUARDED
    while running := guards(host):
        assert time.monotonic() < deadline, running
        time.sleep(0.1)


def test_host_and_macvlan_guests_reach_each_other_and_all_of_it_can_be_taken_back(host: PrivateHost) -> None:
    before = prepare(host)
    had = details(host, "eth9")
    host.netns("blue")
    host.pipework("eth9", "blue", "10.1.1.7/24,fd01::7/64")
    assert not host.ping("blue", "10.1.1.123", within=1)
    host.pipework(*ARGV)
    assert host.ping("blue", "10.1.1.123")
    assert host.ping("blue", "fd01::1")
    assert host.ping(None, "10.1.1.7")
    assert host.ping(None, "fd01::7")
    assert host.ping("gw", "10.1.1.123")
    assert host.ping(None, "10.1.1.254")
    assert details(host, "eth9") == []
    promises.needs_nothing_twice(host, ["gw", "blue"], *ARGV)
    host.pipework("host", "--remove", "eth9")
    assert host.ping("gw", "10.1.1.123")
    host.run("ip", "netns", "delete", "blue")
    assert host.state(["gw"]) == before
    assert details(host, "eth9") == had
    again = host.pipework("-v", "host", "--remove", "eth9")
    assert "nothing to do" in again.stderr
    await_no_guard(host)


def test_a_failure_or_interruption_after_any_step_leaves_the_nic_as_it_was(host: PrivateHost) -> None:
    prepare(host)
    had = details(host, "eth9")
    assert promises.undoes_everything(host, ["gw"], *ARGV) > 12
    assert details(host, "eth9") == had
    host.pipework(*ARGV)
    assert promises.undoes_everything(host, ["gw"], "host", "--remove", "eth9") > 8
    await_no_guard(host)


def test_what_the_nic_did_not_have_goes_with_the_sibling(host: PrivateHost) -> None:
    before = prepare(host, BARE + "; ip -n gw address add 10.1.1.254/24 dev wire")
    host.pipework("host", "eth9", "10.1.1.123/24@10.1.1.254,fd01::1/64")
    assert host.ping("gw", "10.1.1.123")
    assert "gateway=10.1.1.254" in " ".join(host.state()["host"]["routes -4"])
    host.pipework("host", "--remove", "eth9")
    assert host.state(["gw"]) == before


def test_a_nic_that_was_down_is_down_again(host: PrivateHost) -> None:
    before = prepare(host, BARE + "; ip link set eth9 down")
    argv = ("host", "eth9", "10.1.1.123/24")
    promises.undoes_everything(host, ["gw"], *argv)
    host.pipework(*argv)
    host.pipework("host", "--remove", "eth9")
    assert host.state(["gw"]) == before


def test_a_link_local_gateway_is_asked_like_any_other(host: PrivateHost) -> None:
    script = "; ip -n gw address add fe80::ff/64 dev wire nodad; ip address add fd01::1/64 dev eth9 nodad"
    before = prepare(host, BARE + script + "; ip -6 route add default via fe80::ff dev eth9 proto static metric 77")
    host.pipework("host", "eth9", "fd01::1/64")
    (route,) = (line for line in host.state()["host"]["routes -6"] if "dst=default" in line)
    assert "dev=eth9-host" in route
    assert "metric=77" in route
    host.pipework("host", "--remove", "eth9")
    assert host.state(["gw"]) == before


def test_everything_moves_back_when_the_gateway_does_not_answer(host: PrivateHost) -> None:
    prepare(host)
    silence(host)
    before = host.state(["gw"])
    failed = host.pipework(*ARGV, "--confirm-within", "1", check=False)
    assert failed.returncode == 1
    assert "the gateway 10.1.1.254 did not answer within 1 seconds" in failed.stderr
    assert host.state(["gw"]) == before
    await_no_guard(host)
    host.pipework(*ARGV, "--confirm-within", "0")
    assert "eth9-host" in {link["name"] for link in host.state()["host"]["links"]}


@pytest.mark.parametrize("steps", [6, 9, 16])
def test_everything_moves_back_when_pipework_is_killed(host: PrivateHost, steps: int) -> None:
    """Behind the first address that is taken, half-way, and with all of it moved but not settled."""
    before = prepare(host)
    had = details(host, "eth9")
    killed = promises.sabotage(host, "kill", steps, *ARGV, "--confirm-within", "1")
    assert killed.code == -9
    assert host.state(["gw"]) != before
    assert guards(host)
    await_state(host, before)
    assert details(host, "eth9") == had
    await_no_guard(host)


@pytest.mark.parametrize("steps", [1, 3, 4, 9])
def test_the_next_run_completes_what_a_killed_one_began(host: PrivateHost, steps: int) -> None:
    before = prepare(host)
    promises.sabotage(host, "kill", steps, *ARGV, "--confirm-within", "1")
    host.pipework(*ARGV)
    assert host.ping("gw", "10.1.1.123")
    await_no_guard(host)
    assert "nothing to do" in host.pipework("-v", *ARGV).stderr
    host.pipework("host", "--remove", "eth9")
    assert host.state(["gw"]) == before


@pytest.mark.parametrize("steps", [4, 9])
def test_what_a_killed_run_left_can_be_taken_back(host: PrivateHost, steps: int) -> None:
    before = prepare(host)
    promises.sabotage(host, "kill", steps, *ARGV, "--confirm-within", "60")
    host.pipework("host", "--remove", "eth9")
    assert host.state(["gw"]) == before
    await_no_guard(host)


def test_a_killed_removal_is_completed_by_the_next(host: PrivateHost) -> None:
    before = prepare(host)
    for steps in range(1, 30):
        host.pipework(*ARGV, "--confirm-within", "0")
        code = promises.sabotage(host, "kill", steps, "host", "--remove", "eth9").code
        host.pipework("host", "--remove", "eth9")
        assert host.state(["gw"]) == before, f"killed behind {steps} steps"
        if code == NO_MORE:
            break
    else:
        pytest.fail("there was no end to it")


def test_the_dry_run_s_script_does_the_same(host: PrivateHost) -> None:
    before = prepare(host)
    script = host.pipework("--dry-run", *ARGV).stdout
    assert host.state(["gw"]) == before
    host.run("sh", "-s", input=script)
    promises.needs_nothing_twice(host, ["gw"], *ARGV)
    host.run("sh", "-s", input=host.pipework("--dry-run", "host", "--remove", "eth9").stdout)
    assert host.state(["gw"]) == before


def test_hostile_names(host: PrivateHost) -> None:
    name = """a'b"$c;`d\\#"""
    prepare(host, ":")
    host.run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", "wire", "netns", "gw")
    host.run("ip", "-n", "gw", "link", "set", "wire", "up")
    host.run("ip", "link", "set", "dev", name, "up")
    host.run("ip", "address", "add", "10.1.1.123/24", "dev", name)
    before = host.state(["gw"])
    promises.sabotage(host, "kill", 6, "host", name, "10.1.1.123/24", "--confirm-within", "1")
    assert host.state(["gw"]) != before
    await_state(host, before)
    host.pipework("host", name, "10.1.1.123/24")
    host.pipework("host", "--remove", name)
    assert host.state(["gw"]) == before


@pytest.mark.parametrize(
    ("script", "argv", "said"),
    [
        ("ip address add 10.1.1.9/24 dev eth9 valid_lft 600 preferred_lft 600", "eth9 10.1.1.9/24", "from DHCP"),
        ("ip address add 10.1.1.9/16 dev eth9", "eth9 10.1.1.9/24", "has 10.1.1.9/16, not 10.1.1.9/24"),
        ("ip address add 10.1.1.9/24 dev lo", "eth9 10.1.1.9/24", "lo has 10.1.1.9/24 already"),
        ("ip link add eth9-host type veth peer name x", "eth9 10.1.1.9/24", "that is not pipework's"),
        ("ip link add br8 type bridge; ip link set eth9 master br8", "eth9 10.1.1.9/24", "is a port of br8"),
        ("ip address add 10.1.1.9/24 dev eth9; ip route add default via 10.1.1.1", "eth9 10.1.1.9/24@10.1.1.2", "goes"),
        ("ip address add 10.1.1.9/24 dev eth9 label eth9:longlabel", "eth9 10.1.1.9/24", "too long"),
        (":", "lo 10.1.1.9/24", "no Ethernet interface"),
        (":", "eth77 10.1.1.9/24", "no interface 'eth77'"),
        (":", "dummy0 10.1.1.9/24", "is neither"),
        (":", "ipvlan:eth9 10.1.1.9/24", "is neither"),
        ("ip link add br7 type bridge; ip link set br7 alias mine", "br7 10.1.1.9/24", "an alias of somebody else"),
        ("ip address add 10.1.1.9/24 dev lo", "br7 10.1.1.9/24", "lo has 10.1.1.9/24 already"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(host: PrivateHost, script: str, argv: str, said: str) -> None:
    prepare(host, BARE)
    host.run("sh", "-ec", script)
    before = host.state(["gw"])
    refused = host.pipework("host", *argv.split(), check=False)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "hint:" in refused.stderr
    assert host.state(["gw"]) == before


def test_another_request_is_a_conflict(host: PrivateHost) -> None:
    prepare(host)
    host.pipework(*ARGV)
    host.pipework("host", "br7", "192.168.1.254/24")
    for argv in (("eth9", "10.1.1.9/24"), ("br7", "192.168.1.253/24")):
        before = host.state(["gw"])
        refused = host.pipework("host", *argv, check=False)
        assert refused.returncode == 1
        assert f"pipework host --remove {argv[0]}" in refused.stderr
        assert host.state(["gw"]) == before


@pytest.mark.parametrize(
    "script", [":", "ip link add br7 type bridge", "ip link add br7 type bridge; ip link set br7 up"]
)
def test_the_host_is_on_a_bridge_and_off_again(host: PrivateHost, script: str) -> None:
    host.netns("blue")
    host.run("sh", "-ec", script)
    before = host.state(["blue"])
    argv = ("host", "br7", "192.168.1.254/24,fd07::254/64")
    promises.undoes_everything(host, ["blue"], *argv)
    promises.needs_nothing_twice(host, ["blue"], *argv)
    host.pipework("br7", "blue", "192.168.1.1/24@192.168.1.254,fd07::1/64")
    assert host.ping("blue", "192.168.1.254")
    assert host.ping(None, "fd07::1")
    host.pipework("detach", "blue")
    promises.undoes_everything(host, ["blue"], "host", "--remove", "br7", modes=("interrupt",), first=3)
    host.pipework("host", "--remove", "br7")
    assert host.state(["blue"]) == before


def test_the_bridge_stays_while_a_guest_is_on_it(host: PrivateHost) -> None:
    host.netns("blue")
    host.pipework("br7", "blue", "192.168.1.1/24")
    before = host.state(["blue"])
    host.pipework("host", "br7", "192.168.1.254/24")
    host.pipework("host", "--remove", "br7")
    assert host.state(["blue"]) == before


def test_what_somebody_else_gave_a_bridge_stays(host: PrivateHost) -> None:
    host.run("sh", "-ec", "ip link add br7 type bridge; ip link set br7 up; ip address add 192.168.1.254/24 dev br7")
    host.pipework("host", "br7", "192.168.1.254/24,192.168.2.254/24")
    host.pipework("host", "--remove", "br7")
    (entry,) = (line for line in host.state()["host"]["addresses"] if line.startswith("br7"))
    assert "192.168.1.254/24" in entry


def test_a_bridge_with_a_gateway_that_is_not_there(host: PrivateHost) -> None:
    before = host.state()
    failed = host.pipework("host", "br7", "192.168.1.254/24@192.168.1.1", "--confirm-within", "1", check=False)
    assert failed.returncode == 1
    assert "did not answer" in failed.stderr
    assert host.state() == before


def test_the_local_port_of_open_vswitch(ovs: OpenVSwitch) -> None:
    host = ovs.host
    host.netns("white")
    before = host.state(["white"])
    argv = ("host", "ovs77", "192.168.77.254/24")
    host.run("ovs-vsctl", "add-br", "ovs77", "--", "set", "bridge", "ovs77", "datapath_type=netdev")
    made = host.state(["white"])
    promises.undoes_everything(host, ["white"], *argv)
    promises.needs_nothing_twice(host, ["white"], *argv)
    host.pipework("host", "--remove", "ovs77")
    assert host.state(["white"]) == made
    host.run("ovs-vsctl", "del-br", "ovs77")
    assert host.state(["white"]) == before


def test_a_file_with_the_host_s_own_parts_and_nothing_of_them_is_a_stranger(host: PrivateHost) -> None:
    addresses = "ip address add 10.1.1.123/24 dev eth9; ip -n gw address add 10.1.1.254/24 dev wire"
    before = prepare(host, f"{BARE}; {addresses}")
    host.write(
        "/run/lab/host.yaml",
        "version: 1\nhost:\n- host: eth9\n  address: [10.1.1.123/24, fd01::1/64]\n  gateway: 10.1.1.254\n"
        "- host: br7\n  address: 192.168.1.254/24\nlinks:\n- eth9 gw 10.1.1.7/24\n",
    )
    file = ("-f", "/run/lab/host.yaml")
    for _ in range(2):
        host.pipework("up", *file, "--prune")
        assert host.pipework("status", *file).stdout == ""
        shown = host.pipework("ls").stdout
        assert [shown.count(name) for name in ("eth9-host", "br7  ", "netns:gw")] == [1, 2, 1]
    assert "eth9-host" in host.run("ip", "link").stdout
    host.run("ip", "address", "delete", "fd01::1/64", "dev", "eth9-host")
    drift = host.pipework("status", *file, check=False)
    assert drift.returncode == 3
    assert "the host on eth9" in drift.stdout
    host.pipework("up", *file)
    assert host.pipework("status", *file).stdout == ""
    host.pipework("down", *file)
    assert host.state(["gw"]) == before
    assert host.pipework("ls").stdout == ""


def test_json(host: PrivateHost) -> None:
    prepare(host)
    said = json.loads(host.pipework("--json", *ARGV).stdout)
    assert said["host"]["interface"] == "eth9-host"
    assert said["changed"] is True
    said = json.loads(host.pipework("--json", "host", "--remove", "eth9").stdout)
    assert (said["removed"], said["changed"]) == (True, True)
