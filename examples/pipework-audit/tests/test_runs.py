"""Real runs in a private host, and the lines they leave: no root needed, but an installed pipework-audit."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pipework_core.testing import PrivateHost

LOG = "/run/audit.jsonl"
ATTACH = ("br1", "netns:web1", "10.0.0.1/24")


@pytest.fixture
def host(private_host: PrivateHost) -> PrivateHost:
    private_host.env["PIPEWORK_AUDIT_LOG"] = LOG
    private_host.netns("web1")
    return private_host


def written(host: PrivateHost, path: str = LOG) -> list[dict[str, Any]]:
    """Return the lines, and take them away."""
    file = Path(f"/proc/{host.pid}/root{path}")
    text = file.read_text() if file.exists() else ""
    file.unlink(missing_ok=True)
    return [json.loads(line) for line in text.splitlines() if line]


def events(host: PrivateHost) -> list[str]:
    return [line["event"] for line in written(host)]


def test_an_attachment_and_its_end_leave_a_line_each(host: PrivateHost) -> None:
    host.pipework(*ATTACH, env={"SUDO_USER": "alice"})
    assert stat.S_IMODE(Path(f"/proc/{host.pid}/root{LOG}").stat().st_mode) == 0o600
    (line,) = written(host)
    wanted = {"guest": "web1", "runtime": "netns", "interface": "eth1", "kind": "bridge", "host": "br1"}
    wanted |= {"event": "attached", "uid": 0, "sudo_user": "alice", "changed": True, "addresses": ["10.0.0.1/24"]}
    assert {key: line[key] for key in wanted} == wanted
    assert line["argv"][1:] == list(ATTACH)
    host.pipework(*ATTACH, "--replace", "--mtu", "1400")
    (line,) = written(host)
    assert (line["event"], line["replaced"]) == ("attached", True)
    host.pipework("detach", "netns:web1")
    (line,) = written(host)
    assert (line["event"], line["interface"], line["host"], line["left"]) == ("detached", "eth1", "br1", [])
    assert line["addresses"] == ["10.0.0.1/24"]


def test_what_changes_nothing_leaves_no_line(host: PrivateHost) -> None:
    host.pipework("--dry-run", *ATTACH)
    host.pipework("--dry-run", "-v", *ATTACH)
    host.pipework(*ATTACH[:2], "10.0.0.0/24", check=False)
    host.pipework("detach", "netns:web1")
    assert written(host) == []
    host.pipework("--record", "/run/recording", *ATTACH)
    assert events(host) == ["attached"]
    host.pipework("--replay", "/run/recording", *ATTACH)
    host.pipework(*ATTACH)
    host.pipework("--dry-run", "detach", "netns:web1")
    host.pipework("ls")
    assert written(host) == []


def test_what_failed_and_was_undone_leaves_a_line(host: PrivateHost) -> None:
    host.run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    host.netns("other")  # where the kernel alone sees what keeps a second macvlan away
    host.pipework("macvlan:eth9", "netns:other", "0/0", "-o", "mode=passthru")
    written(host)
    assert host.pipework("macvlan:eth9", "netns:web1", "10.0.0.1/24", check=False).returncode == 1
    (line,) = written(host)
    assert (line["event"], line["tried"], line["changed"], line["left"]) == ("failed", "attach", False, [])
    assert "ip link add link eth9" in line["error"]
    assert (line["kind"], line["host"], line["guest"]) == ("macvlan", "eth9", "web1")


def test_each_step_leaves_a_line_where_that_is_wanted(host: PrivateHost) -> None:
    host.pipework(*ATTACH, env={"PIPEWORK_AUDIT_STEPS": "1"})
    *steps, last = written(host)
    assert last["event"] == "attached"
    assert {(line["event"], line["guest"], line["code"], line["error"]) for line in steps} == {
        ("step", "web1", 0, None)
    }
    assert any(line["step"][:4] == ["ip", "address", "add", "10.0.0.1/24"] and line["netns"] for line in steps)


def test_a_command_in_a_guest_leaves_a_line(host: PrivateHost) -> None:
    host.pipework(*ATTACH)
    written(host)
    host.pipework("route", "netns:web1", "add", "10.9.0.0/16", "dev", "eth1")
    (line,) = written(host)
    assert (line["event"], line["code"]) == ("command", 0)
    assert line["step"] == ["ip", "route", "add", "10.9.0.0/16", "dev", "eth1"]
    assert line["netns"] == "/run/netns/web1"


def test_twenty_at_once_leave_twenty_lines(host: PrivateHost) -> None:
    names = [f"g{number}" for number in range(20)]
    for name in names:
        host.netns(name)
    script = '"$@" br1 netns:g$n 10.0.0.$((n + 1))/24 & n=$((n + 1)); '
    host.run("sh", "-c", f"n=0; {script * 20} wait", "sh", sys.executable, "-P", "-m", "pipework_core")
    found = written(host)
    assert {line["event"] for line in found} == {"attached"}
    assert sorted(line["guest"] for line in found) == sorted(names)


def test_a_log_that_cannot_be_written_is_a_warning_and_fails_nothing(host: PrivateHost) -> None:
    host.run("sh", "-ec", "mkdir /run/small; mount -t tmpfs -o size=4k small /run/small; ln -s /run/else /run/link")
    host.run("sh", "-c", "head -c 4100 /dev/zero | tr '\\0' x >/run/small/full || true")
    said = {"/run/none/log": "No such file", "/run/link": "is a symbolic link", "/run/small/full": "No space left"}
    for path, words in {**said, "log": "no absolute path", "/run": "Is a directory"}.items():
        done = host.pipework(*ATTACH, env={"PIPEWORK_AUDIT_LOG": path})
        assert words in done.stderr
        assert done.stderr.count("warning: the observer pipework-audit failed") == 1
        host.pipework("detach", "netns:web1", env={"PIPEWORK_AUDIT_LOG": path})
    assert host.run("test", "-e", "/run/else", check=False).returncode == 1


def test_the_log_has_a_usual_place(host: PrivateHost) -> None:
    host.pipework(*ATTACH, env={"PIPEWORK_AUDIT_LOG": ""})
    assert [line["event"] for line in written(host, "/var/log/pipework-audit.jsonl")] == ["attached"]


def test_a_hostile_name_stays_in_its_string(host: PrivateHost) -> None:
    name = '"},\\{\\n;$(a)'
    host.pipework(*ATTACH, "-i", name)
    (line,) = written(host)
    assert (line["event"], line["interface"]) == ("attached", name)
