"""Questions to an engine whose connections break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from watch.fake_engine import describe, make_id, serve

from pipework_core.model.errors import HostError
from pipework_core.watch import runtime

if TYPE_CHECKING:
    from pathlib import Path

LABELS = {"pipework.eth1": "br1 10.0.0.1/24"}


class CutAnswers(dict[str, Any]):
    """Answers of which the first ones are cut off."""

    def __init__(self, cuts: int) -> None:
        super().__init__({make_id(1): describe(1, Labels=LABELS)})
        self.cuts, self.asked = cuts, 0

    def __getitem__(self, key: str) -> object:
        self.asked += 1
        if self.asked <= self.cuts:
            raise ConnectionAbortedError(key)
        return super().__getitem__(key)


@pytest.fixture
def socket(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket_folder}/engine.sock")
    monkeypatch.setattr(runtime, "_PAUSES", (0.0, 0.0, 0.0))
    return socket_folder / "engine.sock"


def test_a_question_whose_answer_is_cut_off_is_asked_again(socket: Path) -> None:
    answers = CutAnswers(3)
    with serve(socket, answers):
        connection = runtime.Connection("docker")
        container = connection.inspect(make_id(1))
        connection.close()
    assert container is not None
    assert container.labels == LABELS
    assert answers.asked == 4


def test_a_question_that_is_never_answered_is_given_up(socket: Path) -> None:
    answers = CutAnswers(100)
    with serve(socket, answers):
        connection = runtime.Connection("docker")
        with pytest.raises(HostError, match="docker does not describe this container"):
            connection.inspect(make_id(1))
        connection.close()
    assert answers.asked == 4
