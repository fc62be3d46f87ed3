"""`--help`: nothing that can be said on the command line is missing from it, and what it shows is right."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli import help as manual
from pipework_core.cli.parser import parse
from pipework_core.plugins.builtin import BACKENDS, GUESTS
from pipework_core.plugins.manager import PluginManager
from pipework_core.spec.options import COMMANDS, OPTIONS

if TYPE_CHECKING:
    from pipework_core.spec.options import Option

TEXT = manual.render_page(PluginManager(warn=print, third_parties=False))
LINES = TEXT.splitlines()


def section(title: str) -> str:
    """Return the text below a heading that starts so."""
    return next(part for part in TEXT.split("\n\n") if part.startswith(title))


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["br1", "-h"], []])
def test_it_is_printed(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(argv) == 0
    assert capsys.readouterr() == (TEXT, "")


def test_it_fits_a_terminal() -> None:
    assert max(map(len, LINES)) <= 80
    assert TEXT.isascii()
    assert all(line == line.rstrip() for line in LINES)
    assert TEXT.endswith("\n")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_there_with_its_value_and_its_help(option: Option) -> None:
    entries = section("OPTIONS")
    assert f" {option.long} {option.value}".rstrip() in entries
    assert f"  {option.short}, {option.long}" in entries or not option.short
    assert " ".join(option.help.split()) in " ".join(entries.split())


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"--help", "--version"}])
def test_every_command_is_there(command: str) -> None:
    assert f"\n  {command}" in section("COMMANDS")
    assert command in section("USAGE")


@pytest.mark.parametrize("kind", BACKENDS)
def test_every_kind_is_there_with_its_options(kind: str) -> None:
    entries = " ".join(section("BACKENDS").split())
    backend = next((b for b in PluginManager(warn=print, third_parties=False).list_backends() if b.kind == kind), None)
    assert backend is not None
    assert f" {kind}: {kind}:" in entries
    for key, said in backend.options.items():
        assert f"-o {key}=VALUE {said}" in entries
    assert backend.interface == "eth1" or f"interface is {backend.interface}" in entries


@pytest.mark.parametrize("runtime", GUESTS)
def test_every_word_for_a_guest_is_there(runtime: str) -> None:
    assert f"{runtime}:" in section("GUEST")


@pytest.mark.parametrize("code", ["0", "1", "2", "130"])
def test_every_exit_code_is_there(code: str) -> None:
    assert any(line.startswith(f"  {code} ") for line in section("EXIT CODES").splitlines())


def test_every_example_can_be_typed() -> None:
    examples = [line.strip() for line in section("EXAMPLES").splitlines() if "  pipework " in line]
    assert len(examples) >= 12
    for example in examples:
        name, *words = shlex.split(example)
        assert name == "pipework"
        assert parse(words).command in {"attach", "host", "route", "--wait"}
