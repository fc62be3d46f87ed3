"""The table of commands and their modules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import commands
from pipework_core.cli.commands import find_command, list_takers
from pipework_core.cli.parser import parse
from pipework_core.model.errors import UsageError
from pipework_core.spec.options import COMMANDS, GENERAL, OPTIONS

if TYPE_CHECKING:
    from pipework_core.cli.commands import CommandModule

ALONE = {"--help", "--version"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_all_that_a_module_of_a_command_has(name: str) -> None:
    command: CommandModule = find_command(name)
    assert callable(command.parse_request)
    assert callable(command.run)
    assert (sys.modules[command.run.__module__].__doc__ or "").startswith("`pipework ")
    assert set(command.OPTIONS) <= {option.name for option in OPTIONS} - set(GENERAL)
    assert len(set(command.OPTIONS)) == len(command.OPTIONS)
    if name not in ALONE:
        assert any(name.removeprefix("--") in words for words in command.USAGE)
        assert any(term.split()[0] == name for term, _ in command.HELP)


def test_each_module_is_in_the_table() -> None:
    folder = Path(str(commands.__file__)).parent
    assert {path.stem for path in folder.glob("[a-z]*.py")} == set(COMMANDS.values())


@pytest.mark.parametrize("option", [option.name for option in OPTIONS if option.name not in GENERAL])
def test_each_option_goes_with_a_command(option: str) -> None:
    assert list_takers(option)


def test_the_commands_that_take_an_option_are_told_in_the_order_of_help() -> None:
    with pytest.raises(UsageError, match="--dry-run does not go with demo") as raised:
        parse(["demo", "--dry-run"])
    assert raised.value.hint == "it goes with attach, detach, gc, host, route, rule, tc, up, down, watch"


def test_a_word_after_two_dashes_is_no_command() -> None:
    with pytest.raises(UsageError, match="lacks a guest and an address"):
        parse(["--", "--version"])
