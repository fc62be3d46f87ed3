"""Engines for the threads of requests."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.engine.opener import EngineOpener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.plugins.manager import PluginManager


class Engines:
    """Opens an engine for each piece of work. Observers of `dry_plugins` are told of plans alone. Close it."""

    def __init__(self, plugins: PluginManager, dry_plugins: PluginManager) -> None:
        self._opener = EngineOpener(plugins)
        self._dry_opener = EngineOpener(dry_plugins, dry_run=True)
        #: The kinds of links that there are.
        self.kinds = frozenset(backend.kind for backend in plugins.list_backends())
        self._wrapper = dry_plugins.find_driver_wrapper("dry-run")

    @contextmanager
    def open(self, signals: Signals, *, dry_run: bool = False) -> Iterator[Engine]:
        """Give an engine; with `dry_run` it changes nothing."""
        if dry_run:
            with self._dry_opener.open(signals, wrap=lambda driver: self._wrapper.wrap(driver, io.StringIO())) as dry:
                yield dry
            return
        with self._opener.open(signals) as engine:
            yield engine

    def tidy(self) -> None:
        """Reap what has ended that nobody waited for; call it now and then."""
        self._opener.tidy()

    def close(self) -> None:
        """Let go of everything."""
        for opener in (self._opener, self._dry_opener):
            opener.close()
