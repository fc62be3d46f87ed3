"""Dry runs against a real kernel: the script changes what the live run changes, in every shell."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from pipework_core.testing.announcing import announce_missing

from . import parts
from .scripts import SHELLS, comes_to_the_same, complaints_of_shellcheck, dry_run
from .test_ovs import switched
from .test_promises import CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .host import PrivateHost
    from .ovs import OpenVSwitch

MAC = "02:00:00:00:00:11"
GATEWAY = ("br1", "blue", "10.0.0.1/24@10.0.0.254", MAC)


@pytest.fixture
def blue(host: PrivateHost) -> PrivateHost:
    """Provide a host with one guest."""
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "set", "lo", "up")
    return host


def require_shellcheck() -> None:
    """Go on if shellcheck is installed; else skip loudly, or fail where the lab is required."""
    reason = parts.absent_program(("shellcheck",))
    if reason is not None:
        announce_missing(f"shellcheck: {reason}")


@pytest.mark.parametrize("case", CASES)
def test_the_script_does_what_a_live_run_does(blue: PrivateHost, case: str) -> None:
    setup, argv, reset = CASES[case]
    if setup:
        blue.run("sh", "-ec", setup)
    comes_to_the_same(blue, ["blue"], *argv, reset=("sh", "-c", reset))


@pytest.mark.parametrize("case", CASES)
def test_the_script_satisfies_shellcheck(blue: PrivateHost, case: str) -> None:
    require_shellcheck()
    setup, argv, _ = CASES[case]
    if setup:
        blue.run("sh", "-ec", setup)
    assert not complaints_of_shellcheck(dry_run(blue, ["blue"], *argv))


def test_replacing_by_script(blue: PrivateHost) -> None:
    first = ("-l", "port0", "br1", "blue", "10.0.0.1/24@10.0.0.254", MAC)
    second = ("-l", "port1", "--replace", "br2", "blue", "10.0.1.1/24", "02:00:00:00:00:12")
    blue.pipework(*first)
    back = "ip -n blue link delete eth1; ip link delete br1; ip link delete br2; " + 'exec "$@"'
    reset = ("sh", "-c", back, "sh", sys.executable, "-P", "-m", "pipework_core", *first)
    comes_to_the_same(blue, ["blue"], *second, reset=reset)


@pytest.fixture
def green(ovs: OpenVSwitch) -> Iterator[OpenVSwitch]:
    """Provide a switch without bridges and one guest."""
    ovs.host.netns("green")
    yield ovs
    ovs.host.run("ip", "netns", "delete", "green")


@pytest.mark.parametrize("vlan", ["", "@10"])
def test_open_vswitch_by_script(green: OpenVSwitch, vlan: str) -> None:
    argv = ("-o", "datapath=netdev", "-l", "port0", "ovs5", "green", "10.0.0.1/24", MAC + vlan)
    reset = ("sh", "-c", "ip -n green link delete eth1; ovs-vsctl --if-exists del-br ovs5")
    comes_to_the_same(switched(green), ["green"], *argv, reset=reset)


def test_a_port_the_switch_does_not_take_fails_the_script(green: OpenVSwitch) -> None:
    host = green.host
    before = green.state(), host.state(["green"])
    script = dry_run(host, ["green"], "-l", "port0", "ovs6", "green", "10.0.0.1/24", MAC)
    for shell in SHELLS:  # without datapath=netdev the bridge wants a kernel module, which the machine lacks
        done = host.run(*shell, input=script, check=False)
        assert done.returncode == 1
        assert "did not do what was expected" in done.stderr
        assert (green.state(), host.state(["green"])) == before


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_the_script_refuses_another_namespace_of_the_name(blue: PrivateHost, shell: tuple[str, ...]) -> None:
    script = dry_run(blue, ["blue"], *GATEWAY)
    # What it was planned for stays alive under another name: a new namespace might take the inode of a dead one.
    blue.run("sh", "-ec", ": >/run/netns/first; mount --bind /run/netns/blue /run/netns/first")
    for present in (False, True):
        blue.run("ip", "netns", "delete", "blue")
        blue.netns("other")
        if present:
            blue.run("ip", "netns", "add", "blue")
        before = blue.state(["other"])
        done = blue.run(*shell, input=script, check=False)
        assert done.returncode == 1
        assert "/run/netns/blue is not the network namespace that this was planned for" in done.stderr
        assert blue.state(["other"]) == before
        if not present:
            blue.netns("blue")
            blue.run("ip", "netns", "delete", "other")


def test_the_script_refuses_another_host(blue: PrivateHost) -> None:
    script = dry_run(blue, ["blue"], *GATEWAY)
    done = blue.run(*blue.enter(blue.netns("elsewhere")), "sh", input=script, check=False)
    assert done.returncode == 1
    assert "/proc/self/ns/net is not the network namespace" in done.stderr


def test_a_command_inside_is_printed_and_not_run(blue: PrivateHost) -> None:
    words = ("route", "blue", "add", "10.9.0.0/16", "dev", "lo")
    script = dry_run(blue, ["blue"], *words)
    blue.pipework(*words)
    live = blue.state(["blue"])
    blue.run("ip", "-n", "blue", "route", "delete", "10.9.0.0/16")
    assert blue.state(["blue"]) != live
    blue.run("sh", input=script)
    assert blue.state(["blue"]) == live


def test_hostile_words_stay_words(blue: PrivateHost) -> None:
    hostile = "'\"; touch /run/hacked; $(touch /run/hacked)\n touch /run/hacked\n#"
    script = dry_run(blue, ["blue"], "route", "blue", "show", hostile)
    for shell in SHELLS:
        done = blue.run(*shell, input=script, check=False)
        assert done.returncode == 1
        assert "is expected rather than" in done.stderr
    assert "hacked" not in blue.run("ls", "/run").stdout


def test_the_script_in_a_user_namespace(user_host: PrivateHost) -> None:
    user_host.netns("blue")
    reset = ("sh", "-c", "ip -n blue link delete eth1; ip link delete br1")
    comes_to_the_same(user_host, ["blue"], *GATEWAY, reset=reset)


def test_with_json_a_dry_run_gives_the_plan_and_changes_nothing(blue: PrivateHost) -> None:
    before = blue.state(["blue"])
    done = blue.pipework("--dry-run", "--json", "-v", *GATEWAY)
    assert blue.state(["blue"]) == before
    planned = json.loads(done.stdout)
    assert (planned["dry_run"], planned["changed"]) == (True, True)
    assert planned["steps"][0]["argv"][:5] == ["ip", "link", "add", "name", "br1"]
    assert "# create the bridge br1\nip link add name br1" in done.stderr
    live = json.loads(blue.pipework("--json", *GATEWAY).stdout)
    assert live == {**planned, "dry_run": False}


def test_a_nic_itself_by_script(blue: PrivateHost) -> None:
    make = "ip link add eth9 address 02:00:00:00:00:21 type veth peer name wire address 02:00:00:00:00:22"
    blue.run("sh", "-c", make)
    reset = ("sh", "-c", f"ip -n blue link delete eth1; {make}")
    comes_to_the_same(blue, ["blue"], "--direct-phys", "eth9", "blue", "10.0.0.1/24@10.0.0.254", reset=reset)
