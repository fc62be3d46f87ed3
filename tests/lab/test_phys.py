"""A NIC that moves into the guest and comes home; one end of a veth pair stands in for it, the other is the wire."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from . import promises

if TYPE_CHECKING:
    from .host import PrivateHost

MAC, OTHER_MAC = "02:00:00:00:00:77", "02:00:00:00:00:88"
#: A NIC with all that can be lost on the way: port of a bridge or not, addresses, routes of two tables, group, alias.
NIC = (
    f"ip link add eth9 address {MAC} type veth peer name wire; ip link set wire up; "
    "ip link set dev eth9 group 7 alias 'the uplink' up; "
    "ip address add 10.9.0.1/24 broadcast + dev eth9; ip address add 10.9.9.1 peer 10.9.9.2/32 dev eth9; "
    "ip address add fd09::1/64 dev eth9 nodad; "
    "ip route add 10.5.0.0/16 via 10.9.0.9 metric 5; ip route add 10.6.0.0/16 via 10.9.0.9 table 77; "
    "ip -6 route add fd55::/32 via fd09::9"
)
PORT = f"ip link add br9 type bridge; ip link set br9 up; ip link add eth9 address {MAC} type veth peer name wire; "
PORT += "ip link set wire up; ip link set eth9 master br9 up; ip address add 10.9.0.1/24 dev br9"
DOWN = f"ip link add eth9 address {MAC} type veth peer name wire; ip link set wire up"
ARGV = ("--direct-phys", "eth9", "blue", "10.0.0.1/24@10.0.0.9,fd00::1/64", f"{OTHER_MAC}", "--mtu", "1400")


def prepare(host: PrivateHost, script: str) -> None:
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "set", "lo", "up")
    host.run("sh", "-ec", script)


def guest_link(host: PrivateHost, name: str = "eth1") -> Any:  # noqa: ANN401 - JSON
    return json.loads(host.run("ip", "-n", "blue", "-details", "-json", "link", "show", "dev", name).stdout)[0]


def host_names(host: PrivateHost) -> set[str]:
    return {str(link["name"]) for link in host.state()["host"]["links"]}


def test_a_guest_with_the_nic_reaches_the_wire(host: PrivateHost) -> None:
    prepare(host, NIC)
    host.pipework(*ARGV)
    assert "eth9" not in host_names(host)
    assert (guest_link(host)["address"], guest_link(host)["mtu"]) == (OTHER_MAC, 1400)
    far = host.netns("far")
    host.run("ip", "link", "set", "wire", "netns", far)
    host.run("ip", "-n", far, "address", "add", "10.0.0.2/24", "dev", "wire")
    host.run("ip", "-n", far, "link", "set", "wire", "up")
    assert host.ping("blue", "10.0.0.2")
    assert host.ping(far, "10.0.0.1")


@pytest.mark.parametrize("script", [NIC, PORT, DOWN], ids=["addresses and routes", "port of a bridge", "down"])
def test_a_failure_or_interruption_after_any_step_brings_the_nic_home_as_it_was(host: PrivateHost, script: str) -> None:
    prepare(host, script)
    before = group_of(host, "eth9")
    assert promises.undoes_everything(host, ["blue"], *ARGV) > 4
    assert group_of(host, "eth9") == before


def group_of(host: PrivateHost, name: str) -> str:
    return str(json.loads(host.run("ip", "-json", "link", "show", "dev", name).stdout)[0]["group"])


def test_the_rest_of_a_lease_comes_back(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.run("ip", "link", "set", "eth9", "up")
    host.run("ip", "address", "add", "10.9.0.1/24", "dev", "eth9", "valid_lft", "3600", "preferred_lft", "1800")
    failed = promises.sabotage(host, "fail", 3, *ARGV)
    assert failed.code == 1, failed.said
    shown = json.loads(host.run("ip", "-json", "address", "show", "dev", "eth9").stdout)[0]["addr_info"]
    lease = next(info for info in shown if info["local"] == "10.9.0.1")
    assert lease["dynamic"] is True
    assert 3500 < lease["valid_life_time"] <= 3600
    assert 1700 < lease["preferred_life_time"] <= 1800


def test_a_run_killed_after_any_step_is_completed_by_running_it_again(host: PrivateHost) -> None:
    prepare(host, NIC)
    reset = (
        "ip -n blue link set eth1 down; "
        f"ip -n blue link set eth1 address {MAC} mtu 1500 netns 1 name eth9; ip link set eth9 alias 'the uplink' up"
    )
    promises.survives_kills(host, ["blue"], *ARGV, reset=("sh", "-ec", reset))


def test_the_second_run_changes_nothing(host: PrivateHost) -> None:
    prepare(host, NIC)
    promises.needs_nothing_twice(host, ["blue"], *ARGV)


@pytest.mark.parametrize("mac", ["", OTHER_MAC], ids=["own MAC", "another MAC"])
def test_a_nic_named_by_its_mac_is_found_in_the_guest(host: PrivateHost, mac: str) -> None:
    prepare(host, DOWN)
    promises.needs_nothing_twice(
        host, ["blue"], "--direct-phys", f"mac:{MAC}", "blue", "10.0.0.1/24", *filter(None, [mac])
    )


def test_replacing_brings_the_nic_home_and_is_undone_after_any_step(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.run("ip", "link", "set", "eth9", "up")
    host.pipework(*ARGV)
    promises.undoes_everything(host, ["blue"], "--replace", "br1", "blue", "10.0.0.2/24")
    promises.undoes_everything(host, ["blue"], "--replace", "--direct-phys", "eth9", "blue", "10.0.0.3/24")
    host.pipework("--replace", "br1", "blue", "10.0.0.2/24")
    (nic,) = (link for link in host.state()["host"]["links"] if link["name"] == "eth9")
    assert (nic["mac"], nic["mtu"], nic["alias"], "UP" in nic["flags"]) == (MAC, 1500, "", True)


def test_a_nic_that_came_back_under_the_guest_s_name_is_recognised(host: PrivateHost) -> None:
    """A physical NIC falls back to the host when its guest dies; it is then still called as in the guest."""
    prepare(host, DOWN)
    host.pipework("--direct-phys", "eth9", "blue", "10.0.0.1/24")
    host.run("ip", "-n", "blue", "link", "set", "eth1", "netns", "1")
    host.netns("red")
    promises.undoes_everything(host, ["red"], "--direct-phys", "eth9", "red", "10.0.0.1/24")
    host.pipework("--direct-phys", "eth9", "red", "10.0.0.1/24")
    host.pipework("--replace", "br1", "red", "10.0.0.1/24")
    assert "eth9" in host_names(host)


def test_the_default_route_is_not_taken_unasked(host: PrivateHost) -> None:
    prepare(host, NIC + "; ip route add default via 10.9.0.9")
    before = host.state(["blue"])
    refused = host.pipework(*ARGV, check=False)
    assert refused.returncode == 1
    assert "the host's default route goes through eth9" in refused.stderr
    assert "-o take-default-route=1" in refused.stderr
    assert host.state(["blue"]) == before
    promises.undoes_everything(host, ["blue"], *ARGV, "-o", "take-default-route=1")
    host.pipework(*ARGV, "-o", "take-default-route=1")
    assert host.ping("blue", "10.0.0.1")


def test_a_guest_may_have_an_interface_of_the_nic_s_name(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.run("ip", "-n", "blue", "link", "add", "eth9", "type", "veth", "peer", "name", "other")
    promises.undoes_everything(host, ["blue"], *ARGV)
    host.pipework(*ARGV)
    assert guest_link(host)["address"] == OTHER_MAC
    assert guest_link(host, "eth9")["linkinfo"]["info_kind"] == "veth"


def test_a_nic_in_another_guest_is_not_stolen(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.pipework(*ARGV)
    refused = host.pipework("--direct-phys", "eth9", "-i", "eth2", "blue", "10.0.1.1/24", check=False)
    assert "eth9 is in blue already, as eth1" in refused.stderr
    host.netns("red")
    refused = host.pipework("--direct-phys", "eth9", "red", "10.0.1.1/24", check=False)
    assert refused.returncode == 1
    assert "another guest" in refused.stderr


def test_interfaces_of_pipework_itself_stay(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.netns("red")
    host.pipework("br1", "red", "10.0.0.1/24", "-l", "app")
    refused = host.pipework("--direct-phys", "app", "blue", "10.0.0.1/24", check=False)
    assert refused.returncode == 1
    assert "made for other guests" in refused.stderr


FORGED = "pipework:1/kind:=phys/on:=wg0/nic:=wg0/state:=up"


@pytest.mark.parametrize("words", [("detach", "blue", "--all"), ("detach", "blue", "-i", "x0"), ("prune",)])
def test_nothing_of_a_guest_s_making_comes_to_the_host(host: PrivateHost, words: tuple[str, ...]) -> None:
    prepare(host, DOWN)
    host.run("ip", "-n", "blue", "link", "add", "x0", "type", "veth", "peer", "name", "y0")
    host.run("ip", "-n", "blue", "link", "set", "x0", "alias", FORGED)
    before = host.state(["blue"])
    if words == ("prune",):
        host.run("sh", "-c", "cat >/run/t.yaml", input="version: 1\nlinks: []\n")
        words = ("up", "--prune", "-f", "/run/t.yaml")
    refused = host.pipework(*words, check=False)
    assert (refused.returncode, "the guest may have made it itself" in refused.stderr) == (1, True), refused.stderr
    assert host.state(["blue"]) == before


def test_what_the_guest_puts_in_the_place_of_a_nic_goes_back(host: PrivateHost) -> None:
    """Between the look and the move the guest renames what it likes: the script is a run that takes that long."""
    prepare(host, DOWN)
    host.pipework("--direct-phys", "eth9", "blue", "10.0.0.1/24")
    script = host.pipework("--dry-run", "detach", "blue").stdout
    swap = "ip link set eth1 down; ip link set eth1 name nic; ip link add eth1 type veth peer name y0"
    host.run("ip", "netns", "exec", "blue", "sh", "-ec", swap)
    before = host_names(host)
    done = host.run("sh", input=script, check=False)
    assert (done.returncode, host_names(host)) == (1, before), done.stderr
    assert guest_link(host)["linkinfo"]["info_kind"] == "veth"


def test_a_nic_below_a_link_of_another_namespace_stays(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.netns("red")
    host.run("ip", "link", "add", "link", "eth9", "name", "mv0", "netns", "red", "type", "macvlan", "mode", "bridge")
    refused = host.pipework("--direct-phys", "eth9", "blue", "10.0.0.1/24", check=False)
    assert (refused.returncode, "eth9 carries mv0 of other networks" in refused.stderr) == (1, True), refused.stderr
    assert "eth9" in host_names(host)


def test_an_attachment_whose_nic_was_moved_is_no_orphan(host: PrivateHost) -> None:
    prepare(host, DOWN)
    host.netns("red")
    host.pipework("eth9", "red", "10.0.0.2/24")
    moved = host.pipework("--direct-phys", "eth9", "blue", "10.0.0.1/24")
    assert "eth9 carries eth1 of other guests" in moved.stderr
    shown = {
        entry["guest"]["name"]: entry["state"]
        for entry in json.loads(host.pipework("--json", "ls").stdout)["attachments"]
    }
    assert shown == {"blue": "up", "red": "elsewhere"}
    host.pipework("gc")
    host.pipework("detach", "red")
    host.pipework("detach", "blue")
    assert "eth9" in host_names(host)
