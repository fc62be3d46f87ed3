"""A driver that fails, kills or interrupts a real run behind its Nth step; run inside a private host.

    python saboteur.py fail|kill|interrupt N PIPEWORK-ARGUMENTS…
    python saboteur.py serve

`fail` carries N steps out and reports the next one as failed without
running it. `kill` ends this very process with SIGKILL behind N steps, `interrupt` sends it SIGTERM there.
`serve` does one of these for each line of stdin, a JSON list of the words, and answers with the exit code and what was
said: most of a run's time goes into starting Python, and this way that is paid once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from pipework_core import arguments
from pipework_core.driver import succeeded
from pipework_core.engine import Engine
from pipework_core.errors import CommandError, Interrupted
from pipework_core.hookspecs import hookimpl
from pipework_core.hosting import Hosting
from pipework_core.plan import Outcome
from pipework_core.plugins import Plugins
from pipework_core.signals import Signals
from pipework_drivers.live import LiveDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.plan import Command, Plan

SAID = "sabotage"
#: Exit code for "there are no more steps": the loop over N ends here; and for a trap that sprang where nothing is
#: undone any more, behind the final step or behind the last, so that the run rightly succeeded.
NO_MORE, TOO_LATE = 42, 44


class NoMore(BaseException):
    """The plan has no Nth step. What an observer raises ends no run, unless it is no Exception."""


class Saboteur(LiveDriver):
    """The live driver, until the Nth step of the plan that its counter was told of. Undoing is left alone."""

    def __init__(self, mode: str, number: int) -> None:
        super().__init__()
        self._mode = mode
        self._number = number
        self.counter = Counter(mode, number)
        self.sprung = False

    def act(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Carry N steps out, then spring the trap once. A plan's final step comes in a call of its own."""
        if self.sprung or not self.counter.told:
            return super().act(commands, stop=stop)
        outcomes = super().act(commands[: self._number], stop=stop)
        if outcomes and not succeeded(commands[len(outcomes) - 1], outcomes[-1]):
            self.sprung = True  # it failed by itself, and what comes next is the undoing
            return outcomes
        # A signal may come with the last step, too.
        if self._number < len(commands) + (self._mode == "interrupt"):
            self.sprung = True
            self._spring(outcomes)
        self._number -= len(commands)
        return outcomes

    def _spring(self, outcomes: list[Outcome]) -> None:
        if self._mode == "fail":
            outcomes.append(Outcome(code=1, stderr=SAID))
        else:
            os.kill(os.getpid(), signal.SIGKILL if self._mode == "kill" else signal.SIGTERM)


class Counter:
    """Ends the run before it begins when the plan has no Nth step, and knows what else the Nth step means."""

    def __init__(self, mode: str, number: int) -> None:
        self._mode = mode
        self._number = number
        self.told = False
        self.too_late = False

    @hookimpl
    def pipework_plan_ready(self, plan: Plan) -> None:
        """Count; a signal may come with the last step, too, unless that cannot be undone."""
        interrupt = self._mode == "interrupt"
        if self._number >= len(plan.all_steps) + (interrupt and not plan.final):
            raise NoMore
        self.told = True
        undoable = len(plan.steps) + 1 if interrupt else len(plan.steps + plan.final)
        self.too_late = self._number >= undoable


def main(mode: str, number: str, *argv: str) -> int:
    """Run one sabotaged attachment or detachment; return 1 when it failed as it should, 130 when it was interrupted.

    And 0 when it succeeded although it should not have, or the trap was never sprung.
    """
    signals = Signals()
    signals.install()
    asked = arguments.parse(argv)
    plugins = Plugins(warn=print)
    driver = Saboteur(mode, int(number))
    plugins.observe(driver.counter)
    engine = Engine(plugins=plugins, driver=driver, signals=signals)
    try:
        if asked.command == "detach":
            engine.detach(asked.guest, asked.interface, everything=asked.everything, keep=asked.keep_bridge)
        elif asked.part is not None:
            Hosting(plugins=plugins, driver=driver, signals=signals).run(asked.part)
        else:
            assert asked.attachment
            engine.attach(asked.attachment)
    except CommandError as error:
        return 1 if SAID in str(error) else 3
    except Interrupted:
        return Interrupted.exit_code
    except NoMore:
        return NO_MORE
    return TOO_LATE if driver.counter.too_late and driver.sprung else 0


def serve() -> int:
    """Carry one run out for each line of stdin, each in a process of its own."""
    for line in sys.stdin:
        with TemporaryFile("w+") as said:
            child = os.fork()
            if child == 0:
                run_child(said.fileno(), json.loads(line))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            said.seek(0)
            print(json.dumps([code, said.read()]), flush=True)
    return 0


def run_child(said: int, words: Sequence[str]) -> None:
    """Be the run: end this process with its exit code, as the interpreter would."""
    code: object = 1
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    try:
        code = main(*words)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - nothing may get from here into the loop of the parent
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["serve"] else main(*sys.argv[1:]))
