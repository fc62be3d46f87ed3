"""A driver to be wrapped: answers from a function, and remembers what it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.driver import NoHold, Pin, PlainDriver, succeeded
from pipework_core.errors import NoNamespaceError
from pipework_core.plan import HOST, Netns, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipework_core.plan import Command

GUEST = Netns(path="/run/netns/blue")
PINS = {GUEST.path: Pin(inode=7), HOST.path: Pin(inode=1)}


class InnerDriver(PlainDriver):
    """Answers commands by `handler`, namespaces by `pins`; every program is found."""

    def __init__(
        self,
        handler: Callable[[Command], Outcome] = lambda _: Outcome(code=0),
        *,
        pins: Mapping[str, Pin] = PINS,
    ) -> None:
        self._handler = handler
        self._pins = pins
        self.reads: list[Command] = []
        self.acts: list[Command] = []
        self.started: list[Command] = []
        self.ended: list[str] = []

    def pin(self, netns: Netns) -> Pin:
        if netns.path not in self._pins:
            raise NoNamespaceError(f"{netns.path} is not there.", hint="is the guest running?")
        return self._pins[netns.path]

    def finds(self, program: str) -> bool:
        return bool(program)

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
        self.ended.append("exclusive")
        return NoHold()

    def finish(self, notes: Sequence[str]) -> None:
        del notes
        self.ended.append("finish")

    def abort(self, error: BaseException) -> None:
        del error
        self.ended.append("abort")

    def close(self) -> None:
        self.ended.append("close")
