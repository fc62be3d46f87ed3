"""`pipework graph`: the forms, a file in place of the host, and what is said when there is nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from graph.pictures import make_entry, make_host

from pipework_core.cli import app
from pipework_core.cli.commands.graph import FORMATS, GraphRequest
from pipework_core.cli.parser import parse
from pipework_core.engine.inventory import HostInventory, Inventory
from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from unittest.mock import MagicMock

#: How each form begins.
BEGINS = {
    "tree": "br1  (bridge",
    "mermaid": "flowchart LR",
    "dot": "graph pipework {",
    "svg": "<svg ",
    "html": "<!doctype html>",
    "json": "{",
}


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_is_printed(engine: MagicMock, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine.list_host.return_value = make_host(make_entry("web1", 1), warnings=("docker does not answer",))
    assert app.run(["graph", "--format", form]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(BEGINS[form])
    assert printed.out.endswith("\n")
    assert "web1" in printed.out
    assert printed.err == "pipework: warning: docker does not answer\n"


def test_json_is_a_form_and_a_tree_is_the_usual_one(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    engine.list_host.return_value = make_host(make_entry("web1", 1))
    assert app.run(["graph", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["version"] == 1
    assert [node["name"] for node in data["nodes"]] == ["br1", "eth0", "web1"]
    assert app.run(["graph"]) == 0
    assert "└─ docker:web1" in capsys.readouterr().out


def test_nothing_is_a_sentence(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    engine.list_host.return_value = HostInventory(Inventory(()))
    assert app.run(["graph"]) == 0
    assert capsys.readouterr() == ("", "pipework: there is nothing to draw: no interface and no guest\n")


def test_a_file_is_drawn_without_a_host(engine: MagicMock, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text("version: 1\nlinks:\n  - br1 web1 10.0.0.1/24\n")
    assert app.run(["graph", "-f", str(file)]) == 0
    assert capsys.readouterr().out == ("br1  (bridge, planned)\n└─ web1  eth1  planned  10.0.0.1/24  bridge\n")
    engine.list_host.assert_not_called()


def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text("version: 1\nlinks:\n  - br1 web1 10.0.0.1/99\n")
    assert app.run(["graph", "-f", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{file}:3:5" in printed.err


def test_the_words_are_understood() -> None:
    assert parse(["graph"]).request == GraphRequest()
    assert parse(["graph", "--json"]).request == GraphRequest(format="json")
    assert parse(["graph", "--json", "--format", "json"]).request.format == "json"
    assert parse(["graph", "--format=svg", "-f", "-"]).request == GraphRequest("-", "svg")


@pytest.mark.parametrize(
    "words",
    [
        "graph web1", "graph --format", "graph --format png", "graph --format ", "graph --format SVG",
        "graph --json --format svg", "graph --format svg --format dot", "graph -f a -f b", "graph -f",
        "graph --format=", "graph --file=", "graph -f a --driver ssh://root@x", "graph -f a --record r",
        "graph -f a --replay r", "graph --dry-run", "graph -i eth1", "graph --all", "graph --record a --replay b",
        "graph --mtu 1500", "graph --wait", "graph --json=1", "graph --nosuch", "ls --format svg", "graph -- a",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_hint(words: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(words.split(" "))
    assert raised.value.hint
