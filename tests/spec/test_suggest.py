"""The word that was meant: one that exists, or none."""

from __future__ import annotations

import pytest

from pipework_core.spec import suggest


@pytest.mark.parametrize(
    ("word", "known", "close"),
    [
        ("dhclinet", ["dhclient", "dhcpcd"], "dhclient"),
        ("ethh0", ["eth0", "lo"], "eth0"),
        ("inter", ["interface", "host-interface"], "interface"),
        ("web1", ["br1"], ""),
        ("", ["br1"], ""),
        ("x", ["xyzzy"], ""),
        ("br1", [], ""),
    ],
)
def test_the_word_that_is_spelt_most_like_it(word: str, known: list[str], close: str) -> None:
    assert suggest.find_close(word, known) == close


@pytest.mark.parametrize(
    ("word", "command"), [("lss", "ls"), ("List", "ls"), ("wait", ""), ("--wai", ""), ("eth0", ""), ("rm", "")]
)
def test_the_command_that_was_meant_is_one_that_there_is(word: str, command: str) -> None:
    assert suggest.find_command(word, ["ls", "up", "--wait0"]) == command
