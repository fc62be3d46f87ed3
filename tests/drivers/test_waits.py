"""Waits of many plans in one process: one answer for all, or each its own where that came too late for some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.model.plan import Command, Netns, Outcome
from pipework_drivers.waits import apply_jointly, find_joint_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LATE = Outcome(code=-14, stderr="2026-11-28T17:00:00Z|00001|fatal_signal|WARN|terminating with signal 14 (Alarm clock)")


def wait(name: str, seconds: int = 10, *, program: str = "ovs-vsctl", value: str = "true") -> Command:
    words = ("wait-until", "interface", name, f"external_ids:ovn-installed={value}")
    return Command(argv=(program, f"--timeout={seconds}", *words), timeout=float(seconds), reason=f"wait for {name}")


class FakeDriver:
    """Answers everything with one outcome, and questions with a text."""

    def __init__(self, outcome: Outcome, answer: str = "", *, code: int = 0) -> None:
        self.outcome = outcome
        self.answer = Outcome(code=code, stdout=answer)
        self.asked: list[Command] = []
        self.applied: list[Command] = []

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        self.asked += commands
        return [self.answer for _ in commands]

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        assert stop is not None
        self.applied += [command for commands in lists for command in commands]
        return [[self.outcome] for _ in lists]


def apply(driver: FakeDriver, lists: list[list[Command]], *, stopped: bool = False) -> list[list[Outcome]]:
    return apply_jointly(driver, lists, find_joint_waits(lists), lambda: stopped)


def test_waits_for_one_database_are_one_process() -> None:
    other = Command(argv=("sh", "lease.sh"), timeout=30.0)
    driver = FakeDriver(Outcome(code=0))
    found = apply(driver, [[wait("a")], [other], [wait("b", 12)]])
    assert found == [[Outcome(code=0)]] * 3
    assert driver.applied[0] == other
    words = [("--", *wait(name).argv[2:]) for name in ("a", "b")]
    assert driver.applied[1].argv == ("ovs-vsctl", "--timeout=12", *words[0], *words[1])
    assert driver.applied[1].timeout == 12
    assert not driver.asked


def test_who_came_too_late_is_asked_once() -> None:
    driver = FakeDriver(LATE, '"true"\n\n"true"\n')
    found = apply(driver, [[wait("a")], [wait("b")], [wait("c")]])
    assert [outcomes[0].code for outcomes in found] == [0, -14, 0]
    asked = ("--", "--if-exists", "get", "interface", "b", "external_ids:ovn-installed")
    assert driver.asked[0].argv[:2] == ("ovs-vsctl", "--timeout=5")
    assert driver.asked[0].argv[8:14] == asked


@pytest.mark.parametrize(("answer", "code"), [("", 0), ('"true"\n', 0), ('"true"\n"true"\n', 1)])
def test_nobody_is_done_when_the_question_has_no_answer(answer: str, code: int) -> None:
    driver = FakeDriver(LATE, answer, code=code)
    assert apply(driver, [[wait("a")], [wait("b")]]) == [[LATE], [LATE]]


def test_after_a_signal_nothing_is_asked() -> None:
    ended = Outcome(code=-15, stderr="was interrupted")
    driver = FakeDriver(ended, '"true"\n"true"\n')
    assert apply(driver, [[wait("a")], [wait("b")]], stopped=True) == [[ended], [ended]]
    assert not driver.asked


@pytest.mark.parametrize(
    "other",
    [
        [wait("b", program="ovn-nbctl")],
        [wait("b", program="sh")],
        [wait("b")._replace(timeout=0.0)],
        [wait("b")._replace(netns=Netns(path="/run/netns/blue"))],
        [wait("b"), wait("c")],
        [wait("b")._replace(argv=("ovs-vsctl", "--db=tcp:h:1", *wait("b").argv[1:]))],
        [wait("b")._replace(argv=("ovs-vsctl", "wait-until", "interface", "b", "ofport"))],
    ],
)
def test_what_is_no_wait_of_the_same_kind_waits_alone(other: list[Command]) -> None:
    assert find_joint_waits([[wait("a")], other]) == []
