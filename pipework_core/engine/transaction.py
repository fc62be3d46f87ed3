"""All or nothing: carry a plan out, and undo what was done when it cannot be finished."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NoReturn

from pipework_core.model.driver import cut_short, has_succeeded
from pipework_core.model.errors import CommandError, Interrupted, PipeworkError, UndoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.model.driver import Driver, Lock
    from pipework_core.model.plan import Command, Outcome, Plan


def run(
    plan: Plan,
    driver: Driver,
    hold: Lock,
    *,
    stop: Callable[[], bool],
    tell: Callable[[Command, Outcome], None],
) -> tuple[Outcome, ...]:
    """Carry out the steps and return their outcomes; raise CommandError or Interrupted after undoing them.

    Call it with signals deferred: `stop` is asked between processes and behind the last step that can be undone, and
    nothing interrupts the undoing. `hold` is held, and let go while a step takes its time.
    """
    steps = plan.steps + plan.commit
    outcomes: list[Outcome] = []
    try:
        _carry_out(plan.steps, outcomes, driver, hold, stop=stop, tell=tell)
    except PipeworkError as error:  # such as a program that is missing: what came before it is done
        _undone(steps[: len(outcomes)], driver, hold, error)
    if _all_good(plan.steps, outcomes) and plan.commit and not stop():
        outcomes += _acted(plan.commit, driver, stop=lambda: False, tell=tell)
    done = steps[: len(outcomes)]
    if _all_good(steps, outcomes) and (plan.commit or not steps or not stop()):
        return tuple(outcomes)
    failed = bool(outcomes) and not has_succeeded(done[-1], outcomes[-1])
    interrupted = not failed or (bool(done[-1].timeout) and stop())
    cause: BaseException = Interrupted() if interrupted else CommandError(done[-1], outcomes[-1])
    return _undone(undoable(done, outcomes), driver, hold, cause)


def undoable(done: Sequence[Command], outcomes: Sequence[Outcome]) -> Sequence[Command]:
    """Return those of the commands with an outcome that have something to undo: all but a last one that did nothing.

    One that was carried out and did not come to what was expected, or that was ended and may have been, is among them.
    """
    if not outcomes:
        return ()
    command, outcome = done[len(outcomes) - 1], outcomes[-1]
    did = outcome.code in command.ok_codes or cut_short(outcome)
    return done[: len(outcomes) if did else len(outcomes) - 1]


def _undone(done: Sequence[Command], driver: Driver, hold: Lock, cause: BaseException) -> NoReturn:
    left = undo(done, driver, contended=hold.contended)
    if left:
        raise UndoError(cause, left) from cause
    raise cause


def _carry_out(  # noqa: PLR0913 - what `run` is given, and where the outcomes go
    steps: Sequence[Command],
    outcomes: list[Outcome],
    driver: Driver,
    hold: Lock,
    *,
    stop: Callable[[], bool],
    tell: Callable[[Command, Outcome], None],
) -> None:
    """Run the steps up to the first that fails; others may have the host while one of them takes its time."""
    for patient, members in groupby(steps, key=lambda step: step.timeout > 0):
        group = tuple(members)
        if patient:
            with hold.yielded():
                found = _acted(group, driver, stop=stop, tell=tell)
        else:
            found = _acted(group, driver, stop=stop, tell=tell)
        outcomes += found
        if not _all_good(group, found):
            break


def _acted(
    steps: Sequence[Command],
    driver: Driver,
    *,
    stop: Callable[[], bool],
    tell: Callable[[Command, Outcome], None],
) -> list[Outcome]:
    outcomes = driver.apply([steps], stop=stop)[0]
    for command, outcome in zip(steps, outcomes, strict=False):
        tell(command, outcome)
    return outcomes


def _all_good(steps: Sequence[Command], outcomes: Sequence[Outcome]) -> bool:
    """Whether every step was carried out, the last one with success; drivers end behind the first without."""
    return len(outcomes) == len(steps) and (not steps or has_succeeded(steps[-1], outcomes[-1]))


def undo(done: Iterable[Command], driver: Driver, *, contended: bool = False) -> list[Command]:
    """Undo commands, newest first; go on behind one that fails, and return those that failed.

    With `contended`, somebody else held the host meanwhile. What they may have begun to use (`only_if_uncontended`)
    stays.
    """
    steps = [
        step
        for command in reversed(tuple(done))
        for step in command.undo
        if not (step.only_if_uncontended and contended)
    ]
    return [step for step, outcome in _clean_up(steps, driver) if not has_succeeded(step, outcome)]


def cleanup(plan: Plan, driver: Driver, *, tell: Callable[[Command, Outcome], None]) -> tuple[Command, ...]:
    """Take away what nobody needs any more, each by itself; return what could not be taken away."""
    done = _clean_up(plan.cleanup, driver)
    for command, outcome in done:
        tell(command, outcome)
    return tuple(command for command, outcome in done if not has_succeeded(command, outcome))


def _clean_up(commands: Sequence[Command], driver: Driver) -> list[tuple[Command, Outcome]]:
    """Return the commands that no guard blocked, with their outcomes."""
    outcomes = driver.clean_up(commands)
    return [(command, outcome) for command, outcome in zip(commands, outcomes, strict=True) if outcome is not None]
