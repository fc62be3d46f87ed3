"""The driver's side of the contract: what carries commands out, or only pretends to."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Protocol

from pipework_core.model.errors import HostError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import NoReturn, Self

    from pipework_core.model.context import Guest
    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Netns, Outcome

#: How the path of a socket begins by which a driver carries OVN's northbound database to another machine.
CARRIED = "/run/pipework-nb-"


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

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run lists of changes that do not depend on each other; return the outcomes of those that were run.

        The commands of one list run in order. A list ends early after a command that failed, whose outcome is then its
        last one; and, between two processes, when `stop()` says so: then all its outcomes are good, and there are fewer
        than commands. A command with `timeout` is ended when `stop()` says so; its outcome, cut short, is the last one.
        Raises HostError, before anything is done, for a program that is missing.
        """

    def clean_up(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """Run changes in order, each by itself: one that fails stops none of the others, and none is undone.

        A command with a `guard` is left out, and has None for an outcome, when the guard finds something or cannot
        tell. What was done before is final.
        """

    def start(self, commands: Sequence[Command]) -> None:
        """Start commands that nobody waits for. Never raises for what they do."""

    def lock(self) -> Lock:
        """Return the lock that keeps other pipeworks on this host out while facts are read and plans carried out."""


class RunDriver(Driver, Protocol):
    """A driver that is told how its use ended: one run of the command line, or many runs of a resident process."""

    def release(self) -> None:
        """Let go of all pinned namespaces; the driver can be used again."""

    def replace_process(self, command: Command, guest: Guest, warn: Callable[[str], None]) -> NoReturn:
        """Become the command, in the network namespace of a guest that is pinned; return never.

        Its name servers are the guest's; `warn` is told why where they are not. Raises GuestError or HostError; the
        process may be in that namespace then, and has to end.
        """

    def finish(self, notes: Sequence[str]) -> None:
        """Complete a run that succeeded; `notes` say what needed nothing. May raise PipeworkError."""

    def close(self, error: BaseException | None = None) -> None:
        """Let go of everything. After a run that failed, `error` says why, and may get a note. Never raises.

        It may be called again.
        """


class BaseDriver:
    """Base of drivers that run one command after the other, ask guards as they read, and hold nothing."""

    def peek_links(self, spaces: Sequence[Netns]) -> list[Mapping[str, Link] | None]:
        """Leave it to commands."""
        return [None] * len(spaces)

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run reads; see `Driver`."""
        raise NotImplementedError

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Run one list of changes; see `Driver.apply`."""
        raise NotImplementedError

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run one list after the other."""
        return [self.apply_list(commands, stop=stop) for commands in lists]

    def clean_up(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """Run them by `read` and `apply`."""
        return clean_up_each(self, commands)

    def release(self) -> None:
        """Do nothing: no namespace is held."""

    def replace_process(self, command: Command, guest: Guest, warn: Callable[[str], None]) -> NoReturn:
        """Refuse it: only a driver that works on this very machine can."""
        del guest, warn
        raise HostError(f"{command.argv[0]} can only be run where pipework runs.", hint="run pipework there")

    def finish(self, notes: Sequence[str]) -> None:
        """Do nothing: a run that succeeded is complete."""

    def close(self, error: BaseException | None = None) -> None:
        """Release what is pinned; the engine has undone what failed."""
        del error
        self.release()


class DriverKind(Protocol):
    """Makes drivers of one kind, for `--driver NAME:ADDRESS`."""

    #: The word before the colon.
    name: str

    def open(self, address: str) -> RunDriver:
        """Return a driver for what follows the colon; raise UsageError or HostError.

        One that works on another machine has a method `locate`, which returns where a program lies there, or None, and
        may have a property `script_line`: the command line that runs a script of a dry run there, empty for the usual.
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
    """The lock of a driver that changes nothing and so locks nobody out."""

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


class _Worker(Protocol):
    """The part of a driver that cleaning up takes."""

    def read(self, commands: Sequence[Command]) -> list[Outcome]: ...

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]: ...


def clean_up_each(driver: _Worker, commands: Sequence[Command]) -> list[Outcome | None]:
    """Clean up as `Driver.clean_up` says, by what the driver reads and applies."""
    outcomes: list[Outcome | None] = []
    while len(outcomes) < len(commands):
        todo = commands[len(outcomes) :]
        ready = list(takewhile(lambda command: command.guard is None, todo)) or todo[:1]
        if ready[0].guard is not None and _guard_blocks(driver, ready[0].guard):
            outcomes.append(None)
        else:
            outcomes += driver.apply([ready], stop=lambda: False)[0]
    return outcomes


def _guard_blocks(driver: _Worker, guard: Command) -> bool:
    outcome = driver.read([guard])[0]
    return outcome.code not in guard.ok_codes or outcome.stdout.strip() not in {"", "[]"}


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
