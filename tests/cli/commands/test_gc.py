"""`pipework gc`: what went is told on stdout, what did not go on stderr and by the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.parser import parse
from pipework_core.engine.gc import Collected
from pipework_core.model.errors import UsageError
from pipework_core.model.plan import Command, Plan

if TYPE_CHECKING:
    from unittest.mock import MagicMock

BRIDGE = Command(argv=("ip", "link", "delete", "dev", "br1"), reason="remove the bridge br1")
PORT = Command(argv=("ip", "link", "delete", "dev", "p1"), reason="remove p1")


def test_what_went_and_what_did_not(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(cleanup=(BRIDGE, PORT), warnings=("ovs is down",))
    engine.collect_garbage.return_value = Collected(plan, (BRIDGE,), ((PORT, "it is busy"),))
    assert app.run(["gc"]) == 1
    assert capsys.readouterr() == (
        "remove the bridge br1\n",
        "pipework: warning: ovs is down\npipework: error: cannot remove p1: it is busy\n",
    )


def test_nothing_is_a_sentence(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    engine.collect_garbage.return_value = Collected(Plan())
    assert app.run(["gc"]) == 0
    assert capsys.readouterr() == ("", "pipework: nothing is left over on this host\n")


@pytest.mark.parametrize(
    "words",
    [
        "gc web1", "gc -i eth1", "gc --all", "gc --keep-bridge", "gc --timeout 3", "gc --replace",
        "gc --dry-run --record x", "gc --wait", "gc --gone",
    ],
)  # fmt: skip
def test_words_that_make_no_sense_are_refused(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words.split())
    assert caught.value.hint


def test_it_can_be_tried() -> None:
    assert parse(["gc", "--dry-run"]).settings.dry_run
