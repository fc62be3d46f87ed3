"""Plans: what is to be done, as frozen data that no layer changes after it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from typing import Self

#: The exit codes of a command that has no other ways to succeed.
OK = frozenset({0})
#: Those of a step that is tried, and whose failure stops nothing: what it was to bring back is reported as lost (the
#: codes of ip(8); a program that is missing is an error all the same).
BEST_EFFORT = frozenset({0, 1, 2, 255})
_WARNING = "warning "


class Netns(Record):
    """A network namespace by its path, such as `/proc/4242/ns/net` or `/run/netns/blue`.

    The path may stand in an argv, too (`ip link set … netns PATH`). A driver opens it once (`Driver.pin`) and from
    then on enters through that descriptor, so a PID that is recycled later cannot lead elsewhere.
    """

    path: str


#: The namespace pipework itself runs in. Only meaningful as a pinned path: in a child inside a guest it is the guest's.
HOST = Netns(path="/proc/self/ns/net")


class _Command(Record):
    argv: tuple[str, ...]
    netns: Netns | None
    stdin: str | None
    ok_codes: frozenset[int]
    expect: str | None
    guard: Command | None
    undo: tuple[Command, ...]
    timeout: float
    only_if_uncontended: bool
    reason: str


class Command(_Command):
    """One command: `argv` without a shell, run in `netns` (None: the host's namespace).

    `undo` reverses it, in the order given. `guard` is a read; when it prints anything but an empty answer (nothing,
    or `[]`), the command is left out: a bridge is not deleted under somebody else's ports. `expect` is what stdout,
    stripped, must be for the command to count as done. `reason` is for people and takes no part in comparison.

    `timeout` is for a command that takes as long as the network takes (a lease, duplicate address detection): the
    seconds it gives itself. Others may use the host meanwhile, and a signal ends it, whereupon its `undo` is run.
    `only_if_uncontended` is for an undoing command that takes away what others may have begun to use in such a while (a
    VLAN, a parent that was raised); it is left out when somebody was there.

    Raises ValueError or TypeError for an argv that no program could receive.
    """

    __slots__ = ()

    def __new__(  # noqa: D102, PLR0913 - the class says what it takes
        cls,
        *,
        argv: tuple[str, ...],
        netns: Netns | None = None,
        stdin: str | None = None,
        ok_codes: frozenset[int] = OK,
        expect: str | None = None,
        guard: Command | None = None,
        undo: tuple[Command, ...] = (),
        timeout: float = 0.0,
        only_if_uncontended: bool = False,
        reason: str = "",
    ) -> Self:
        if not argv:
            raise ValueError("a command needs at least the name of a program")
        for token in argv:
            if not isinstance(token, str):
                raise TypeError(f"argv holds {token!r}, which is not a string")
            if "\0" in token:
                raise ValueError("argv holds a NUL byte, which no program can receive")
        return super().__new__(
            cls, argv, netns, stdin, ok_codes, expect, guard, undo, timeout, only_if_uncontended, reason
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and self[:-1] == other[:-1]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:-1])

    def __str__(self) -> str:
        import shlex  # noqa: PLC0415 - only what is shown needs quoting

        return shlex.join(self.full_argv)

    @property
    def full_argv(self) -> tuple[str, ...]:
        """The argv that enters the namespace first, as it would be typed on the host."""
        return self.argv if self.netns is None else ("nsenter", f"--net={self.netns.path}", *self.argv)


class Outcome(Record):
    """What a command did: exit code, output, and when it was started (seconds since boot).

    `data` has the answer as records in place of text, where a driver got it without the command (`state/docker.py`).
    """

    code: int
    stdout: str = ""
    stderr: str = ""
    asked: float = 0.0
    data: tuple[Any, ...] = ()

    @property
    def error_text(self) -> str:
        """The tool's own words, on one line; empty when it said nothing."""
        lines = [line.strip() for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        return " / ".join(lines)


class Plan(Record):
    """The whole difference between what is and what was asked for, in order.

    `steps` are waited for. When one fails, all are undone. `commit` is at most one step that cannot be undone, such as
    deleting what was replaced. It comes last: when it fails, everything before it can be undone, and no signal stops
    it. After that `cleanup` removes what nobody needs any more, each command by itself if its `guard` allows it. What
    cannot be removed stays, and the report says so. `announce` is started at the end, and nobody waits for it. `notes`
    say what needed nothing, so that an empty plan explains itself. `warnings` say what will not work all the same,
    `losses` what cannot be brought back, one sentence each.
    """

    steps: tuple[Command, ...] = ()
    commit: tuple[Command, ...] = ()
    announce: tuple[Command, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    cleanup: tuple[Command, ...] = ()
    losses: tuple[str, ...] = ()

    @property
    def all_steps(self) -> tuple[Command, ...]:
        """The steps, the commit and the cleanup, in order."""
        return self.steps + self.commit + self.cleanup

    def __add__(self, other: Plan) -> Plan:  # type: ignore[override] # a plan and a plan are a plan, not a tuple
        return Plan(
            steps=self.steps + other.steps,
            commit=self.commit + other.commit,
            announce=self.announce + other.announce,
            notes=self.notes + other.notes,
            warnings=self.warnings + other.warnings,
            cleanup=self.cleanup + other.cleanup,
            losses=self.losses + other.losses,
        )


class Report(Record):
    """What a run did: the plan, and one outcome for each of its steps. `failed_cleanup` is the cleanup that failed."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    failed_cleanup: tuple[Command, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What will not work all the same: known before, and said by steps with a timeout in lines `warning TEXT`."""
        pairs = zip(self.plan.steps, self.outcomes, strict=False)
        lines = [line for step, outcome in pairs if step.timeout for line in outcome.stdout.splitlines()]
        return self.plan.warnings + tuple(line.removeprefix(_WARNING) for line in lines if line.startswith(_WARNING))

    @property
    def not_removed(self) -> tuple[str, ...]:
        """What the cleanup did not remove, and what did not come back, one sentence each."""
        tried = zip(self.plan.steps, self.outcomes, strict=False)
        failed = [(step, out) for step, out in tried if step.ok_codes == BEST_EFFORT and out.code != 0]
        lost = [f"cannot {step.reason}: {out.error_text or f'exit code {out.code}'}" for step, out in failed]
        stays = (f"`{command}` failed, and what it removes stays." for command in self.failed_cleanup)
        return (*self.plan.losses, *lost, *stays)

    @property
    def changed(self) -> bool:
        """Whether anything was done at all."""
        return bool(self.plan.all_steps)
