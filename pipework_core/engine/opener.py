"""Engines of a process that stays: they share plugins and what is known of the host's links."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pipework_core.engine.engine import Engine
from pipework_core.state.link_cache import LinkCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipework_core.engine.signals import Signals
    from pipework_core.model.driver import RunDriver
    from pipework_core.plugins.manager import PluginManager


class EngineOpener:
    """Opens an engine for one piece of work in one thread.

    Drivers are used again, since only who started an announcer can reap it. Make it in the host's network namespace,
    and close it.
    """

    def __init__(self, plugins: PluginManager, *, dry_run: bool = False) -> None:
        """With `dry_run` it opens nothing but engines that change nothing, and listens to nobody."""
        self._plugins = plugins
        self._links = None if dry_run else LinkCache()
        self._idle: list[RunDriver] = []

    def tidy(self) -> None:
        """Reap what has ended that nobody waited for; call it now and then."""
        for _ in range(len(self._idle)):
            with suppress(IndexError):  # other threads take them as well
                driver = self._idle.pop(0)
                driver.release()
                self._idle.append(driver)

    def close(self) -> None:
        """Let go of everything."""
        if self._links is not None:
            self._links.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def open(self, signals: Signals, *, wrap: Callable[[RunDriver], RunDriver] | None = None) -> Iterator[Engine]:
        """Give an engine. With `wrap`, what wraps its driver so that nothing is changed."""
        if wrap is not None:
            driver = wrap(self._plugins.open_driver())
            try:
                yield Engine(plugins=self._plugins, driver=driver, signals=signals, dry_run=True)
                driver.finish(())
            finally:
                driver.close()
            return
        driver = self._take_driver()
        try:
            yield Engine(plugins=self._plugins, driver=driver, signals=signals, links=self._links)
        finally:
            self._idle.append(driver)

    def _take_driver(self) -> RunDriver:
        try:
            return self._idle.pop()
        except IndexError:
            return self._plugins.open_driver()
