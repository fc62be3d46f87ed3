"""Recordings of real runs, replayed in this very process: without a namespace, root, or any other process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .host import PrivateHost

FILE = "/run/lab/run.json"
MAC = "02:00:00:00:00:11"
ATTACH = ("br1", "blue", "10.0.0.1/24@10.0.0.254,fd00::1/64", MAC)


class StartedError(BaseException):
    """A replay started a process or looked at one; no `except Exception` may swallow it."""


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Forbid processes, /proc and /run, and give the signals back that a run takes over."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    really_open = os.open

    def start(*_: object, **__: object) -> None:
        raise StartedError

    def guarded_open(path: str, *rest: int, **options: int) -> int:
        if str(path).startswith(("/proc", "/run")):
            raise StartedError(path)
        return really_open(path, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", start)
        patch.setattr(os, "open", guarded_open)
        yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "run.json"


def record(host: PrivateHost, file: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run it for real and fetch the recording out of the private host."""
    done = host.pipework("--record", FILE, *argv, check=False)
    assert host.run("stat", "-c", "%a", FILE).stdout == "600\n"
    file.write_text(host.run("cat", FILE).stdout)
    return done


def replay(file: Path, *argv: str) -> int:
    with alone():
        return app.run(["--replay", str(file), *argv])


def test_a_replay_plans_and_tells_the_same(
    host: PrivateHost, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host.netns("blue")
    live = record(host, recording, "--json", "-v", *ATTACH)
    assert live.returncode == 0
    assert replay(recording, "--json", "-v", *ATTACH) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == (live.stdout, live.stderr)
    assert len(json.loads(told.out)["steps"]) > 5


def test_a_run_with_nothing_to_do_is_replayed(
    host: PrivateHost, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host.netns("blue")
    host.pipework(*ATTACH)
    live = record(host, recording, "-v", *ATTACH)
    assert replay(recording, "-v", *ATTACH) == 0
    assert capsys.readouterr().err == live.stderr
    assert "nothing to do" in live.stderr


def test_a_run_that_failed_and_was_undone_is_replayed(
    host: PrivateHost, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("blue", "red"):
        host.netns(name)
    host.run("sh", "-ec", "ip link add eth9 type veth peer name wire; ip link set wire up")
    request = ("-o", "mode=passthru", "macvlan:eth9")
    host.pipework(*request, "blue", "0/0")
    host.run("ip", "link", "set", "eth9", "down")
    before = host.state(["blue", "red"])
    live = record(host, recording, "-v", "--json", *request, "red", "0/0")  # one passthru is all that a NIC can have
    assert live.returncode == 1
    assert host.state(["blue", "red"]) == before
    assert replay(recording, "-v", "--json", *request, "red", "0/0") == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == (live.stdout, live.stderr)
    # -v tells how far it came, and --json what went wrong.
    assert "ip link set dev eth9 up group 28792\n" in told.err
    assert "# failed with code" in told.err
    assert json.loads(told.out)["exit"] == 1
    assert json.loads(told.out)["error"].startswith("`ip link add link eth9")
    # Its undoing was recorded, too, and that no guest which is gone was the reason: without it the replay is stray.
    undone, stale = json.loads(recording.read_text())["calls"][-2:]
    assert undone["command"] == "ip link set dev eth9 down group 28792"
    assert "end_stale.sh" in stale["command"]


def test_a_command_inside_is_replayed(host: PrivateHost, recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host.netns("blue")
    host.run("ip", "-n", "blue", "link", "set", "lo", "up")
    words = ("route", "blue", "show", "table", "local")
    live = record(host, recording, *words)
    assert "127.0.0.1" in live.stdout
    assert replay(recording, *words) == 0
    assert capsys.readouterr().out == live.stdout


def test_another_request_leaves_the_recording(
    host: PrivateHost, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    host.netns("blue")
    record(host, recording, *ATTACH)
    assert replay(recording, "br1", "blue", "10.0.0.2/24,fd00::1/64", MAC) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "{+" in told.err
    assert "[-" in told.err


@pytest.mark.parametrize("place", ["/missing/run.json", "/dev/null", "/run"])
def test_a_recording_that_cannot_be_written_changes_nothing(host: PrivateHost, place: str) -> None:
    host.netns("blue")
    before = host.state(["blue"])
    done = host.pipework("--record", place, *ATTACH, check=False)
    assert done.returncode == 1
    assert "hint: name " in done.stderr
    assert host.state(["blue"]) == before
