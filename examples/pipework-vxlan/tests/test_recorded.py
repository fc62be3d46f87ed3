"""A run that was real once, held against the plan since: no root, and no kernel that has VXLAN."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pipework_vxlan
from pipework_core.testing import recorded_run

if TYPE_CHECKING:
    from pipework_core.testing import PrivateHost

RECORDINGS = Path(__file__).parent / "recordings"


def underlay(host: PrivateHost) -> None:
    """Make the wire to other hosts, and the guest."""
    host.netns("web1")
    host.run("ip", "link", "add", "u0", "type", "veth", "peer", "name", "wire")
    for words in (("link", "set", "wire", "up"), ("link", "set", "u0", "up")):
        host.run("ip", *words)
    host.run("ip", "address", "add", "198.51.100.1/24", "dev", "u0")


def test_the_first_guest_of_a_network() -> None:
    request = "vxlan:42 netns:web1 10.0.0.1/24 -o remote=198.51.100.2,198.51.100.3"
    plan = recorded_run(RECORDINGS / "new.json", request, pipework_vxlan, prepare=underlay)
    steps = [str(step) for step in plan.steps]
    assert "bridge fdb append 00:00:00:00:00:00 dev pwx42t dst 198.51.100.3" in steps
