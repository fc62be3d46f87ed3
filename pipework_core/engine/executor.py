"""The one way in which plans are carried out: each all or nothing, many in as few processes as one.

The plans of a batch do not depend on each other, so they go in rounds: the next commands of all plans on the host
become one batch, those in guests run side by side, and then the next commands of each. What takes its time comes last.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pipework_core.engine import transaction
from pipework_core.model.driver import has_succeeded
from pipework_core.model.errors import CommandError, Interrupted, PipeworkError, UndoError
from pipework_core.model.plan import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.engine.job import Job
    from pipework_core.engine.planner import Planner
    from pipework_core.model.driver import Driver, Lock
    from pipework_core.model.plan import Command, Outcome, Plan, Report
    from pipework_core.plugins.manager import PluginManager

#: Commands of one plan that one call of the driver carries out.
_Segment = tuple["Command", ...]
#: The programs that make one transaction of many changes.
_TRANSACTORS = frozenset({"ovs-vsctl", "ovn-nbctl"})


class Executor:
    """Carries out the plans of jobs. The host's lock is held; `stop` says whether a signal has come."""

    def __init__(self, *, driver: Driver, plugins: PluginManager, lock: Lock, stop: Callable[[], bool]) -> None:
        self._driver = driver
        self._plugins = plugins
        self._lock = lock
        self._stop = stop

    def carry_out(self, jobs: Sequence[Job]) -> None:
        """Carry the plans out; undo those that fail, or that a signal keeps from becoming whole.

        Call it with signals deferred. A job that has an error already is left out.
        """
        self._driver.pin(HOST)
        ready = [job for job in jobs if job.error is None and job.plan is not None]
        for job in ready:
            job.begun = True
            if job.context is not None and job.plan is not None:
                self._plugins.fire_plan_ready(job.context, job.plan)
        todo = {id(job): _segments(job, alone=len(ready) == 1) for job in ready}
        while any(todo.values()) and not self._stop():
            heads = [(job, todo[id(job)].pop(0)) for job in ready if todo.get(id(job))]
            try:
                self._run_round(heads)
            except PipeworkError as error:  # such as a program that is missing: these jobs cannot go on
                for job, _ in heads:
                    job.error = job.error or error
            for job in ready:
                if job.error is not None:
                    todo.pop(id(job), None)
        self.undo([job for job in ready if not job.whole])

    def finish(self, job: Job) -> Report:
        """Clean up after a job that was carried out alone, and return what was done; raise its error, or Interrupted.

        A signal that came before the last moment at which all could be undone still undoes it.
        """
        self.undo_if_stopped([job])
        if not job.whole:
            error = job.error or Interrupted()
            if job.begun and job.context is not None:
                self._plugins.fire_failed(job.context, error)
            raise error
        self.clean_up([job])
        return job.report()

    def undo_if_stopped(self, jobs: Sequence[Job]) -> None:
        """Undo also what is whole when a signal has come; after a commit it is too late for that."""
        if self._stop():
            self.undo([job for job in jobs if job.whole and job.plan is not None and not job.plan.commit])

    def undo(self, jobs: Sequence[Job]) -> None:
        """Undo what was done of jobs, the newest first; what cannot be undone becomes a job's error.

        Those of different guests run side by side. What several share was made by its first user, and goes after them.
        """
        done = [job for job in reversed(jobs) if job.outcomes]
        self._undo_part([job for job in done if not job.is_first_user])
        self._undo_part([job for job in done if job.is_first_user])

    def _undo_part(self, jobs: Sequence[Job]) -> None:
        steps = {id(job): self._list_undo_steps(job) for job in jobs}
        lists: dict[int, list[Command]] = {}
        for job in jobs:
            lists.setdefault(job.inode, []).extend(steps[id(job)])
        if len(lists) == 1 or any(step.guard for found in lists.values() for step in found):
            left = [step for found in lists.values() for step in transaction.run_undo_steps(found, self._driver)]
        else:
            left = self._apply_lists(list(lists.values()))
        for job in jobs:
            job.outcomes = []
            failed = [step for step in left if step in steps[id(job)]]
            if failed:
                job.error = UndoError(job.error or Interrupted(), failed)

    def _list_undo_steps(self, job: Job) -> list[Command]:
        done = transaction.undoable(job.steps, job.outcomes)
        return transaction.list_undo_steps(done, contended=self._lock.contended)

    def _apply_lists(self, lists: Sequence[list[Command]]) -> list[Command]:
        """Run lists in rounds, each to its end; return the commands that failed.

        What changes a database is one transaction for all of them. Whatever is equal is done once.
        """
        left: list[Command] = []
        while todo := [commands for commands in lists if commands]:
            heads = [_take_head(commands) for commands in todo]
            together: dict[str, list[Command]] = {}
            for head in heads:
                if _is_transaction(head[0]):
                    together.setdefault(head[0].argv[0], []).extend(head)
            alone = dict.fromkeys(head for head in heads if not _is_transaction(head[0]))
            left += self._apply_to_the_end(
                [*(list(dict.fromkeys(part)) for part in together.values()), *map(list, alone)]
            )
        return left

    def _apply_to_the_end(self, lists: Sequence[list[Command]]) -> list[Command]:
        """Run lists side by side, and go on after what fails; return that."""
        left: list[Command] = []
        while todo := [commands for commands in lists if commands]:
            found = self._driver.apply(todo, stop=lambda: False)
            for commands, outcomes in zip(todo, found, strict=True):
                left += [c for c, outcome in zip(commands, outcomes, strict=False) if not has_succeeded(c, outcome)]
                del commands[: len(outcomes) or len(commands)]
        return left

    def clean_up(self, jobs: Sequence[Job]) -> None:
        """Remove what nobody needs after jobs that are whole; what cannot be removed is noted in the job."""
        pairs = [(job, command) for job in jobs if job.whole and job.plan for command in job.plan.cleanup]
        if not pairs:
            return
        outcomes = self._driver.clean_up([command for _, command in pairs])
        for (job, command), outcome in zip(pairs, outcomes, strict=True):
            if outcome is None:  # somebody began to use it
                continue
            self._plugins.fire_step_done(command, outcome, job.context)
            if not has_succeeded(command, outcome):
                job.failed_cleanup += (command,)

    def clean_up_anew(self, jobs: Sequence[Job], planner: Planner) -> None:
        """Remove what nobody needs, by what the host has now: what is used after all is as if it were never noted.

        Jobs may have failed, or begun to use what others left.
        """
        whole = [job for job in jobs if job.whole and job.guest is not None and (job.notes or _has_cleanup(job))]
        if not whole:
            return
        job = whole[-1]
        assert job.guest is not None  # noqa: S101 - for the type checker
        self.clean_up_plan(planner.unfinished(job.guest), job)
        links = planner.host().links
        notes = [note for other in whole for note in other.notes if note.argv[4] in links]
        self._driver.clean_up([step for note in notes for step in note.undo])

    def clean_up_plan(self, plan: Plan, job: Job | None) -> None:
        """Carry out what a plan cleans up, on behalf of a job, or of nobody."""
        for command, outcome in zip(plan.cleanup, self._driver.clean_up(plan.cleanup), strict=True):
            if outcome is None:
                continue
            self._plugins.fire_step_done(command, outcome, job.context if job else None)
            if job is not None and not has_succeeded(command, outcome):
                job.failed_cleanup += (command,)

    def _run_round(self, heads: Sequence[tuple[Job, _Segment]]) -> None:
        """Run one segment of each: on the host in order, in guests side by side, what takes its time last."""
        if len(heads) == 1:
            self._run_alone(*heads[0])
            return
        quick = [(job, segment) for job, segment in heads if not segment[0].timeout]
        # Whoever deletes a link waits for the kernel after that, and many can wait at once.
        last = [head for head in quick if head[0].plan is not None and head[1][0] in head[0].plan.commit]
        begun = [head for head in quick if head not in last]
        for members in _group_by_program([head for head in begun if head[1][0].netns is None]):
            self._run_in_order(members)
        self._run_side_by_side([head for head in begun if head[1][0].netns is not None] + last)
        slow = [(job, segment) for job, segment in heads if segment[0].timeout]
        if slow and not self._stop():
            with self._lock.yielded():
                self._run_side_by_side(slow)

    def _run_alone(self, job: Job, segment: _Segment) -> None:
        if segment[0].timeout:
            with self._lock.yielded():
                self._run_side_by_side([(job, segment)])
        else:
            self._run_side_by_side([(job, segment)])

    def _run_in_order(self, members: Sequence[tuple[Job, _Segment]]) -> None:
        """Run segments as one; after a command that fails, go on with the other jobs."""
        todo = [(job, command) for job, segment in members for command in segment]
        while todo and not self._stop():
            outcomes = self._driver.apply([[command for _, command in todo]], stop=self._stop)[0]
            for (job, command), outcome in zip(todo, outcomes, strict=False):
                self._note_outcome(job, command, outcome)
            if not outcomes:
                return
            todo = [(job, command) for job, command in todo[len(outcomes) :] if job.error is None]

    def _run_side_by_side(self, members: Sequence[tuple[Job, _Segment]]) -> None:
        if not members:
            return
        found = self._driver.apply([segment for _, segment in members], stop=self._stop)
        for (job, segment), outcomes in zip(members, found, strict=True):
            for command, outcome in zip(segment, outcomes, strict=False):
                self._note_outcome(job, command, outcome)

    def _note_outcome(self, job: Job, command: Command, outcome: Outcome) -> None:
        job.outcomes.append(outcome)
        self._plugins.fire_step_done(command, outcome, job.context)
        if not has_succeeded(command, outcome):
            ended_by_signal = command.timeout and self._stop()
            job.error = None if ended_by_signal else _explain_failure(job, command, outcome)


#: The exit code of a command that never ran, as the shell has it: then nothing was waited for.
_NOT_STARTED = 127


def _explain_failure(job: Job, command: Command, outcome: Outcome) -> CommandError:
    """Return the error; what was known before it to be in the way of who waits for the network is noted with it."""
    error = CommandError(command, outcome)
    if command.timeout and job.plan and outcome.code != _NOT_STARTED:
        for text in job.plan.warnings:
            error.add_note(text)
    return error


def already_exists(error: BaseException | None) -> bool:
    """Whether somebody else made meanwhile what a plan wanted to make; a plan made anew takes that into account."""
    return isinstance(error, CommandError) and " exists" in error.outcome.stderr


def _has_cleanup(job: Job) -> bool:
    return job.plan is not None and bool(job.plan.cleanup)


def _segments(job: Job, *, alone: bool) -> list[_Segment]:
    """Split the steps of a job where the namespace or the program changes, and around each that takes its time.

    Questions begin a segment of their own: what the plans ask of one switch can become one process, after the one that
    makes all of its ports. The steps of a job that is alone are one segment up to its commit.
    """
    if job.plan is None:
        return []
    parts = (job.plan.steps, job.plan.commit)
    key = (lambda step: step.timeout > 0) if alone else _get_kind
    return [tuple(members) for part in parts for _, members in groupby(part, key=key)]


def _get_kind(step: Command) -> tuple[object, ...]:
    return step.netns, step.argv[0], step.timeout and id(step), step.expect is not None


def _is_transaction(step: Command) -> bool:
    """Whether many such steps are one change of a database on the host, which takes no longer than one."""
    return step.netns is None and step.argv[0] in _TRANSACTORS


def _take_head(commands: list[Command]) -> _Segment:
    """Take the first steps off a list, those of one program in one namespace, and return them."""
    head = next(tuple(members) for _, members in groupby(commands, key=lambda step: (step.netns, step.argv[0])))
    del commands[: len(head)]
    return head


def _group_by_program(heads: Iterable[tuple[Job, _Segment]]) -> list[list[tuple[Job, _Segment]]]:
    """Group segments by their program, so that one process can take all of a group."""
    groups: dict[str, list[tuple[Job, _Segment]]] = {}
    for job, segment in heads:
        groups.setdefault(segment[0].argv[0], []).append((job, segment))
    return list(groups.values())
