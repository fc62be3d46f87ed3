"""`pipework route|rule|tc`: what the tool says is passed on, and its failure is one of pipework."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.model.plan import Command, Outcome

if TYPE_CHECKING:
    from unittest.mock import MagicMock


@pytest.mark.parametrize(
    ("command", "argv"), [("route", ("ip", "route", "show")), ("rule", ("ip", "rule", "show")), ("tc", ("tc", "show"))]
)
def test_the_tool_is_run_in_the_guest(
    engine: MagicMock, command: str, argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    engine.run_in_guest.return_value = Command(argv=argv), Outcome(code=0, stdout="default\n", stderr="so so\n")
    assert app.run([command, "web1", "show"]) == 0
    engine.run_in_guest.assert_called_once_with("web1", argv)
    assert capsys.readouterr() == ("default\n", "so so\n")


def test_a_tool_that_fails(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    command = Command(argv=("ip", "route", "x"), reason="as asked, in web1")
    engine.run_in_guest.return_value = command, Outcome(code=255, stderr="what is x")
    assert app.run(["route", "web1", "x"]) == 1
    assert "what is x" in (text := capsys.readouterr().err)
    assert "`ip route help` lists what it understands" in text
