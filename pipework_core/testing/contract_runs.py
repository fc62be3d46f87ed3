"""Runs of the real engine inside a private host, for the live part of the contract."""

from __future__ import annotations

import io
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from pipework_core.cli import parser
from pipework_core.engine import gc as collecting
from pipework_core.engine.signals import Signals
from pipework_core.model.errors import PipeworkError
from pipework_core.testing import saboteur

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.model.driver import RunDriver
    from pipework_core.model.plan import Command, Outcome
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.testing.inside import Called
    from pipework_core.testing.private import PrivateHost
    from pipework_core.testing.state import Network

#: Exit code of a run that ended with one of our errors; `saboteur.BROKEN` is for all others.
REFUSED = 1

State = dict[str, "Network"]


class Noting:
    """Another driver, which remembers the commands that it was to carry out."""

    def __init__(self, inner: RunDriver) -> None:
        self._inner = inner
        self.commands: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a driver has
        return getattr(self._inner, name)

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Remember them, and hand them on."""
        self._note_commands(command for commands in lists for command in commands)
        return self._inner.apply(lists, stop=stop)

    def clean_up(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """Hand them on, and remember those that no guard blocked."""
        outcomes = self._inner.clean_up(commands)
        self._note_commands(command for command, outcome in zip(commands, outcomes, strict=True) if outcome is not None)
        return outcomes

    def _note_commands(self, commands: Iterable[Command]) -> None:
        self.commands += [f"{command} <<< {command.stdin}" if command.stdin else str(command) for command in commands]


def carried_out(argv: Sequence[str], plugins: PluginManager, *, dry_run: bool = False) -> list[str]:
    """Run a command line and return the commands that were carried out, or with `dry_run` would have been."""
    live = plugins.open_driver("live")
    inner = plugins.find_driver_wrapper("dry-run").wrap(live, io.StringIO(), argv) if dry_run else live
    driver = Noting(inner)
    _end_with_code(partial(saboteur.carry_out, parser.parse(argv), plugins, cast("RunDriver", driver)))
    return driver.commands


def collect_in_process(plugins: PluginManager) -> None:
    """Do as `pipework gc` does."""
    _end_with_code(
        partial(collecting.collect_garbage, plugins=plugins, driver=plugins.open_driver("live"), signals=Signals())
    )


def _end_with_code(do: Callable[[], object]) -> None:
    """Do it; end this process with a code that tells our errors from all others."""
    try:
        do()
    except PipeworkError as error:
        sys.stdout.write(f"{error}\n")
        sys.exit(REFUSED)
    except Exception:  # noqa: BLE001 - a plugin's
        traceback.print_exc()
        sys.exit(saboteur.BROKEN)


class Bench(NamedTuple):
    """A prepared host, the plugins that are used in it, and its guests; `look` is how its state is read."""

    host: PrivateHost
    plugins: PluginManager
    guests: tuple[str, ...]
    look: Callable[[PrivateHost, Sequence[str]], State]

    def run(self, *argv: str, dry_run: bool = False) -> Called:
        """Run a command line inside."""
        return self.host.call(partial(carried_out, argv, self.plugins, dry_run=dry_run))

    def sabotage(self, mode: str, number: int, *argv: str) -> Called:
        """Run it with sabotage after so many steps."""
        return self.host.call(partial(saboteur.main, mode, number, argv, self.plugins))

    def collect(self) -> Called:
        """Let `gc` do its work."""
        return self.host.call(partial(collect_in_process, self.plugins))

    def state(self) -> State:
        """Return what host and guests look like."""
        return self.look(self.host, self.guests)


def without_chance(state: State, before: State) -> State:
    """Return a state without the MACs of links that were not there before: the kernel makes them up."""
    for space, network in state.items():
        known = {link["name"] for link in before.get(space, {}).get("links", ())}
        for link in network.get("links", ()):
            if link["name"] not in known:
                link["mac"] = "made up"
    return state


def describe_difference(before: State, after: State) -> str:
    """Say in a few words what is different; empty when nothing is."""
    said = []
    for space, network in after.items():
        for part, rows in network.items():
            earlier = before[space][part]
            if rows != earlier:
                said += [f"{space} has {_show_row(row, earlier)} more" for row in rows if row not in earlier]
                said += [f"{space} lacks {_show_row(row, rows)}" for row in earlier if row not in rows]
    return "; ".join(said[:3])


def _show_row(row: Any, others: Sequence[Any]) -> str:  # noqa: ANN401 - a line of text, or a link
    """Return a row as it is, or of a link that is there on both sides what differs."""
    if not isinstance(row, dict) or "name" not in row:
        return str(row)
    twin = next((other for other in others if other["name"] == row["name"]), None)
    if twin is None:
        return f"the link {row['name']} ({row.get('kind')})"
    differing = {key: value for key, value in row.items() if twin.get(key) != value}
    return f"{row['name']} with {differing}"
