"""One run over the machines of a topology file: a driver, plugins and an engine for each, and their end."""

from __future__ import annotations

import io
import shlex
from contextlib import contextmanager, nullcontext
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from pipework_core.cli import output
from pipework_core.cli.machine_choice import choose_machines, make_driver_text
from pipework_core.cli.run import start_run
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.machines.side_by_side import run_side_by_side
from pipework_core.machines.site import Site, Work, connect_sites
from pipework_core.model.errors import UsageError
from pipework_core.model.names import escape_text
from pipework_core.plugins.manager import PluginManager

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from pipework_core.cli.commands import Settings
    from pipework_core.cli.progress import Progress
    from pipework_core.model.driver import RunDriver
    from pipework_core.topology.model import Machine, Topology

#: Seconds that a line has to come to its end; what hangs ends with this process.
_PARTING = 10.0


class SiteRun:
    """What a command works with: `work`, of which each machine that answers has its part."""

    def __init__(self, work: Work, scripts: dict[str, io.StringIO], progress: Progress | None) -> None:
        self.work = work
        self._scripts = scripts
        self._progress = progress
        self._counts: dict[str, str] = {}

    def tell_progress(self, machine: str, done: int, total: int) -> None:
        """Take note of how many of how many links of a machine hold."""
        self._counts[machine] = f"{machine} {done} of {total}"
        if self._progress is not None:
            self._progress.note(f"{', '.join(self._counts.values())}; ")

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show on a terminal what is waited for."""
        with self._progress.waiting(text) if self._progress else nullcontext():
            yield

    def finish(self, machine: str, notes: Sequence[str]) -> None:
        """Complete the run on one machine; a dry run prints its script, to be run by that machine's shell."""
        site = next(site for site in self.work.sites.open if site.name == machine)
        site.driver.finish(notes)
        if machine in self._scripts:
            print(_wrap_script(site, self._scripts[machine].getvalue()), end="")


@contextmanager
def open_sites(topology: Topology, settings: Settings, *, resolves: bool = True) -> Iterator[SiteRun]:
    """Give a run over the machines that the options choose, all of the file without; close them in any case.

    With `resolves`, other machines are reached as well where their guests decide about addresses from a pool. Raises
    UsageError for options that go with one machine, and Interrupted.
    """
    chosen = choose_machines(topology, settings.machines)
    _refuse_unfitting(settings, chosen)
    names = [machine.name for machine in chosen]
    asked = [one for one in topology.machines if one in chosen or (resolves and _shares_pools(topology, one))]
    signals, progress = start_run(settings)
    warn_once = _WarnOnce()
    scripts: dict[str, io.StringIO] = {}
    drivers: list[RunDriver] = []

    def open_site(machine: Machine) -> Site:
        dry_run = settings.dry_run or machine not in chosen
        plugins = PluginManager(warn=warn_once, dry_run=dry_run)
        driver = plugins.open_driver(make_driver_text(machine, topology.nb))
        drivers.append(driver)
        if settings.dry_run:
            out: TextIO = scripts.setdefault(machine.name, io.StringIO())
            driver = plugins.find_driver_wrapper("dry-run").wrap(driver, out, settings.argv)
        if settings.verbose:
            from pipework_core.cli.verbose import VerboseObserver

            plugins.register_observer(VerboseObserver(prefix=f"{machine.name}: "), on_dry_run=True)
        inner = Signals()
        return Site(machine, Engine(plugins=plugins, driver=driver, signals=inner, dry_run=dry_run), driver, inner)

    try:
        with progress.waiting(f"connect to {', '.join(names)}") if progress else nullcontext():
            sites = connect_sites(asked, open_site, signals=signals)
        yield SiteRun(Work(topology, sites, names, signals, _warn_of_machine), scripts, progress)
    finally:
        tasks = {str(number): partial(driver.close) for number, driver in enumerate(drivers)}
        run_side_by_side(tasks, signals=Signals(), limit=_PARTING)


def _refuse_unfitting(settings: Settings, chosen: Sequence[Machine]) -> None:
    """Refuse options that mean one machine, where the file names its machines."""
    if settings.driver:
        message = "the file names its machines, and --driver names another."
        raise UsageError(message, hint=f"leave --driver out; -m {chosen[0].name} is one machine of the file")
    option = next((name for name in ("record", "replay") if getattr(settings, name)), "")
    if option:
        message = f"--{option} goes with one machine, and the file names its machines."
        raise UsageError(message, hint="write a file without machines, and --driver")


def _shares_pools(topology: Topology, machine: Machine) -> bool:
    """Whether guests of this machine that only it knows may get addresses that others must not have."""
    return any(link.is_pattern and link.pools for link in topology.links if link.machine == machine.name)


def _warn_of_machine(machine: str, text: str) -> None:
    output.print_warning(f"{machine}: {text}")


class _WarnOnce:
    """Prints what plugins warn of: it is the same for each machine."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._lock = Lock()

    def __call__(self, text: str) -> None:
        with self._lock:
            if text not in self._said:
                self._said.add(text)
                output.print_warning(text)


def _wrap_script(site: Site, script: str) -> str:
    """Return what runs a script on its machine, typed into a shell here; ssh(1) knows such addresses."""
    machine = site.machine
    there = machine.driver.partition("?")[0]
    usual = "sh" if machine.driver == "local" else f"ssh {shlex.quote(there)} exec sh"
    shell = getattr(site.driver, "script_line", "") or usual
    end = f"end of {machine.name}"
    return escape_text(f"# {machine.name}") + f"\n{shell} <<'{end}'\n{script}{end}\n"
