"""`pipework ls`: the table, and what is said when there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.commands.ls import format_attachments
from pipework_core.cli.parser import parse
from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.inventory import Inventory
from pipework_core.model.context import Guest
from pipework_core.model.errors import UsageError
from pipework_core.model.plan import Netns

if TYPE_CHECKING:
    from unittest.mock import MagicMock

BLUE = 4026532001
ENTRY = AttachmentStatus(interface="eth1", kind="bridge", parent="br1", mac="02:00:00:00:00:01", mtu=1500)


def test_the_table_is_aligned_and_escapes_what_a_guest_chose() -> None:
    guest = Guest(name="web1", runtime="docker", netns=Netns(path="/x"), inode=BLUE)
    evil = ENTRY._replace(interface="e\x1b[2J1", guest=guest)
    lines = format_attachments([evil, ENTRY._replace(vlan="10")]).splitlines()
    assert "\x1b" not in "".join(lines)
    assert lines[1].startswith("docker:web1  e\\x1b[2J1")
    assert len({line.index("bridge") for line in lines[1:]} | {lines[0].index("KIND")}) == 1


def test_warnings_come_with_the_table(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    engine.list_attachments.return_value = Inventory((ENTRY,), ("docker does not answer",))
    assert app.run(["ls"]) == 0
    printed = capsys.readouterr()
    assert [line.split()[:2] for line in printed.out.splitlines()] == [["GUEST", "INTERFACE"], ["-", "eth1"]]
    assert printed.err == "pipework: warning: docker does not answer\n"


@pytest.mark.parametrize(("words", "whom"), [(("ls",), "any guest of this host"), (("ls", "web1"), "web1")])
def test_nothing_is_a_sentence(
    engine: MagicMock, words: tuple[str, ...], whom: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.list_attachments.return_value = Inventory(())
    assert app.run(words) == 0
    assert capsys.readouterr() == ("", f"pipework: nothing is attached to {whom}\n")
    assert app.run(["--json", *words]) == 0
    assert json.loads(capsys.readouterr().out) == {"attachments": [], "warnings": []}


@pytest.mark.parametrize(
    "words",
    [
        "ls a b", "ls -i eth1", "ls --all", "ls --dry-run", "ls --mtu 1500", "ls --wait", "ls --replace", "ls -o a=b",
        "ls --json=1", "ls --nosuch", "ls --keep-bridge", "ls --timeout 3", "ls --record a --replay b",
    ],
)  # fmt: skip
def test_words_that_make_no_sense_are_refused(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words.split())
    assert caught.value.hint


def test_a_guest_may_be_named() -> None:
    assert parse(["ls"]).request == ""
    assert parse(["--json", "ls", "docker:web1"]).request == "docker:web1"
