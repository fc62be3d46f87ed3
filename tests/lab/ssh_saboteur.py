"""The ssh driver with a line that breaks behind the Nth step of a plan; run inside a private host.

    python ssh_saboteur.py MODE N URL PIPEWORK-ARGUMENTS…

`fail` and `interrupt` are those of the kit's saboteur: undoing goes over the line, too. `cut` kills our end of the
connection behind N steps, `die` the shell at the far end in the middle of a request, behind its Nth step. `count`
breaks nothing and prints the number of round trips.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from pipework_core.cli import parser
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import has_succeeded
from pipework_core.model.errors import CommandError, HostError, Interrupted
from pipework_core.model.plan import Command, Outcome
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.saboteur import NO_MORE, SAID, Counter, NoMore
from pipework_drivers.ssh import address as ssh_address
from pipework_drivers.ssh.driver import SshDriver
from pipework_drivers.ssh.transport import OpenSSH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_drivers.ssh.address import Address
    from pipework_drivers.ssh.transport import Received

#: Exit code for "the connection was lost", as it should be.
LOST = 43


class Line(OpenSSH):
    """A connection that counts: an answer behind a question is a round trip."""

    def __init__(self, address: Address) -> None:
        self.turns = 0
        self._asked = False
        super().__init__(address)

    def send(self, data: bytes) -> None:
        """Note that something is asked."""
        self._asked = True
        super().send(data)

    def receive(self, seconds: float) -> Received:
        """Count the first words that come back."""
        received = super().receive(seconds)
        self.turns += self._asked and bool(received.out)
        self._asked = self._asked and not received.out
        return received

    def cut(self) -> None:
        """Kill our end."""
        self._process.kill()


class SshSaboteur(SshDriver):
    """The ssh driver, until the Nth step of the plan."""

    def __init__(self, address: Address, mode: str, number: int) -> None:
        self.line = Line(address)
        super().__init__(address, connect=lambda _: self.line)
        self._mode = mode
        self._number = number
        self._sprung = mode == "count"

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Carry N steps out, then spring the trap once."""
        if self._sprung:
            return super().apply_list(commands, stop=stop)
        here = self._number < len(commands) + (self._mode == "interrupt")
        if not here:
            self._number -= len(commands)
            return super().apply_list(commands, stop=stop)
        self._sprung = True
        ahead, behind = commands[: self._number], commands[self._number :]
        if self._mode == "die":
            killer = Command(argv=("sh", "-c", f"kill -s KILL {self._session.facts.pid}"))
            return super().apply_list([*ahead, killer, *behind], stop=stop)
        outcomes = super().apply_list(ahead, stop=stop)
        if outcomes and not has_succeeded(ahead[len(outcomes) - 1], outcomes[-1]):
            return outcomes
        return self._spring(outcomes, behind, stop)

    def _spring(self, outcomes: list[Outcome], behind: Sequence[Command], stop: Callable[[], bool]) -> list[Outcome]:
        if self._mode == "fail":
            return [*outcomes, Outcome(code=1, stderr=SAID)]
        if self._mode == "interrupt":
            os.kill(os.getpid(), signal.SIGTERM)
            return outcomes
        self.line.cut()
        return outcomes + super().apply_list(behind, stop=stop)


def main(mode: str, number: str, url: str, *argv: str) -> int:
    """Run one attachment; return 1 when it failed as it should, 130 when it was interrupted, LOST, or 0."""
    signals = Signals()
    signals.install()
    attachment = parser.parse(argv).request
    assert attachment
    plugins = PluginManager(warn=print)
    if mode != "count":
        plugins.register_observer(Counter(mode, int(number)))
    driver = SshSaboteur(ssh_address.parse_address(url.removeprefix("ssh:")), mode, int(number))
    try:
        Engine(plugins=plugins, driver=driver, signals=signals).attach(attachment)
    except CommandError as error:
        return 1 if SAID in str(error) else 3
    except Interrupted:
        return Interrupted.exit_code
    except NoMore:
        return NO_MORE
    except HostError as error:
        print(error)
        return LOST if "was lost" in str(error) else 4
    finally:
        driver.close()
    print(driver.line.turns)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
