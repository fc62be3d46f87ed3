"""One run of the engine for the command line: plugins, driver, signals and engine put together."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.cli.environment import blame_variable
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.records import Record
from pipework_core.plugins.manager import PluginManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipework_core.cli.commands import Settings
    from pipework_core.cli.progress import Progress
    from pipework_core.model.driver import RunDriver


class Run(Record):
    """What a command works with; `tell_progress` is told how many of how many are done.

    `nb` is where a topology file has OVN's northbound database, for a machine of it that is this one.
    """

    engine: Engine
    driver: RunDriver
    plugins: PluginManager
    tell_progress: Callable[[int, int], None]
    nb: str = ""


@contextmanager
def open_run(settings: Settings) -> Iterator[Run]:
    """Give a run, and end it: the driver is told of an error that leaves the block, and is closed in any case."""
    nb = ""
    if settings.machines:
        from pipework_core.cli.machine_choice import follow_machine

        settings, nb = follow_machine(settings)
    signals, progress = start_run(settings)
    plugins = PluginManager(warn=_print_warning, dry_run=settings.dry_run or bool(settings.replay))
    driver = _open_driver(settings, plugins)
    count: Callable[[int, int], None] = _count_nothing
    if progress is not None:
        from pipework_core.cli.progress import ProgressDriver

        driver, count = ProgressDriver(driver, progress), progress.count
    try:
        if settings.verbose:
            from pipework_core.cli.verbose import VerboseObserver

            plugins.register_observer(VerboseObserver(), on_dry_run=True)
        engine = Engine(plugins=plugins, driver=driver, signals=signals, dry_run=settings.dry_run)
        yield Run(engine, driver, plugins, count, nb)
    except BaseException as error:
        driver.close(error)
        raise
    finally:
        driver.close()


def start_run(settings: Settings) -> tuple[Signals, Progress | None]:
    """Take the signals over, and return them and what shows signs of life."""
    _let_any_bytes_through()
    signals = Signals()
    signals.install()
    return signals, _start_progress(settings)


def _start_progress(settings: Settings) -> Progress | None:
    """Return what shows signs of life, where somebody looks; -v shows more than that."""
    if settings.verbose or not sys.stderr.isatty():
        return None
    from pipework_core.cli.progress import Progress

    return Progress(sys.stderr)


def _count_nothing(_done: int, _total: int) -> None:
    """Do nothing: nobody looks."""


def _print_warning(text: str) -> None:
    from pipework_core.cli import output

    output.print_warning(text)


def _let_any_bytes_through() -> None:
    """Let stdout carry the bytes of any name, as the file system does, whatever the language is set to."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


def _open_driver(settings: Settings, plugins: PluginManager) -> RunDriver:
    """Return the driver that the options choose."""
    with blame_variable(settings.variables, "driver"):
        opens = settings.driver or "live"
        driver = plugins.open_replay(settings.replay) if settings.replay else plugins.open_driver(opens)
    if settings.dry_run:
        # With --json the plan is printed as data, and the script is not wanted.
        out = io.StringIO() if settings.json else sys.stdout
        driver = plugins.find_driver_wrapper("dry-run").wrap(driver, out, settings.argv)
    if settings.record:
        driver = plugins.find_driver_wrapper("record").wrap(driver, settings.record)
    return driver
