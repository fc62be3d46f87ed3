"""The driver's side of the contract: what carries commands out, or only pretends to."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Netns, Outcome


class PinnedNetns(Record):
    """A namespace that is held open: its inode number, and when the process it belongs to was born.

    `born` is in seconds since boot (0.0 for a namespace that has a name and needs no process), `groups` what
    /proc/PID/cgroup says of the process, empty when it cannot be read.
    """

    inode: int
    born: float = 0.0
    groups: str = ""


class Lock(Protocol):
    """The lock of a host, held from `with` to its end."""

    #: Whether somebody else held it while it was let go.
    contended: bool

    def __enter__(self) -> Self:
        """Take the lock; raise HostError when others keep it for too long."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back."""

    def yielded(self) -> AbstractContextManager[None]:
        """Let others have it during the block; never raises when it is wanted back."""


class Driver(Protocol):
    """Carries commands out. The engine knows nothing else of the world."""

    def pin(self, netns: Netns) -> PinnedNetns:
        """Open the namespace and keep it; raise NoNamespaceError when it is not there, GuestError otherwise.

        Every later command enters through what was opened last for that path, whatever the path leads to by then.
        """

    def has_program(self, program: str) -> bool:
        """Whether a program of that name can be run on the host."""

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run reads that do not depend on each other, side by side where that is possible; one outcome each."""

    def peek_links(self, spaces: Sequence[Netns]) -> list[Mapping[str, Link] | None]:
        """Return the links of each pinned namespace by name, without `data`, where that takes no process; else None.

        It is good for telling that nothing is to be done; whatever else is found out is read again by a command.
        """

    def apply(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Run changes in order and return the outcomes of those that were run.

        It ends early behind a command that failed, whose outcome is then the last one; and, between two processes,
        when `stop()` says so: then all outcomes are good and there are fewer than commands. A command with `timeout`
        is ended when `stop()` says so; its outcome, cut short, is then the last one.
        """

    def apply_parallel(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run lists of changes that do not depend on each other, each as `apply` does; one list of outcomes each."""

    def guard_blocks(self, command: Command) -> bool:
        """Whether the command's guard (`guard`) finds something or cannot tell: things are better left alone then."""

    def cleaning_up(self) -> AbstractContextManager[None]:
        """Take what was done so far for final; in the block each change stands for itself, and none is undone."""

    def start(self, commands: Sequence[Command]) -> None:
        """Start commands that nobody waits for. Never raises for what they do."""

    def exclusive(self) -> Lock:
        """Keep other pipeworks on this host out while facts are read and plans are carried out."""


class RunDriver(Driver, Protocol):
    """A driver of one run of the command line, which tells it how the run ended."""

    def finish(self, notes: Sequence[str]) -> None:
        """Do what is left behind a run that succeeded; `notes` say what needed nothing. May raise PipeworkError."""

    def abort(self, error: BaseException) -> None:
        """Do what is left behind a run that failed; never raises, but may add a note to the error."""

    def close(self) -> None:
        """Let everything go that is held."""


class BaseDriver:
    """Base of drivers that ask a guard as they ask anything, run nothing side by side, and all by commands."""

    def peek_links(self, spaces: Sequence[Netns]) -> list[Mapping[str, Link] | None]:
        """Leave it to commands."""
        return [None] * len(spaces)

    def apply(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Run changes; see `Driver`."""
        raise NotImplementedError

    def apply_parallel(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run one list behind the other."""
        return [self.apply(commands, stop=stop) for commands in lists]

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run reads; see `Driver`."""
        raise NotImplementedError

    def guard_blocks(self, command: Command) -> bool:
        """Ask the guard, if there is one."""
        if command.guard is None:
            return False
        outcome = self.read([command.guard])[0]
        return outcome.code not in command.guard.ok_codes or outcome.stdout.strip() not in {"", "[]"}

    def cleaning_up(self) -> AbstractContextManager[None]:
        """Make no difference: what is carried out at once needs nobody to know its end."""
        return nullcontext()


class DriverKind(Protocol):
    """Makes drivers of one kind, for `--driver NAME:ADDRESS`."""

    #: The word before the colon.
    name: str

    def open(self, address: str) -> RunDriver:
        """Return a driver for what stands behind the colon; raise UsageError or HostError.

        One that works on another machine has a method `locate`, which returns where a program lies there, or None.
        """


class DriverWrapper(Protocol):
    """Makes drivers around another one, for `--dry-run` and `--record`."""

    #: The option, without its dashes.
    name: str

    def wrap(self, driver: RunDriver, to: Any, title: Sequence[str] = ()) -> RunDriver:  # noqa: ANN401 - see below
        """Return a driver that hands reads to `driver`; raise HostError for a file that cannot be written.

        `to` is a stream for `dry-run` and the name of a file for `record`; `title` is the command line of the run.
        """


class NullLock:
    """The hold of a driver that changes nothing and so locks nobody out."""

    contended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    @contextmanager
    def yielded(self) -> Iterator[None]:
        """Do nothing: it is held by nobody."""
        yield


def has_succeeded(command: Command, outcome: Outcome) -> bool:
    """Whether the outcome is what the command wants: one of its exit codes, and what it expects on stdout."""
    if outcome.code not in command.ok_codes:
        return False
    return command.expect is None or outcome.stdout.strip() == command.expect


def with_undoing(commands: Iterable[Command]) -> list[Command]:
    """Return all that carrying the commands out and undoing them may take, guards included."""
    found: list[Command] = []
    for command in commands:
        found += (command, *command.undo, *(step.guard for step in command.undo if step.guard is not None))
    return found


#: The code of a command that was ended because it took too long, as timeout(1) has it.
TIMED_OUT = 124


def cut_short(outcome: Outcome) -> bool:
    """Whether the command was ended from outside (a signal has a negative code), so that it may have done its work.

    `ovs-vsctl --timeout` ends itself so, with SIGALRM, when the database has the change and the switch does not answer.
    """
    return outcome.code == TIMED_OUT or outcome.code < 0
