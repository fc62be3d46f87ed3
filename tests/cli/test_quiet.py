"""`--quiet`: nothing is said when all is well, and all of it when something is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app, output
from pipework_core.cli.commands import attach
from pipework_core.model.errors import GuestError

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

WORDS = ["br1", "web1", "10.0.0.1/24"]


def let_run_end(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let the run warn, print a result, and end with that code; -1 raises an error."""

    def run(_request: object, _settings: Settings) -> int:
        output.print_warning("odd")
        print("result")
        print("3 attached", file=sys.stderr)
        if code < 0:
            raise GuestError("no such guest.")
        return code

    monkeypatch.setattr(attach, "run", run)


def test_results_alone_are_shown_when_all_is_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_run_end(monkeypatch, 0)
    assert app.run(["-q", *WORDS]) == 0
    assert capsys.readouterr() == ("result\n", "")
    assert app.run(WORDS) == 0
    assert capsys.readouterr() == ("result\n", "pipework: warning: odd\n3 attached\n")


@pytest.mark.parametrize("code", [1, 3])
def test_all_is_shown_when_something_is_wrong(
    code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_run_end(monkeypatch, code)
    assert app.run(["--quiet", *WORDS]) == code
    assert capsys.readouterr().err == "pipework: warning: odd\n3 attached\n"


def test_an_error_is_shown_with_what_was_said_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    let_run_end(monkeypatch, -1)
    assert app.run(["-q", *WORDS]) == 1
    assert capsys.readouterr().err.startswith("pipework: warning: odd\n3 attached\npipework: error: no such guest.\n")


def test_it_contradicts_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["-qv", *WORDS]) == 2
    assert "contradict" in capsys.readouterr().err
