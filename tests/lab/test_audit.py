"""The example observer, installed from its own wheel: whatever changes a machine leaves a line."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import promises
from .wheel import installed, run_its_own_tests

if TYPE_CHECKING:
    from .host import PrivateHost

LOG = "/var/log/pipework-audit.jsonl"
MOST = ("event", "runtime", "guest", "interface")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel."""
    return installed("pipework-audit", tmp_path_factory.mktemp("audit"))


@pytest.fixture
def audited(host: PrivateHost, plugin: Path) -> PrivateHost:
    """Provide a host that has it, and the guests `blue` and `red`."""
    host.env["PYTHONPATH"] = str(plugin)
    host.netns("blue")
    host.netns("red")
    return host


def lines(host: PrivateHost) -> list[dict[str, Any]]:
    """Return what was written, and take it away."""
    file = Path(f"/proc/{host.pid}/root{LOG}")
    text = file.read_text() if file.exists() else ""
    file.unlink(missing_ok=True)
    return [json.loads(line) for line in text.splitlines()]


def summary(host: PrivateHost) -> list[tuple[str, ...]]:
    return [tuple(str(line.get(key)) for key in MOST) for line in lines(host)]


def test_its_own_tests_pass_where_its_wheel_is_installed(plugin: Path) -> None:
    run_its_own_tests("pipework-audit", plugin)


TOPOLOGY = """
version: 1
host:
  - br1 10.0.0.254/24
links:
  - br1 netns:blue 10.0.0.1/24
  - br1 netns:red 10.0.0.2/24
"""


def test_a_whole_topology(audited: PrivateHost) -> None:
    audited.write("/run/lab.yaml", TOPOLOGY)
    file = ("-f", "/run/lab.yaml")
    audited.pipework("up", "--dry-run", *file)
    audited.pipework("status", *file, check=False)
    assert lines(audited) == []
    audited.pipework("up", *file)
    own = ("host", "this host", "br1")
    both = [("netns", "blue", "eth1"), ("netns", "red", "eth1")]
    assert summary(audited) == [("attached", *who) for who in (own, *both)]
    audited.pipework("up", *file)
    assert lines(audited) == []
    audited.write("/run/lab.yaml", TOPOLOGY.rpartition("  -")[0])
    audited.pipework("up", *file, "--prune")
    assert summary(audited) == [("detached", *both[1])]
    audited.pipework("down", *file)
    assert summary(audited) == [("detached", *both[0]), ("detached", *own)]


def test_an_atomic_topology_that_fails_is_told_of_whole(audited: PrivateHost) -> None:
    audited.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    audited.netns("other")  # where the kernel alone sees what keeps a second macvlan away
    audited.pipework("macvlan:eth9", "netns:other", "0/0", "-o", "mode=passthru")
    lines(audited)
    audited.write("/run/lab.yaml", TOPOLOGY.replace("br1 netns:red", "macvlan:eth9 netns:red"))
    assert audited.pipework("up", "--atomic", "-f", "/run/lab.yaml", check=False).returncode == 1
    found = lines(audited)
    told = [(line["event"], line["runtime"], line["guest"]) for line in found]
    assert told == [
        ("attached", "host", "this host"),
        ("failed", "netns", "blue"),
        ("failed", "netns", "red"),
        ("detached", "host", "this host"),
    ]
    assert "ip link add link eth9" in found[1]["error"]


@pytest.mark.parametrize(("mode", "words"), [("fail", "sabotage"), ("interrupt", "interrupted")])
def test_what_fails_in_the_middle_is_told_of(audited: PrivateHost, mode: str, words: str) -> None:
    attach = ("br1", "netns:blue", "10.0.0.1/24")
    assert promises.sabotage(audited, mode, 3, *attach).code == {"fail": 1, "interrupt": 130}[mode]
    (line,) = lines(audited)
    assert (line["event"], line["tried"], line["changed"]) == ("failed", "attach", False)
    assert words in line["error"]
    audited.pipework(*attach)
    lines(audited)
    promises.sabotage(audited, mode, 1, "detach", "netns:blue")
    (line,) = lines(audited)
    assert (line["event"], line["tried"], line["addresses"]) == ("failed", "detach", ["10.0.0.1/24"])


def test_the_host_s_own_part(audited: PrivateHost) -> None:
    audited.run("ip", "link", "add", "br1", "type", "bridge")
    part = ("host", "br1", "10.0.0.254/24")
    audited.pipework(*part)
    audited.pipework(*part)
    (line,) = lines(audited)
    assert (line["event"], line["runtime"], line["host"]) == ("attached", "host", "br1")
    assert line["addresses"] == ["10.0.0.254/24"]
    audited.pipework("host", "--remove", "br1")
    audited.pipework("host", "--remove", "br1")
    (line,) = lines(audited)
    assert (line["event"], line["addresses"]) == ("detached", ["10.0.0.254/24"])


def test_what_killed_runs_leave_and_others_take_away(audited: PrivateHost) -> None:
    kill = partial(promises.sabotage, audited, "kill")
    assert kill(3, "br1", "netns:blue", "10.0.0.1/24").code == -9
    audited.pipework("gc")
    found = lines(audited)
    assert {line["event"] for line in found} == {"command"}
    assert any(line["step"][:3] == ["ip", "link", "delete"] and "br1" in line["step"] for line in found)
    audited.pipework("br1", "netns:blue", "10.0.0.1/24")
    lines(audited)
    for _ in range(2):  # behind the note that the bridge is to go, and behind the interface: the bridge stays
        assert kill(1, "detach", "netns:blue").code == -9
    assert lines(audited) == []
    audited.pipework("detach", "netns:blue")
    (line,) = lines(audited)
    assert (line["event"], line["step"]) == ("command", ["ip", "link", "delete", "dev", "br1"])
