"""All or nothing, on plans made up for it."""

from __future__ import annotations

import signal

import pytest

from pipework_core import transaction
from pipework_core.driver import TIMED_OUT
from pipework_core.errors import CommandError, Interrupted, UndoError
from pipework_core.plan import Command, Outcome, Plan

from .fake import GOOD, FakeDriver

BAD = Outcome(code=2, stderr="RTNETLINK answers: No such device")


def command(name: str, **more: object) -> Command:
    return Command(argv=("do", name), undo=(Command(argv=("undo", name)),), **more)  # type: ignore[arg-type]


PLAN = Plan(steps=(command("a"), command("b"), command("c")))


def names(commands: list[Command]) -> list[str]:
    return [" ".join(done.argv) for done in commands]


def run(driver: FakeDriver, plan: Plan = PLAN, *, stop_behind: int = 99) -> tuple[Outcome, ...]:
    return transaction.run(
        plan, driver, driver.exclusive(), stop=lambda: len(driver.acts) >= stop_behind, tell=lambda *_: None
    )


def test_good_steps_are_not_undone() -> None:
    driver = FakeDriver()
    assert run(driver) == (GOOD, GOOD, GOOD)
    assert names(driver.acts) == ["do a", "do b", "do c"]


def test_a_failure_undoes_what_was_done_newest_first_and_not_what_failed() -> None:
    driver = FakeDriver(lambda done: BAD if done.argv == ("do", "c") else GOOD)
    with pytest.raises(CommandError, match="`do c` failed: RTNETLINK answers: No such device"):
        run(driver)
    assert names(driver.acts) == ["do a", "do b", "do c", "undo b", "undo a"]


def test_an_interruption_undoes_what_was_done() -> None:
    driver = FakeDriver()
    with pytest.raises(Interrupted):
        run(driver, stop_behind=2)
    assert names(driver.acts) == ["do a", "do b", "undo b", "undo a"]


def test_what_was_done_and_did_not_come_out_as_expected_is_undone_too() -> None:
    driver = FakeDriver(lambda done: Outcome(code=0, stdout="[oh no]") if done.argv == ("do", "b") else GOOD)
    with pytest.raises(CommandError, match="oh no"):
        run(driver, Plan(steps=(command("a"), command("b", expect="[]"))))
    assert names(driver.acts) == ["do a", "do b", "undo b", "undo a"]


@pytest.mark.parametrize("code", [TIMED_OUT, -signal.SIGALRM])
def test_a_command_that_was_ended_may_have_done_its_work_and_is_undone(code: int) -> None:
    driver = FakeDriver(lambda done: Outcome(code=code) if done.argv == ("do", "b") else GOOD)
    with pytest.raises(CommandError):
        run(driver)
    assert names(driver.acts) == ["do a", "do b", "undo b", "undo a"]


@pytest.mark.parametrize(("answer", "undone"), [("[]", True), ("", True), ('[{"ifname": "p1"}]', False), (None, False)])
def test_a_guarded_undo_is_left_out_when_its_guard_finds_something_or_fails(
    answer: str | None, *, undone: bool
) -> None:
    guard = Command(argv=("ports", "of", "br1"))
    delete = Command(argv=("delete", "br1"), unless=guard)
    plan = Plan(steps=(Command(argv=("add", "br1"), undo=(delete,)), command("b"), command("c")))

    def answered(done: Command) -> Outcome:
        if done == guard:
            return BAD if answer is None else Outcome(code=0, stdout=answer)
        return BAD if done.argv == ("do", "c") else GOOD

    driver = FakeDriver(answered)
    with pytest.raises(CommandError):
        run(driver, plan)
    assert ("delete br1" in names(driver.acts)) is undone
    assert "undo b" in names(driver.acts)


def test_an_undo_that_fails_does_not_stop_the_others_and_is_named() -> None:
    driver = FakeDriver(lambda done: BAD if done.argv in {("do", "c"), ("undo", "b")} else GOOD)
    with pytest.raises(UndoError) as raised:
        run(driver)
    assert names(driver.acts)[-1] == "undo a"
    assert [str(left) for left in raised.value.left] == ["undo b"]
    assert "undo b" in raised.value.hint
    assert "`do c` failed" in str(raised.value)


def test_an_interruption_during_the_last_step_undoes_it_too() -> None:
    driver = FakeDriver()
    with pytest.raises(Interrupted):
        run(driver, stop_behind=3)
    assert names(driver.acts) == ["do a", "do b", "do c", "undo c", "undo b", "undo a"]
