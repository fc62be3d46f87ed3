"""Dry runs for the kinds of link that only the kernel of the lab has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..scripts import comes_to_the_same

if TYPE_CHECKING:
    from ..host import PrivateHost

# That kernel is slow: one shell, and a guest that no container runtime is asked about.
MAC = "02:00:00:00:00:11"
CASES = {
    "dummy": ("dummy0", "netns:blue", "10.0.0.1/24@10.0.0.254", MAC),
    "ipvlan": ("ipvlan:nic0", "netns:blue", "10.0.0.1/24,fd00::1/64"),
    "macvlan on a VLAN": ("nic0", "netns:blue", "10.0.0.1/24", f"{MAC}@10"),
    "bridge with VLANs": ("-l", "port0", "br1", "netns:blue", "10.0.0.1/24", f"{MAC}@10"),
}
RESET = (
    "ip -n blue link delete eth1; ip link delete nic0.10; ip link delete br1; ip link set nic0 down group default; true"
)


@pytest.mark.parametrize("case", CASES)
def test_the_script_does_what_a_live_run_does(host: PrivateHost, case: str) -> None:
    host.netns("blue")
    host.run("ip", "link", "add", "nic0", "address", "02:00:00:00:00:01", "type", "dummy")
    comes_to_the_same(host, ["blue"], *CASES[case], reset=("sh", "-c", RESET), shells=(("sh",),))
