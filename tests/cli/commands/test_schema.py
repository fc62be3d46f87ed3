"""`pipework schema`: the two schemas, and nothing else."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from pipework_core.cli import app


@pytest.mark.parametrize("words", [("schema",), ("schema", "json")])
def test_it_is_a_schema(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(words) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert "version" not in schema
    assert ("ls" in schema["$defs"]) == (words[-1] == "json")


@pytest.mark.parametrize("words", ["schema JSON", "schema json json", "schema ls", "schema ''", "schema --json"])
def test_another_one_is_not_there(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(words.split()) == 2
    assert "hint: " in capsys.readouterr().err
