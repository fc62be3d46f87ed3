"""Recordings: complete, readable, written safely; replays: strict, and helpful when they are left."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import CommandError, GuestError, HostError, Interrupted, NoNamespaceError, ReplayError
from pipework_core.model.plan import Command, Netns, Outcome
from pipework_core.testing import FakeDriver
from pipework_core.testing.fake import GOOD
from pipework_drivers.replay import cassette
from pipework_drivers.replay.cassette import RecordedCall
from pipework_drivers.replay.driver import RecordingDriver, ReplayDriver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipework_core.model.driver import RunDriver

GUEST = Netns(path="/run/netns/blue")
LINKS = Command(argv=("ip", "-json", "link"))
ADD = Command(argv=("ip", "link", "add", "br1", "type", "bridge"))
UP = Command(argv=("ip", "link", "set", "eth1", "up"), netns=GUEST)
ARPING = Command(argv=("arping", "10.0.0.1"), netns=GUEST)


def never() -> bool:
    return False


def answering(handler: Callable[[Command], Outcome] = lambda _: GOOD) -> FakeDriver:
    """Return a driver to be wrapped, which knows the guest."""
    return FakeDriver(handler, pins={GUEST.path: PinnedNetns(inode=7)})


def some_run(driver: RunDriver) -> list[Outcome]:
    """Do one of everything."""
    driver.pin(GUEST)
    assert driver.has_program("ip")
    outcomes = driver.read([LINKS, Command(argv=("cat",), stdin="a b\nc")])
    outcomes += driver.apply_list([ADD, UP], stop=never)
    driver.start([ARPING])
    return outcomes


def recorded(path: Path, run: Callable[[RunDriver], object], inner: FakeDriver | None = None) -> str:
    """Record a run that succeeds, and return the file's text."""
    driver = RecordingDriver(inner or answering(), str(path))
    run(driver)
    driver.finish(())
    driver.close()
    return path.read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.json"


def test_a_replay_answers_what_the_run_was_answered(path: Path) -> None:
    inner = answering(lambda command: Outcome(code=0, stdout=f'[{{"said":"{command.argv[0]}"}}]\nx', stderr="\tw\n"))
    recorded(path, some_run, inner)
    driver = ReplayDriver(str(path))
    assert some_run(driver) == some_run(inner)
    driver.finish(())


def test_entries_read_like_the_commands_and_answers(path: Path) -> None:
    inner = answering(lambda _: Outcome(code=0, stdout='[{"ifname":"lo"}]\nplain\n', asked=12.3456))
    calls = json.loads(recorded(path, some_run, inner))["calls"]
    assert [call["kind"] for call in calls] == ["pin", "finds", "read", "read", "act", "act", "start"]
    assert calls[2] == {
        "kind": "read",
        "command": "ip -json link",
        "netns": None,
        "code": 0,
        "asked": 12.345,
        "stdout": [[{"ifname": "lo"}], "plain\n"],
    }
    assert calls[3]["stdin"] == ["a b\n", "c"]
    assert calls[5]["netns"] == GUEST.path


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    path.write_text("older, and for everybody")
    path.chmod(0o644)
    recorded(path, some_run)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]


def test_nothing_is_seen_of_a_recording_until_it_is_whole(path: Path) -> None:
    path.write_text("older")
    driver = RecordingDriver(answering(), str(path))
    some_run(driver)
    assert path.read_text() == "older"
    driver.close()
    assert path.read_text() == "older"
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]


@pytest.mark.parametrize("where", ["missing/run.json", "", "/dev/null"])
def test_what_cannot_be_written_is_refused_before_anything_is_done(tmp_path: Path, where: str) -> None:
    inner = answering()
    with pytest.raises(HostError) as caught:
        RecordingDriver(inner, where if where.startswith("/") else str(tmp_path / where))
    assert caught.value.hint
    assert not inner.acts
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_link_to_a_file_stays_a_link(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    recorded(link, some_run)
    assert link.is_symlink()
    assert path.is_file()


def test_a_link_of_somebody_else_is_not_followed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    if os.geteuid() == 0:
        os.lchown(link, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(HostError, match="somebody else"):
        RecordingDriver(answering(), str(link))
    assert [entry.name for entry in path.parent.iterdir()] == ["link.json"]


def test_a_link_that_is_made_during_the_run_is_not_followed(path: Path) -> None:
    victim = path.with_name("victim")
    victim.write_text("kept")
    driver = RecordingDriver(answering(), str(path))
    path.symlink_to(victim)
    some_run(driver)
    driver.finish(())
    driver.close()
    assert victim.read_text() == "kept"
    assert not path.is_symlink()


def test_a_folder_that_is_exchanged_during_the_run_is_not_left(tmp_path: Path) -> None:
    folder, other = tmp_path / "here", tmp_path / "there"
    folder.mkdir()
    other.mkdir()
    driver = RecordingDriver(answering(), str(folder / "run.json"))
    folder.rename(tmp_path / "moved")
    folder.symlink_to(other)
    some_run(driver)
    driver.finish(())
    driver.close()
    assert list(other.iterdir()) == []
    assert [entry.name for entry in (tmp_path / "moved").iterdir()] == ["run.json"]


def test_a_failed_run_is_recorded_and_fails_again(path: Path) -> None:
    inner = answering(lambda command: Outcome(code=2, stderr="no\n") if command == UP else Outcome(code=0))
    driver = RecordingDriver(inner, str(path))
    assert [outcome.code for outcome in driver.apply_list([ADD, UP, ADD], stop=never)] == [0, 2]
    driver.apply_list([Command(argv=("ip", "link", "delete", "br1"))], stop=never)
    driver.close(CommandError(UP, Outcome(code=2)))
    driver.close()

    replay = ReplayDriver(str(path))
    assert replay.apply_list([ADD, UP, ADD], stop=never) == [Outcome(code=0), Outcome(code=2, stderr="no\n")]
    error = CommandError(UP, Outcome(code=2, stderr="no"))
    replay.close(error)
    assert error.__notes__ == [f"the recording {path} goes on with 1 more call, the first of them `ip link delete br1`"]
    replay.apply_list([Command(argv=("ip", "link", "delete", "br1"))], stop=never)
    replay.finish(())


def test_errors_are_recorded_with_type_and_hint(path: Path) -> None:
    inner = FakeDriver()
    driver = RecordingDriver(inner, str(path))
    with pytest.raises(NoNamespaceError) as first:
        driver.pin(GUEST)
    driver.close(first.value)
    with pytest.raises(NoNamespaceError) as again:
        ReplayDriver(str(path)).pin(GUEST)
    assert (str(again.value), again.value.hint) == (str(first.value), first.value.hint)


def test_an_interrupted_run_is_interrupted_again(path: Path) -> None:
    asked = iter((False, True))
    driver = RecordingDriver(answering(), str(path))
    assert len(driver.apply_list([ADD, UP], stop=lambda: next(asked))) == 1
    driver.close(Interrupted())
    driver.close()
    replay = ReplayDriver(str(path))
    assert len(replay.apply_list([ADD, UP], stop=never)) == 1
    replay.finish(())


def test_a_signal_during_a_read_is_recorded_as_well(path: Path) -> None:
    def interrupted(_: Command) -> Outcome:
        raise Interrupted

    driver = RecordingDriver(answering(interrupted), str(path))
    with pytest.raises(Interrupted) as caught:
        driver.read([LINKS])
    driver.close(caught.value)
    with pytest.raises(Interrupted):
        ReplayDriver(str(path)).read([LINKS])


def test_an_error_of_the_run_is_not_hidden_by_one_of_its_recording(path: Path) -> None:
    driver = RecordingDriver(answering(), str(path))
    path.mkdir()  # in its way by now
    error = GuestError("the guest is gone.")
    driver.close(error)
    driver.close()
    assert "could not be written" in error.__notes__[0]
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]


def test_a_recording_that_fails_at_the_end_is_an_error_of_its_own(path: Path) -> None:
    driver = RecordingDriver(answering(), str(path))
    path.mkdir()
    with pytest.raises(HostError, match="the run is done, but its recording"):
        driver.finish(())


@pytest.mark.parametrize(
    ("command", "tags"),
    [
        (
            Command(argv=("ip", "link", "add", "br2", "type", "bridge")),
            "command: ip link add [-br1-]{+br2+} type bridge",
        ),
        (Command(argv=(*ADD.argv, "up")), "command: ip link add br1 type bridge {+up+}"),
        (Command(argv=ADD.argv[:-2]), "command: ip link add br1 [-type bridge-]"),
        (Command(argv=ADD.argv, netns=GUEST), "netns: [-the host-]{+/run/netns/blue+}"),
        (Command(argv=ADD.argv, stdin="a b"), "stdin: {+a b+}"),
    ],
)
def test_a_stray_command_is_shown_beside_the_nearest_recorded_one(path: Path, command: Command, tags: str) -> None:
    recorded(path, some_run)
    driver = ReplayDriver(str(path))
    driver.pin(GUEST)
    with pytest.raises(ReplayError) as caught:
        driver.apply_list([command], stop=never)
    assert (
        str(caught.value)
        == f"the run asks for `{command}`, and the recording {path} is at call 2, which is `finds ip`."
    )
    assert caught.value.hint == f"the nearest recorded call is 5: {tags}"


def test_the_same_command_at_another_time_or_as_another_kind_is_stray(path: Path) -> None:
    recorded(path, some_run)
    driver = ReplayDriver(str(path))
    with pytest.raises(ReplayError) as caught:
        driver.has_program("ip")
    assert caught.value.hint == "the nearest recorded call is 2: it is the same, in another place"
    with pytest.raises(ReplayError) as caught:
        driver.read([ADD])
    assert caught.value.hint == "the nearest recorded call is 5: kind: [-act-]{+read+}"


def test_a_run_that_goes_on_behind_its_recording_is_stray(path: Path) -> None:
    recorded(path, some_run)
    driver = ReplayDriver(str(path))
    some_run(driver)
    with pytest.raises(ReplayError, match=r"is at its end"):
        driver.read([LINKS])


def test_an_unused_recording_fails(path: Path) -> None:
    recorded(path, some_run)
    driver = ReplayDriver(str(path))
    driver.pin(GUEST)
    with pytest.raises(ReplayError, match=r"goes on with 6 more calls, the first of them `finds ip`\.$") as caught:
        driver.finish(())
    driver.close(caught.value)
    assert not hasattr(caught.value, "__notes__")


def broken(change: str, into: str) -> Callable[[str], str]:
    def apply(text: str) -> str:
        assert change in text
        return text.replace(change, into)

    return apply


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[:-30], "is no recording: "),
        (lambda _: "[]", "is no recording of pipework"),
        (lambda _: "\0", "is no recording: "),
        (broken('"version": 1', '"version": 2'), "has version 2 of the format, and this pipework reads 1"),
        (broken('"kind": "finds"', '"kind": "seeks"'), "call 2 of .* is broken"),
        (broken('"program"', '"programme"'), "call 2 of .* is broken"),
        (broken('"command": "ip -json link"', '"command": "ip \'"'), "call 3 of .* is broken"),
        (broken('"code": 0', '"code": "zero"'), "call 3 of .* is broken"),
        (broken('"calls": [', '"calls": [7, '), "call 1 of .* is broken"),
        (broken('"calls": [', '"calls": 7, "was": ['), "is no recording"),
        (broken('"stdin": ["a b\\n", "c"]', '"stdin": 7'), "call 4 of .* is broken"),
    ],
)
def test_a_broken_recording_is_one_sentence_and_a_hint(path: Path, damage: Callable[[str], str], said: str) -> None:
    path.write_text(damage(recorded(path, some_run)))
    with pytest.raises(ReplayError, match=said) as caught:
        ReplayDriver(str(path))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_recording_is_an_error(path: Path) -> None:
    with pytest.raises(ReplayError, match="No such file"):
        ReplayDriver(str(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ReplayError, match="no text"):
        ReplayDriver(str(path))


anything = st.text(st.characters(exclude_characters="\0"), max_size=30) | st.sampled_from(
    ["[1, 2]\n", '[{"a":1.0}]\n', '{"a":1,"a":2}\n', "[NaN]\n", "\r\n\x85\u2028", "\n\n", "caf\udcc3\n", "[]", "[]\n"]
)


@given(st.lists(anything, min_size=1, max_size=4), anything, anything, st.none() | anything)
def test_everything_comes_back_as_it_was(argv: list[str], stdout: str, stderr: str, stdin: str | None) -> None:
    outcome = Outcome(code=0, stdout=stdout, stderr=stderr)
    calls = [
        RecordedCall(kind="act", argv=tuple(argv), netns="/x", stdin=stdin, outcome=outcome),
        RecordedCall(kind="pin", subject=argv[0], pin=PinnedNetns(inode=3, born=4.25)),
    ]
    text = cassette.dump_calls(calls, made_by="a test")
    # Through bytes, as the file is written and read.
    back = cassette.load_calls(text.encode("utf-8", "backslashreplace").decode(), name="x")
    assert back == calls
    command = json.loads(text.encode("utf-8", "backslashreplace"))["calls"][0]["command"]
    assert tuple(shlex.split(command)) == tuple(argv)


def test_lines_stay_short_enough_to_review(path: Path) -> None:
    link = json.dumps([{"ifname": f"eth{n}", "flags": ["UP", "LOWER_UP"], "mtu": 1500} for n in range(9)])
    inner = answering(lambda _: Outcome(code=0, stdout=re.sub(r"(?<=[:,]) ", "", link) + "\n"))
    assert max(map(len, recorded(path, some_run, inner).splitlines())) <= 120


def test_the_inner_driver_is_told_how_the_run_ended(path: Path) -> None:
    inner = answering()
    recorded(path, some_run, inner)
    assert inner.calls == ["finish", "close"]
    driver = RecordingDriver(inner, str(path))
    with driver.lock():
        pass
    driver.close(Interrupted())
    driver.close()
    assert inner.calls == ["finish", "close", "lock", "abort", "close"]


def test_a_replay_holds_no_lock(path: Path) -> None:
    recorded(path, some_run)
    with ReplayDriver(str(path)).lock(), ReplayDriver(str(path)).lock():
        pass


def test_a_pin_that_moved_to_another_path_is_stray(path: Path) -> None:
    recorded(path, some_run)
    with pytest.raises(ReplayError) as caught:
        ReplayDriver(str(path)).pin(Netns(path="/run/netns/red"))
    assert caught.value.hint == "the nearest recorded call is 1: name: [-/run/netns/blue-]{+/run/netns/red+}"


def test_a_recording_names_our_scripts_without_the_folder_of_this_host(tmp_path: Path) -> None:
    def step(folder: str) -> Command:
        return Command(argv=("sh", f"{folder}/pipework_backends/scripts/announce.sh", "eth1", "/x/pipework_y/z"))

    path = tmp_path / "run.json"
    recorder = RecordingDriver(answering(), str(path))
    recorder.apply_list([step("/usr/lib/python3/dist-packages")], stop=lambda: False)
    recorder.finish(())
    recorder.close()
    assert "dist-packages" not in path.read_text()
    assert "/x/pipework_y/z" in path.read_text()
    replay = ReplayDriver(str(path))
    assert [done.code for done in replay.apply_list([step("/opt/venv/site-packages")], stop=lambda: False)] == [0]
