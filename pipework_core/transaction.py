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

    Call it with signals deferred: `stop` is asked between processes, and nothing interrupts the undoing.
    """
    outcomes = driver.act(plan.steps, stop=stop)
    for command, outcome in zip(plan.steps, outcomes, strict=False):
        tell(command, outcome)
    done = plan.steps[: len(outcomes)]
    failed = bool(outcomes) and not succeeded(done[-1], outcomes[-1])
    if not failed and len(done) == len(plan.steps):
        return tuple(outcomes)
    if failed and (outcomes[-1].code in done[-1].ok_codes or cut_short(outcomes[-1])):
        undoable = done  # it was carried out but did not come to what was expected, or may have been
    else:
        undoable = done[:-1] if failed else done
    cause: BaseException = CommandError(done[-1], outcomes[-1]) if failed else Interrupted()
    left = undo(undoable, driver)
    if left:
        raise UndoError(cause, left) from cause
    raise cause


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
