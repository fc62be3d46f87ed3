"""A driver that answers from a function and remembers what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.driver import BaseDriver, NullLock, PinnedNetns, has_succeeded
from pipework_core.model.errors import NoNamespaceError
from pipework_core.model.plan import HOST, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from pipework_core.model.plan import Command, Netns

#: The inode number that it gives the host's own network namespace.
HOST_INODE = 1
GOOD = Outcome(code=0)


class FakeDriver(BaseDriver):
    """Answers reads and changes by `handler`; starts nothing, and needs no root.

        driver = FakeDriver(lambda command: Outcome(code=0, stdout="[]"))

    Without a handler everything succeeds and says nothing. `pins` are the namespaces that there are beside the host's,
    path to `PinnedNetns`; `programs` those that it finds (None: any). What it was asked stands in `reads`, `acts` and
    `started`; `calls` has the names of its other calls, in order.
    """

    def __init__(
        self,
        handler: Callable[[Command], Outcome] = lambda _: GOOD,
        *,
        pins: Mapping[str, PinnedNetns] | None = None,
        programs: Container[str] | None = None,
    ) -> None:
        self._handler = handler
        self._pins = {HOST.path: PinnedNetns(inode=HOST_INODE), **(pins or {})}
        self._programs = programs
        self.reads: list[Command] = []
        self.acts: list[Command] = []
        self.started: list[Command] = []
        self.calls: list[str] = []

    def pin(self, netns: Netns) -> PinnedNetns:
        """Return what `pins` has for it; raise NoNamespaceError when that is nothing."""
        if netns.path not in self._pins:
            raise NoNamespaceError(f"the network namespace {netns.path} is not there.", hint="is the guest running?")
        return self._pins[netns.path]

    def has_program(self, program: str) -> bool:
        """Whether it is one of `programs`."""
        return self._programs is None or program in self._programs

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Answer each by the handler."""
        self.reads += commands
        return [self._handler(command) for command in commands]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Answer by the handler, until one fails or `stop()` says so."""
        outcomes: list[Outcome] = []
        for command in commands:
            if stop():
                break
            self.acts.append(command)
            outcomes.append(self._handler(command))
            if not has_succeeded(command, outcomes[-1]):
                break
        return outcomes

    def start(self, commands: Sequence[Command]) -> None:
        """Remember them."""
        self.started += commands

    def lock(self) -> NullLock:
        """Lock nobody out."""
        self.calls.append("lock")
        return NullLock()

    def finish(self, notes: Sequence[str]) -> None:
        """Remember that the run succeeded."""
        del notes
        self.calls.append("finish")

    def close(self, error: BaseException | None = None) -> None:
        """Remember whether the run failed."""
        self.calls.append("abort" if error else "close")
