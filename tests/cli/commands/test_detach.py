"""`pipework detach`: what is asked for, and what is told of what stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.commands.detach import DetachRequest
from pipework_core.cli.parser import parse
from pipework_core.engine.gc import Collected
from pipework_core.engine.job import Job
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import HostError, NoGuestError, UsageError
from pipework_core.model.plan import Command, Plan

if TYPE_CHECKING:
    from unittest.mock import MagicMock


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("detach web1", DetachRequest("web1")),
        ("detach web1 -i eth2 --keep-bridge", DetachRequest("web1", "eth2", keep_bridge=True)),
        ("detach --all docker:web1", DetachRequest("docker:web1", everything=True)),
    ],
)
def test_what_is_asked_for(line: str, request_: DetachRequest) -> None:
    assert parse(line.split()).request == request_


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("detach", "needs a guest"),
        ("detach a b", "a b are several"),
        ("detach a -i eth1 --all", "contradict"),
        ("detach a --prune", "does not go with detach"),
    ],
)
def test_words_that_make_no_sense_are_refused(line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse(line.split())
    assert caught.value.hint


def test_nothing_to_detach_is_no_failure(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    engine.detach.return_value = []
    engine.collect_rest.return_value = Collected(plan=Plan())
    assert app.run(["detach", "web1"]) == 0
    assert capsys.readouterr() == ("", "")
    assert app.run(["-v", "detach", "web1"]) == 0
    assert capsys.readouterr().err == "# nothing is attached to web1\n"


def test_what_cannot_be_detached_is_told_beside_the_rest(engine: MagicMock, capsys: pytest.CaptureFixture[str]) -> None:
    job = Job(Attachment(guest="web1", host="", interface="eth1"))
    job.error = HostError("it is busy.", hint="wait")
    engine.detach.return_value = [job]
    assert app.run(["--json", "detach", "--all", "web1"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "pipework: error: eth1 stays: it is busy.\nhint: wait\n"
    assert json.loads(printed.out) == {
        "version": 1,
        "detached": [],
        "failed": {"eth1": "it is busy."},
        "notes": [],
    }


def test_a_guest_that_is_gone_is_no_failure_and_what_it_left_goes(
    engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.detach.side_effect = NoGuestError("netns knows no guest 'web1'.")
    engine.collect_rest.return_value = Collected(plan=Plan())
    assert app.run(["detach", "web1", "-i", "eth1"]) == 0
    said = "pipework: warning: netns knows no guest 'web1'. Nothing of it is attached.\n"
    assert capsys.readouterr() == ("", said)
    engine.collect_rest.assert_called_once_with()
    assert app.run(["detach", "web1", "--keep-bridge"]) == 0
    engine.collect_rest.assert_called_once_with()
    command = Command(argv=("true",), reason="remove br1")
    engine.collect_rest.return_value = Collected(plan=Plan(cleanup=(command,)), failed=((command, "busy"),))
    assert app.run(["detach", "web1"]) == 1
