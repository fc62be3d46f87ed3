"""`pipework detach`: what is asked for, and what is told of what stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.cli.commands.detach import DetachRequest
from pipework_core.cli.parser import parse
from pipework_core.engine.job import Job
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import HostError, UsageError

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
    assert json.loads(printed.out) == {"detached": [], "failed": {"eth1": "it is busy."}, "notes": []}
