"""What the command line says when something goes wrong: a sentence and a hint, and data where data was asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core import __main__ as program
from pipework_core.cli import app
from pipework_core.cli.commands import attach, tool
from pipework_core.model.errors import CommandError, GuestError, Interrupted, PipeworkError
from pipework_core.model.plan import Command, Outcome

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

ATTACH = ("br1", "web1", "10.0.0.1/24")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Provide a list whose only member is what the run raises."""
    errors: list[BaseException] = []

    def run(_request: object, _settings: Settings) -> int:
        raise errors[0]

    monkeypatch.setattr(attach, "run", run)
    monkeypatch.setattr(tool, "run", run)
    return errors


def test_an_error_is_a_sentence_and_a_hint(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(GuestError("no such guest.", hint="start it"))
    failing[0].add_note("and the recording is lost")
    assert app.run(ATTACH) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "pipework: error: no such guest.\nhint: start it\nnote: and the recording is lost\n"


def test_an_error_is_data_where_that_was_asked_for(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(GuestError("no such guest.", hint="start it"))
    assert app.run(("--json", *ATTACH)) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "version": 1,
        "error": "no such guest.",
        "hint": "start it",
        "notes": [],
        "exit": 1,
    }
    assert "no such guest" in said.err


def test_an_interruption_is_data_too(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(Interrupted())
    assert app.run(("--json", *ATTACH)) == 130
    assert json.loads(capsys.readouterr().out)["exit"] == 130


def test_wrong_usage_is_data_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(("--json", "br1", "web1")) == 2
    assert json.loads(capsys.readouterr().out)["exit"] == 2
    assert app.run(("br1", "web1")) == 2
    assert capsys.readouterr().out == ""


def test_a_word_of_the_tool_asks_for_no_data(failing: list[BaseException], capsys: pytest.CaptureFixture[str]) -> None:
    failing.append(GuestError("no such guest."))
    assert app.run(("route", "web1", "show", "--json")) == 1
    assert capsys.readouterr().out == ""


def test_debug_shows_where_it_came_from(failing: list[BaseException]) -> None:
    failing.append(GuestError("no such guest."))
    with pytest.raises(GuestError):
        app.run(("--debug", *ATTACH))


def test_a_word_of_the_tool_asks_for_no_traceback(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.append(GuestError("no such guest."))
    assert app.run(("route", "web1", "show", "--debug")) == 1
    assert "no such guest." in capsys.readouterr().err


def test_a_message_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise PipeworkError("it is called \x1b]0;owned\x07", hint="\x1b[2J")

    monkeypatch.setattr(attach, "run", fail)
    assert app.run(["br1", "web1", "10.0.0.1/24"]) == 1
    assert capsys.readouterr().err == "pipework: error: it is called \\x1b]0;owned\\x07\nhint: \\x1b[2J\n"


@pytest.mark.parametrize(
    ("error_text", "hint"),
    [
        ("RTNETLINK answers: Operation not permitted", "run pipework as root"),
        ("Error: Unknown device type.", "modprobe"),
        ("RTNETLINK answers: Device or resource busy", "something else uses the interface"),
        ("anything else", "what had been done was undone"),
    ],
)
def test_a_failed_command_comes_with_advice(error_text: str, hint: str) -> None:
    error = CommandError(Command(argv=("ip", "link")), Outcome(code=2, stderr=error_text))
    assert error_text in str(error)
    assert hint in error.hint


def test_an_interrupt_while_python_starts_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr("sys.argv", ["pipework", "br1", "web1", "0/0"])
    monkeypatch.setattr(app, "run", interrupted)
    monkeypatch.setattr("os._exit", leave)
    monkeypatch.setattr("gc.disable", lambda: None)
    with pytest.raises(SystemExit) as caught:
        program.main()
    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "")
