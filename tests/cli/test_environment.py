"""Options from the environment: one on the command line wins, and a bad value is told with the variable's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.manual import pages
from pipework_core.cli.manual import text as renderer
from pipework_core.cli.parser import parse
from pipework_core.model.errors import UsageError
from pipework_core.plugins.manager import PluginManager
from pipework_core.spec.options import OPTIONS

if TYPE_CHECKING:
    from unittest.mock import MagicMock

VARIABLES = {option.env: option for option in OPTIONS if option.env}
#: A value that counts, a command line that takes it, and how the request or the settings show it.
GOOD = {
    "PIPEWORK_DRIVER": ("ssh://root@host2", "ls", "settings.driver"),
    "PIPEWORK_FILE": ("lab.yaml", "up", "request.file"),
    "PIPEWORK_TIMEOUT": ("7", "br1 web1 dhclient", "request.timeout"),
    "PIPEWORK_COLOR": ("never", "ls", "request.colour"),
}


def look_up(line: str, path: str) -> str:
    """Return what an invocation has at `path`, as text."""
    found: object = parse(line.split())
    for name in path.split("."):
        found = getattr(found, name)
    return str(found)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_counts_until_the_command_line_says_something(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, line, path = GOOD[variable]
    before = look_up(line, path)
    assert value not in before
    monkeypatch.setenv(variable, value)
    assert look_up(line, path).startswith(value)
    given = {"PIPEWORK_TIMEOUT": "9", "PIPEWORK_COLOR": "always"}.get(variable, "other")
    assert look_up(f"{line} {VARIABLES[variable].long} {given}", path).startswith(given)
    monkeypatch.setenv(variable, "")
    assert look_up(line, path) == before


def test_a_variable_is_for_the_commands_that_take_its_option(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, (value, _, _) in GOOD.items():
        monkeypatch.setenv(variable, value)
    assert parse(["plugins"]).settings.variables == {}
    assert parse(["watch"]).settings.driver == ""
    assert parse(["route", "web1", "show", "--driver"]).request.words == ("show", "--driver")
    assert set(parse(["ls"]).settings.variables) == {"driver", "color"}


def test_a_driver_of_the_environment_makes_way_for_a_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEWORK_DRIVER", "ssh://root@host2")
    assert parse(["ls", "--replay", "run.json"]).settings.driver == ""


def test_a_picture_without_a_file_is_the_host_s_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEWORK_FILE", "lab.yaml")
    monkeypatch.setenv("PIPEWORK_DRIVER", "ssh://root@host2")
    assert parse(["graph"]).request.file == ""
    assert parse(["graph"]).settings.driver == "ssh://root@host2"
    assert parse(["graph", "-f", "x.yaml"]).settings.driver == ""


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("PIPEWORK_TIMEOUT", "soon", "br1 web1 dhclient"),
        ("PIPEWORK_TIMEOUT", "-1", "--wait"),
        ("PIPEWORK_TIMEOUT", "1e999", "--wait"),
        ("PIPEWORK_TIMEOUT", "\x1b[2J", "--wait"),
        ("PIPEWORK_COLOR", "blue", "ls"),
        ("PIPEWORK_COLOR", "ALWAYS", "ls"),
        ("PIPEWORK_DRIVER", "nosuch", "ls"),
        ("PIPEWORK_DRIVER", "dry-run", "ls"),
        ("PIPEWORK_DRIVER", "ssh://", "ls"),
        ("PIPEWORK_DRIVER", "ssh://-oProxyCommand=x", "ls"),
        ("PIPEWORK_DRIVER", "\udcff", "ls"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_the_variable(
    variable: str, value: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert app.run(line.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pipework: error: {variable}=")
    assert said.count("error: ") == 1
    assert "\nhint: " in said
    assert "\x1b" not in said


def test_what_is_wrong_with_the_command_line_is_not_blamed_on_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEWORK_COLOR", "blue")
    with pytest.raises(UsageError, match="ls takes one guest"):
        parse(["ls", "a", "b"])


def test_a_failure_names_the_variables_that_counted(
    engine: MagicMock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert engine
    monkeypatch.setenv("PIPEWORK_FILE", "/nonexistent/lab.yaml")
    assert app.run(["status"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("pipework: error: /nonexistent/lab.yaml cannot be read")
    assert said.endswith("note: PIPEWORK_FILE=/nonexistent/lab.yaml stands for --file\n")


@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_is_documented(variable: str) -> None:
    page = renderer.render_page(pages.make_manual(PluginManager(warn=print, third_parties=False)))
    table = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert variable in page
    assert f"| `{variable}` | `{VARIABLES[variable].long}` |" in table
