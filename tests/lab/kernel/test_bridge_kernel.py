"""VLANs on Linux bridges, with guests that must and must not reach each other; and limits of bridges."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.testing.saboteur import NO_MORE

from .. import promises

if TYPE_CHECKING:
    from ..host import PrivateHost

ACCESS = "10-10 Egress Untagged,PVID"
#: A bridge of somebody else's, with a port in VLANs of its own.
BRIDGE = (
    "ip link add br1 type bridge; ip link set br1 up; ip link add trunk master br1 up type dummy; "
    "bridge vlan add dev trunk vid 30-32; bridge vlan add dev trunk vid 40 pvid"
)


def vlans(host: PrivateHost, port: str) -> list[str]:
    return [line.partition(" ")[2] for line in host.state()["host"]["vlans"] if line.startswith(f"{port} ")]


def attach(host: PrivateHost, number: int, *more: str) -> None:
    host.pipework("br1", "-l", f"port{number}", f"netns:guest{number}", f"10.0.0.{number}/24", *more)


@pytest.fixture
def guests(host: PrivateHost) -> list[str]:
    """Provide three guests."""
    return [host.netns(f"guest{number}") for number in (1, 2, 3)]


def test_access_ports_reach_their_vlan_and_no_other(host: PrivateHost, guests: list[str]) -> None:
    for number, vid in enumerate((10, 10, 20), start=1):
        attach(host, number, f"@{vid}")
    assert host.ping(guests[0], "10.0.0.2")
    assert not host.ping(guests[0], "10.0.0.3", within=0)
    assert vlans(host, "port1") == [ACCESS]
    assert vlans(host, "br1") == ["1-1 Egress Untagged,PVID"]


def test_a_port_is_never_up_in_another_vlan(host: PrivateHost, guests: list[str]) -> None:
    """A run is killed behind each step, and what it left is looked at."""
    argv = ("br1", "-l", "port1", f"netns:{guests[0]}", "10.0.0.1/24", "@10")
    seen: set[tuple[bool, tuple[int, ...]] | None] = set()
    for number in range(1, 100):
        code, _, said = promises.sabotage(host, "kill", number, *argv)
        if code == NO_MORE:
            break
        assert code == -9, said
        seen.add(port_as_it_is(host, "port1"))
        host.run("sh", "-c", f"ip -n {guests[0]} link delete eth1; ip link delete br1")
    assert seen == {None, (False, (1,)), (False, (1, 10)), (False, (10,)), (True, (10,))}


def port_as_it_is(host: PrivateHost, name: str) -> tuple[bool, tuple[int, ...]] | None:
    """Return whether a port is up, and its VLANs; None when it does not exist."""
    script = 'ip -json link show dev "$1" && bridge -json vlan show dev "$1"'
    said = host.run("sh", "-c", script, "sh", name, check=False).stdout.splitlines()
    if not said:
        return None
    (link,), (port,) = (json.loads(line) for line in said if line)
    return "UP" in link["flags"], tuple(vlan["vlan"] for vlan in port["vlans"])


def test_vlans_of_other_ports_stay(host: PrivateHost, guests: list[str]) -> None:
    host.run("sh", "-ec", BRIDGE)
    before = host.state(guests)
    refused = host.pipework("br1", f"netns:{guests[0]}", "10.0.0.1/24", "@10", check=False)
    assert refused.returncode == 1
    assert "does not filter VLANs" in refused.stderr
    assert "-o vlan_filtering=1" in refused.stderr
    assert host.state(guests) == before
    attach(host, 1, "@10", "-o", "vlan_filtering=1")
    attach(host, 2, "@20")
    assert vlans(host, "trunk") == [line.partition(" ")[2] for line in before["host"]["vlans"] if "trunk" in line]
    assert (vlans(host, "port1"), vlans(host, "port2")) == ([ACCESS], [ACCESS.replace("10", "20")])


def test_any_default_vlan(host: PrivateHost, guests: list[str]) -> None:
    """The bridges have no ports, so that filtering is turned on unasked."""
    for guest, default in zip(guests, (0, 5, 10), strict=True):
        host.run("ip", "link", "add", f"br{default}", "type", "bridge", "vlan_default_pvid", str(default))
        argv = (f"br{default}", "-l", f"port{default}", f"netns:{guest}", "10.0.0.1/24", "@10")
        host.pipework(*argv)
        assert vlans(host, f"port{default}") == [ACCESS]
        assert "nothing to do" in host.pipework("-v", *argv).stderr


CHANGES = (
    "bridge vlan delete dev port1 vid 10",
    "bridge vlan add dev port1 vid 10 untagged",
    "ip link set port1 nomaster",
    "ip link set port1 master br2; bridge vlan add dev port1 vid 9 untagged",
)


def test_what_somebody_changed_by_hand_is_put_right(host: PrivateHost, guests: list[str]) -> None:
    host.run("ip", "link", "add", "br2", "type", "bridge", "vlan_filtering", "1", "vlan_default_pvid", "7")
    attach(host, 1, "@10")
    wanted = host.state(guests[:1])
    argv = ("br1", "-l", "port1", f"netns:{guests[0]}", "10.0.0.1/24", "@10")
    for change in CHANGES:
        host.run("sh", "-ec", change)
        promises.undoes_everything(host, guests[:1], *argv, modes=("fail",), look_each_time=False)
        attach(host, 1, "@10")
        assert host.state(guests[:1]) == wanted, change


@pytest.mark.usefixtures("guests")
def test_vlans_and_attributes_that_somebody_gave_a_port_stay(host: PrivateHost) -> None:
    attach(host, 1, "@10")
    attach(host, 2)
    by_hand = ("vlan add dev port1 vid 30-32", "link set dev port1 isolated on", "vlan add dev port2 vid 20 pvid")
    host.run("sh", "-ec", "; ".join(f"bridge {words}" for words in by_hand))
    shown = (vlans(host, "port1"), vlans(host, "port2"), host.run("bridge", "-d", "link", "show").stdout)
    for number, more in ((1, ("@10",)), (2, ())):
        argv = ("-v", "br1", "-l", f"port{number}", f"netns:guest{number}", f"10.0.0.{number}/24", *more)
        assert "nothing to do" in host.pipework(*argv).stderr
    assert (vlans(host, "port1"), vlans(host, "port2"), host.run("bridge", "-d", "link", "show").stdout) == shown


def test_a_bridge_holds_1023_ports(host: PrivateHost, guests: list[str]) -> None:
    """The last one is taken by the kernel, one more is refused by us."""
    ports = [f"link add filler{number} master br1 type dummy\n" for number in range(1022)]
    host.run("ip", "-batch", "-", input="link add br1 up type bridge\n" + "".join(ports))
    attach(host, 1)
    refused = host.pipework("br1", f"netns:{guests[1]}", "10.0.0.2/24", check=False)
    assert refused.returncode == 1
    assert "the bridge br1 has 1023 ports, and Linux bridges hold no more" in refused.stderr
    assert "hint:" in refused.stderr


def test_mtu(host: PrivateHost, guests: list[str]) -> None:
    attach(host, 1, "--mtu", "1400")
    attach(host, 2)
    refused = host.pipework("br1", f"netns:{guests[2]}", "10.0.0.3/24", "--mtu", "1500", check=False)
    assert refused.returncode == 1
    assert "an MTU of 1500 does not fit through br1, which has 1400" in refused.stderr
    state = host.state(guests)
    mtus = {name: link["mtu"] for side in state.values() for link in side["links"] for name in [link["name"]]}
    assert [mtus[name] for name in ("br1", "port1", "port2", "eth1")] == [1400] * 4


def test_an_mtu_that_fitted_once_is_no_obstacle_to_running_again(host: PrivateHost, guests: list[str]) -> None:
    """A bridge whose MTU nobody set takes the smallest of its ports (br_mtu_auto_adjust)."""
    host.run("ip", "link", "add", "br1", "up", "type", "bridge")
    attach(host, 1, "--mtu", "1500")
    attach(host, 2, "--mtu", "1400")
    argv = ("br1", "-l", "port1", f"netns:{guests[0]}", "10.0.0.1/24", "--mtu", "1500")
    promises.needs_nothing_twice(host, guests, *argv)
