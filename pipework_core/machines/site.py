"""A machine that is reached, and reaching all of them side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipework_core.machines.side_by_side import run_side_by_side
from pipework_core.model.errors import Interrupted, PipeworkError
from pipework_core.model.plan import HOST
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.model.driver import RunDriver
    from pipework_core.topology.model import Machine, Topology

#: Seconds until a machine that does not answer is given up, whatever its driver thinks.
LIMIT = 15.0


class Site(Record):
    """A machine of the file with an engine and a driver of its own; `signals` are the engine's."""

    machine: Machine
    engine: Engine
    driver: RunDriver
    signals: Signals

    @property
    def name(self) -> str:
        """The machine's name in the file."""
        return self.machine.name


class Sites(Record):
    """The machines that answer, in the file's order, and why the others do not, by their names."""

    open: tuple[Site, ...]
    errors: Mapping[str, PipeworkError]


class Work(Record):
    """One run over many machines.

    `chosen` are those that it is about; others of `sites` are only asked for their guests. `signals` are the main
    thread's. `warn` is told of a machine, one sentence each, what its runtimes do not tell.
    """

    topology: Topology
    sites: Sites
    chosen: Collection[str]
    signals: Signals
    warn: Callable[[str, str], None]


def connect_sites(
    machines: Iterable[Machine], open_site: Callable[[Machine], Site], *, signals: Signals, limit: float = LIMIT
) -> Sites:
    """Reach all machines side by side, each within `limit` seconds; raise Interrupted for a signal.

    `open_site` makes a machine's engine and driver, in a thread of its own; whoever called closes the drivers.
    """

    def connect(machine: Machine) -> Site:
        site = open_site(machine)
        site.driver.pin(HOST)  # a driver may connect with the first question
        return site

    tasks = {machine.name: partial(connect, machine) for machine in machines}
    found = run_side_by_side(tasks, signals=signals, limit=limit)
    if signals.wanted:
        raise Interrupted
    return Sites(
        tuple(one for one in found.values() if isinstance(one, Site)),
        {name: one for name, one in found.items() if isinstance(one, PipeworkError)},
    )
