"""A real run that is made to fail, interrupted or killed after its Nth step. To be run in a private host only.

    for number in range(100):
        done = host.call(partial(saboteur.main, "fail", number, ("br1", "netns:web1", "10.0.0.1/24")))
        if done.code == saboteur.NO_MORE:
            break

`fail` carries N steps out and reports the next one as failed without running it. `kill` ends the process with SIGKILL
after N steps, `interrupt` sends it SIGTERM there.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn, cast

from pipework_core.cli import parser
from pipework_core.engine.engine import Engine
from pipework_core.engine.host_access import Hosting
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import clean_up_each, has_succeeded
from pipework_core.model.errors import CommandError, Interrupted
from pipework_core.model.plan import Outcome
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.plugins.manager import PluginManager

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.cli.parser import Invocation
    from pipework_core.model.driver import RunDriver
    from pipework_core.model.plan import Command, Plan

#: What a step that is made to fail is reported to say.
SAID = "sabotage"
#: Exit code for "there are no more steps": the loop over N ends here; and for a trap that sprang where nothing is
#: undone any more, after the final step or after the last, so that the run rightly succeeded.
NO_MORE, TOO_LATE = 42, 44
#: Of a step that is made to fail: a code that no step takes for success.
_BAD_CODE = 99
#: The script that ends what runs on for guests that are gone, as the last word of a command.
_END_STALE = "/end_stale.sh"
#: Exit codes of runs that ended as they should, by mode; and of one that broke by itself, not by sabotage.
CODES = {"kill": -9, "fail": 1, "interrupt": 130}
BROKEN = 3


class NoMore(BaseException):
    """The plan has no Nth step. What an observer raises ends no run, unless it is no Exception."""


class Saboteur:
    """Another driver, until the Nth step of the plan that its counter was told of. Undoing is left alone."""

    def __init__(self, inner: RunDriver, mode: str, number: int) -> None:
        self._inner = inner
        self._mode = mode
        self._number = number
        self.counter = Counter(mode, number)
        self.sprung = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a driver has
        return getattr(self._inner, name)

    def clean_up(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """Clean up by `apply`: a step of this kind is counted, too."""
        return clean_up_each(self, commands)

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run one list after the other."""
        return [self.apply_list(commands, stop=stop) for commands in lists]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Carry N steps out, then spring the trap once. A plan's final step comes in a call of its own.

        After that, what runs on for guests that are gone is left alone. Where there is any, such as an announcer of an
        earlier test, the engine would begin anew, and succeed.
        """
        if self.sprung and commands and commands[0].argv[-1].endswith(_END_STALE):
            return [Outcome(code=0)]
        if self.sprung or not self.counter.told:
            return self._inner.apply([commands], stop=stop)[0]
        outcomes = self._inner.apply([commands[: self._number]], stop=stop)[0]
        if outcomes and not has_succeeded(commands[len(outcomes) - 1], outcomes[-1]):
            self.sprung = True  # it failed by itself, and what comes next is the undoing
            return outcomes
        # A signal may come with the last step, too.
        if self._number < len(commands) + (self._mode == "interrupt"):
            self.sprung = True
            self.spring(outcomes)
        self._number -= len(commands)
        return outcomes

    def spring(self, outcomes: list[Outcome]) -> None:
        """Do the harm."""
        if self._mode == "fail":
            outcomes.append(Outcome(code=_BAD_CODE, stderr=SAID))
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
        if self._number >= len(plan.all_steps) + (interrupt and not plan.commit):
            raise NoMore
        self.told = True
        undoable = len(plan.steps) + 1 if interrupt else len(plan.steps + plan.commit)
        self.too_late = self._number >= undoable


def main(mode: str, number: int, argv: Sequence[str], plugins: PluginManager | None = None) -> NoReturn:
    """Run one sabotaged command line and exit with 1 when it failed as it should, 130 when it was interrupted.

    With 3 when something else failed, and 0 when it succeeded although it should not have, or the trap never sprang.
    """
    asked = parser.parse(argv)
    known = plugins or PluginManager(warn=print)
    saboteur = Saboteur(known.open_driver("live"), mode, number)
    known.register_observer(saboteur.counter)
    try:
        carry_out(asked, known, cast("RunDriver", saboteur))
    except CommandError as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(CODES["fail"] if SAID in str(error) else BROKEN)
    except Interrupted:
        sys.exit(Interrupted.exit_code)
    except NoMore:
        sys.exit(NO_MORE)
    except Exception:  # noqa: BLE001 - whatever it is: it must not be taken for the failure that was asked for
        traceback.print_exc()
        sys.exit(BROKEN)
    sys.exit(TOO_LATE if saboteur.counter.too_late and saboteur.sprung else 0)


def carry_out(asked: Invocation, plugins: PluginManager, driver: RunDriver) -> None:
    """Attach, detach, or let the host take part, as the command line does it, but for what that prints."""
    signals = Signals()
    signals.install()
    engine = Engine(plugins=plugins, driver=driver, signals=signals)
    request = asked.request
    if asked.command == "detach":
        engine.detach(request.guest, request.interface, everything=request.everything, keep=request.keep_bridge)
    elif asked.command == "host":
        Hosting(plugins=plugins, driver=driver, signals=signals).run(request)
    elif asked.command == "attach":
        engine.attach(request)
