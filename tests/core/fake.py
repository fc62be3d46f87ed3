"""A driver that answers from a function and remembers what it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.driver import NoHold, Pin, PlainDriver, succeeded
from pipework_core.errors import NoNamespaceError
from pipework_core.plan import HOST, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipework_core.plan import Command, Netns

HOST_INODE = 1
GOOD = Outcome(code=0)


class FakeDriver(PlainDriver):
    """Answers reads and changes by `handler`; namespaces by `pins`, path to `Pin`; programs by `programs`."""

    def __init__(
        self,
        handler: Callable[[Command], Outcome] = lambda _: GOOD,
        *,
        pins: Mapping[str, Pin] | None = None,
        programs: frozenset[str] = frozenset({"docker", "podman", "lxc-info"}),
    ) -> None:
        self._handler = handler
        self._pins = {HOST.path: Pin(inode=HOST_INODE), **(pins or {})}
        self._programs = programs
        self.reads: list[Command] = []
        self.acts: list[Command] = []
        self.started: list[Command] = []

    def pin(self, netns: Netns) -> Pin:
        if netns.path not in self._pins:
            raise NoNamespaceError(f"the network namespace {netns.path} is not there.")
        return self._pins[netns.path]

    def finds(self, program: str) -> bool:
        return program in self._programs

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        self.reads += commands
        return [self._handler(command) for command in commands]

    def act(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for command in commands:
            if stop():
                break
            self.acts.append(command)
            outcomes.append(self._handler(command))
            if not succeeded(command, outcomes[-1]):
                break
        return outcomes

    def start(self, commands: Sequence[Command]) -> None:
        self.started += commands

    def exclusive(self) -> NoHold:
        return NoHold()
