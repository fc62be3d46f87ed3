"""All or nothing: carry a plan out, and undo what was done when it cannot be finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.driver import cut_short, succeeded
from pipework_core.errors import CommandError, Interrupted, UndoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.driver import Driver
    from pipework_core.plan import Command, Outcome, Plan


def run(
    plan: Plan,
    driver: Driver,
    *,
    stop: Callable[[], bool],
    tell: Callable[[Command, Outcome], None],
) -> tuple[Outcome, ...]:
    """Carry out the steps and return their outcomes; raise CommandError or Interrupted after undoing them.

    Call it with signals deferred: `stop` is asked between processes and behind the last step that can be undone, and
    nothing interrupts the undoing.
    """
    steps = plan.all_steps
    outcomes = driver.act(plan.steps, stop=stop)
    if _all_good(plan.steps, outcomes) and plan.final and not stop():
        outcomes += driver.act(plan.final, stop=lambda: False)
    for command, outcome in zip(steps, outcomes, strict=False):
        tell(command, outcome)
    done = steps[: len(outcomes)]
    if _all_good(steps, outcomes) and (plan.final or not steps or not stop()):
        return tuple(outcomes)
    failed = bool(outcomes) and not succeeded(done[-1], outcomes[-1])
    if failed and (outcomes[-1].code in done[-1].ok_codes or cut_short(outcomes[-1])):
        undoable = done  # it was carried out but did not come to what was expected, or may have been
    else:
        undoable = done[:-1] if failed else done
    cause: BaseException = CommandError(done[-1], outcomes[-1]) if failed else Interrupted()
    left = undo(undoable, driver)
    if left:
        raise UndoError(cause, left) from cause
    raise cause


def _all_good(steps: Sequence[Command], outcomes: Sequence[Outcome]) -> bool:
    """Whether every step was carried out, the last one with success; drivers end behind the first without."""
    return len(outcomes) == len(steps) and (not steps or succeeded(steps[-1], outcomes[-1]))


def undo(done: Sequence[Command], driver: Driver) -> list[Command]:
    """Undo commands, newest first; go on behind one that fails, and return those that failed."""
    todo = [step for command in reversed(done) for step in command.undo]
    left: list[Command] = []
    while todo:
        ready = _up_to_guard(todo)
        if not ready:
            if _holds_back(todo[0], driver):
                todo = todo[1:]
                continue
            ready = todo[:1]
        outcomes = driver.act(ready, stop=lambda: False)
        if outcomes and not succeeded(ready[len(outcomes) - 1], outcomes[-1]):
            left.append(ready[len(outcomes) - 1])
        todo = todo[len(outcomes) :]
    return left


def _up_to_guard(todo: list[Command]) -> list[Command]:
    """Return the commands in front of the first one that is guarded; these can run as one batch."""
    ready: list[Command] = []
    for command in todo:
        if command.unless is not None:
            break
        ready.append(command)
    return ready


def _holds_back(command: Command, driver: Driver) -> bool:
    """Whether the command's guard found something, or could not tell: then it is safer to leave things alone."""
    if command.unless is None:
        return False
    outcome = driver.read([command.unless])[0]
    return outcome.code not in command.unless.ok_codes or outcome.stdout.strip() not in {"", "[]"}
