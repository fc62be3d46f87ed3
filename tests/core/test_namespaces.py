"""What lists network namespaces, where processes come and go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core import namespaces
from pipework_core.errors import HostError
from pipework_core.plan import Outcome
from pipework_core.testing.fake import GOOD, HOST_INODE, FakeDriver

if TYPE_CHECKING:
    from pipework_core.plan import Command

FOUND = Outcome(code=0, stdout=json.dumps({"namespaces": [{"ns": HOST_INODE, "pid": 1}, {"ns": 7, "pid": 70}]}))


def driver(*answers: Outcome) -> FakeDriver:
    """Return one whose lsns gives these answers, one after the other."""
    left = list(answers)

    def answer(command: Command) -> Outcome:
        return left.pop(0) if command == namespaces.PROCESSES else GOOD

    return FakeDriver(answer)


def test_a_list_that_a_process_broke_by_ending_is_asked_for_again() -> None:
    silent = Outcome(code=1)
    assert [found.pid for found in namespaces.find(driver(silent, silent, FOUND))] == [70]


def test_a_list_that_cannot_be_had_is_an_error_with_the_tools_own_words() -> None:
    with pytest.raises(HostError, match="lsns: no"):
        namespaces.find(driver(Outcome(code=1, stderr="lsns: no")))


def test_a_list_that_is_broken_again_and_again_is_an_error() -> None:
    with pytest.raises(HostError, match="list the network namespaces of processes: exit code 1"):
        namespaces.find(driver(*[Outcome(code=1)] * 5))
