"""Engines for the threads of requests: they share plugins, and each has a driver of its own."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.engine.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.engine.signals import Signals
    from pipework_core.plugins.manager import PluginManager


class Engines:
    """Opens an engine for each piece of work. Observers of `dry_plugins` are told of plans alone."""

    def __init__(self, plugins: PluginManager, dry_plugins: PluginManager) -> None:
        self._plugins = plugins
        self._dry_plugins = dry_plugins

    @contextmanager
    def open(self, signals: Signals, *, dry_run: bool = False) -> Iterator[Engine]:
        """Give an engine, and close its driver; with `dry_run` it changes nothing."""
        plugins = self._dry_plugins if dry_run else self._plugins
        driver = plugins.open_driver()
        if dry_run:
            driver = plugins.find_driver_wrapper("dry-run").wrap(driver, io.StringIO())
        try:
            yield Engine(plugins=plugins, driver=driver, signals=signals, dry_run=dry_run)
            driver.finish(())
        finally:
            driver.close()
