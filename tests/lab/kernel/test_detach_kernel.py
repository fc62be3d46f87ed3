"""Detaching the kinds of link that only the kernel of the lab has: host and guest are behind it as they were before.

That kernel is slow, so runs are killed behind each step, and not made to fail as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .. import promises
from .test_kernel_promises import BRIDGE, MAC, NIC

if TYPE_CHECKING:
    from ..host import PrivateHost

#: Somebody's port, in the VLAN that the bridge gives it.
PORT = "ip link add port9 master br1 up type dummy"
DOWN = "ip link add nic0 address 02:00:00:00:00:01 type dummy"
#: Name: what the host is like before, and the request.
CASES = {
    "dummy": ("true", ("dummy0", "netns:blue", "10.0.0.1/24@10.0.0.254", MAC)),
    "ipvlan on a parent that was down": (DOWN, ("ipvlan:nic0", "netns:blue", "10.0.0.1/24,fd00::1/64")),
    "macvlan on a new VLAN": (NIC, ("nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10")),
    "macvlan on a new VLAN of a parent that was down": (DOWN, ("nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10")),
    "macvlan on a VLAN that was down": (
        f"{NIC}; ip link add link nic0 name nic0.10 type vlan id 10",
        ("nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10"),
    ),
    "VLAN of a NIC": (DOWN, ("--direct-phys", "nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10")),
    "new bridge with VLANs": ("true", ("br1", "netns:blue", "10.0.0.1/24", f"{MAC}@10")),
    "bridge that begins to filter": (
        f"{BRIDGE}; {PORT}",
        ("br1", "netns:blue", "10.0.0.1/24", f"{MAC}@10", "-o", "vlan_filtering=1"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_state_before_is_state_behind(host: PrivateHost, case: str) -> None:
    before, argv = CASES[case]
    host.netns("blue")
    host.run("sh", "-ec", before)
    promises.detaches_exactly(host, ["blue"], *argv, detach=["netns:blue"], modes=("kill",))


def test_a_vlan_goes_with_its_last_user_and_not_under_a_strangers(host: PrivateHost) -> None:
    """The stranger's macvlan is in a namespace of its own, where the host cannot see it."""
    for guest in ("blue", "red", "grey"):
        host.netns(guest)
    host.run("sh", "-ec", DOWN)
    before = host.state(["blue", "red"])
    host.pipework("nic0", "netns:blue", "10.0.0.1/24", "@10")
    host.pipework("ipvlan:nic0", "netns:blue", "-i", "eth2", "10.2.0.1/24", "@20")
    host.pipework("nic0", "netns:red", "10.0.0.2/24", "@10")
    host.pipework("detach", "netns:blue", "-i", "eth1")
    assert names(host) == {"lo", "nic0", "nic0.10", "nic0.20"}
    host.pipework("detach", "netns:blue", "-i", "eth2")
    assert names(host) == {"lo", "nic0", "nic0.10"}
    host.run("sh", "-ec", "ip link add link nic0.10 name mv netns grey type macvlan mode bridge")
    host.pipework("detach", "netns:red")
    assert names(host) == {"lo", "nic0", "nic0.10"}
    host.run("ip", "-n", "grey", "link", "delete", "mv")
    host.pipework("nic0", "netns:red", "10.0.0.2/24", "@10")
    host.pipework("detach", "netns:red")
    assert host.state(["blue", "red"]) == before


def test_a_bridge_filters_as_long_as_a_port_needs_it(host: PrivateHost) -> None:
    guests = [host.netns("blue"), host.netns("red")]
    host.run("sh", "-ec", f"{BRIDGE}; {PORT}")
    before = host.state(guests)
    for guest, vid in zip(guests, (10, 20), strict=True):
        host.pipework("br1", f"netns:{guest}", "10.0.0.1/24", f"@{vid}", "-o", "vlan_filtering=1")
    host.pipework("detach", "netns:blue")
    assert bridge_filters(host)
    host.run("bridge", "vlan", "add", "dev", "port9", "vid", "30")
    host.pipework("detach", "netns:red")
    assert bridge_filters(host)  # what port9 carries would mingle
    host.run("bridge", "vlan", "delete", "dev", "port9", "vid", "30")
    host.pipework("br1", "netns:red", "10.0.0.1/24", "@20")
    host.pipework("detach", "netns:red")
    assert host.state(guests) == before


def names(host: PrivateHost) -> set[str]:
    return {link["name"] for link in host.state()["host"]["links"]}


def bridge_filters(host: PrivateHost) -> bool:
    return "vlan_filtering 1 " in host.run("ip", "-details", "link", "show", "dev", "br1").stdout
