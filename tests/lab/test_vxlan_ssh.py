"""Both ends of a VXLAN from one place: the far one over ssh, on a machine that has neither Python nor the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parts import require
from .sshd import FAR, NEAR, PROGRAMS
from .test_ssh import pair, run
from .wheel import installed

if TYPE_CHECKING:
    from pathlib import Path

    from .sshd import SshPair

__all__ = ["pair"]


def test_both_ends_from_one_place(pair: SshPair, tmp_path: Path) -> None:
    require("vxlan")
    pair.near.env["PYTHONPATH"] = str(installed("pipework-vxlan", tmp_path))
    for host in (pair.near, pair.far):
        host.netns("green")
    pair.programs((*PROGRAMS, "lsns"))
    before = [host.state(["green"]) for host in (pair.near, pair.far)]
    pair.near.pipework("vxlan:42", "green", "10.0.0.1/24", "-o", f"remote={FAR}")
    asked = ("vxlan:42", "green", "10.0.0.2/24", "-o", f"remote={NEAR}")
    run(pair, *asked)
    assert "nothing to do" in run(pair, "-v", *asked).stderr
    assert pair.near.ping("green", "10.0.0.2")
    pair.near.pipework("detach", "green")
    run(pair, "detach", "green")
    assert [host.state(["green"]) for host in (pair.near, pair.far)] == before
