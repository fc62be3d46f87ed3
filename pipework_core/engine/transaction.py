"""What undoing and cleaning up consist of: commands that were known before anything was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.driver import cut_short, has_succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.model.driver import Driver
    from pipework_core.model.plan import Command, Outcome, Plan


def undoable(done: Sequence[Command], outcomes: Sequence[Outcome]) -> Sequence[Command]:
    """Return those of the commands with an outcome that have something to undo: all but a last one that did nothing.

    One that was carried out and did not come to what was expected, or that was ended and may have been, is among them.
    """
    if not outcomes:
        return ()
    command, outcome = done[len(outcomes) - 1], outcomes[-1]
    did = outcome.code in command.ok_codes or cut_short(outcome)
    return done[: len(outcomes) if did else len(outcomes) - 1]


def list_undo_steps(done: Iterable[Command], *, contended: bool = False) -> list[Command]:
    """Return what undoes commands, the newest first.

    With `contended`, somebody else held the host meanwhile. What they may have begun to use (`only_if_uncontended`)
    stays.
    """
    return [
        step
        for command in reversed(tuple(done))
        for step in command.undo
        if not (step.only_if_uncontended and contended)
    ]


def run_undo_steps(steps: Sequence[Command], driver: Driver) -> list[Command]:
    """Run them; go on after one that fails, and return those that failed."""
    return [step for step, outcome in _clean_up(steps, driver) if not has_succeeded(step, outcome)]


def run_cleanup(plan: Plan, driver: Driver, *, tell: Callable[[Command, Outcome], None]) -> tuple[Command, ...]:
    """Take away what nobody needs any more, each by itself; return what could not be taken away."""
    done = _clean_up(plan.cleanup, driver)
    for command, outcome in done:
        tell(command, outcome)
    return tuple(command for command, outcome in done if not has_succeeded(command, outcome))


def _clean_up(commands: Sequence[Command], driver: Driver) -> list[tuple[Command, Outcome]]:
    """Return the commands that no guard blocked, with their outcomes."""
    outcomes = driver.clean_up(commands)
    return [(command, outcome) for command, outcome in zip(commands, outcomes, strict=True) if outcome is not None]
