"""A driver that cannot change anything and waits for nobody for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pipework_core.model.driver import TIMED_OUT, BaseDriver, NullLock
from pipework_core.model.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.model.driver import Driver, Lock, PinnedNetns
    from pipework_core.model.plan import Command, Netns

#: Seconds that a program has for its answer. One that takes longer is not asked again.
LIMIT = 2


class ReadOnlyDriver(BaseDriver):
    """Hands reads to another driver, each by timeout(1) of the machine that it works on."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._limits = driver.has_program("timeout")
        #: Programs that gave no answer in time.
        self.silent: set[str] = set()

    def pin(self, netns: Netns) -> PinnedNetns:
        """Open the namespace; see `Driver.pin`."""
        return self._driver.pin(netns)

    def has_program(self, program: str) -> bool:
        """Whether there is such a program."""
        return self._driver.has_program(program)

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run reads; one that takes too long, or would, has the exit code 124 (timeout(1))."""
        asked = [command for command in commands if command.argv[0] not in self.silent]
        answers = iter(self._driver.read([self._limit(command) for command in asked]))
        outcomes = [_SILENT if command.argv[0] in self.silent else next(answers) for command in commands]
        late = {c.argv[0] for c, outcome in zip(commands, outcomes, strict=True) if outcome.code == TIMED_OUT}
        self.silent |= late
        return [_SILENT if outcome.code == TIMED_OUT else outcome for outcome in outcomes]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> NoReturn:
        """Refuse: whoever calls this has a fault."""
        del stop
        raise RuntimeError(f"the doctor changes nothing, and was to run {commands[0]}")

    def start(self, commands: Sequence[Command]) -> None:
        """Refuse; see `apply_list`."""
        self.apply_list(commands, stop=lambda: True)

    def lock(self) -> Lock:
        """Lock nobody out: what others change meanwhile is seen half done at worst."""
        return NullLock()

    def _limit(self, command: Command) -> Command:
        if not self._limits:
            return command
        seconds = max(LIMIT, round(command.timeout))
        return command._replace(argv=("timeout", "-k", "1", str(seconds), *command.argv))


_SILENT = Outcome(code=TIMED_OUT, stderr=f"no answer within {LIMIT} seconds")
