"""The guest's interface is called like one of the host's, on a kernel that looks the name up on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .. import promises

if TYPE_CHECKING:
    from ..host import PrivateHost

LINES = (
    ("br1", "netns:blue", "10.0.0.1/24"),
    ("eth1", "netns:blue", "10.0.0.1/24"),
    ("nic0", "netns:blue", "10.0.0.1/24", "@10"),
    ("ipvlan:nic0", "netns:blue", "10.0.0.1/24"),
    ("dummy", "netns:blue", "10.0.0.1/24"),
)


@pytest.fixture
def clashing(host: PrivateHost) -> PrivateHost:
    """Provide a host with NICs, one of which has the name that guests' interfaces have by default."""
    for name in ("eth1", "nic0"):
        host.run("ip", "link", "add", name, "type", "dummy")
        host.run("ip", "link", "set", name, "up")
    host.netns("blue")
    return host


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_it_works_and_a_second_run_has_nothing_to_do(clashing: PrivateHost, line: tuple[str, ...]) -> None:
    before = clashing.state(["blue"])
    clashing.pipework(*line)
    shown = clashing.run("ip", "-n", "blue", "-brief", "address", "show", "dev", "eth1").stdout
    assert "10.0.0.1/24" in shown
    assert "nothing to do" in clashing.pipework("-v", *line).stderr
    clashing.pipework("detach", "netns:blue")
    assert clashing.state(["blue"]) == before


def test_all_or_nothing_and_a_killed_run_is_completed(clashing: PrivateHost) -> None:
    line = (*LINES[1], "02:00:00:00:00:11")
    promises.undoes_everything(clashing, ["blue"], *line, modes=("fail",), first=4)
    promises.survives_kills(clashing, ["blue"], *line, reset=("ip", "-n", "blue", "link", "delete", "eth1"), first=4)


def test_the_script_of_a_dry_run_works(clashing: PrivateHost) -> None:
    script = clashing.pipework("--dry-run", *LINES[1]).stdout
    clashing.run("sh", "-eu", input=script)
    assert "10.0.0.1/24" in clashing.run("ip", "-n", "blue", "address").stdout
