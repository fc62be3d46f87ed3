"""`pipework exec`: which words are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app, output
from pipework_core.cli.commands.exec import ExecRequest
from pipework_core.cli.parser import parse
from pipework_core.model.errors import HostError, UsageError

if TYPE_CHECKING:
    from unittest.mock import MagicMock


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        (["tcpdump", "-ni", "eth1"], ("tcpdump", "-ni", "eth1")),
        (["--", "tcpdump", "-ni", "eth1"], ("tcpdump", "-ni", "eth1")),
        (["ip", "--json", "-v", "--help", "--version"], ("ip", "--json", "-v", "--help", "--version")),
        (["echo", "--", "--"], ("echo", "--", "--")),
        (["echo", "", "a b", "'"], ("echo", "", "a b", "'")),
    ],
)
def test_every_word_after_the_guest_is_the_program_s(words: list[str], argv: tuple[str, ...]) -> None:
    assert parse(["exec", "web1", *words]).request == ExecRequest("web1", argv)
    assert parse(["-v", "exec", "web1", *words]).settings.verbose


@pytest.mark.parametrize(
    "words",
    [[], ["web1"], ["web1", "--"], ["web1", ""], ["web1", "--", ""], ["", "ls"], ["--json", "web1", "ls"],
     ["-i", "eth1", "web1", "ls"], ["--driver", "ssh://a", "web1", "ls"], ["--dry-run", "web1", "ls"]],
)  # fmt: skip
def test_words_that_make_no_sense(words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse(["exec", *words])
    assert caught.value.hint


def test_the_engine_becomes_the_program(engine: MagicMock) -> None:
    error = HostError("nothing is installed here.")
    error.exit_code = 127
    engine.replace_process.side_effect = error
    assert app.run(["exec", "web1", "--", "ls"]) == 127
    engine.replace_process.assert_called_once_with("web1", ("ls",), output.print_warning)
