"""What a process that stays knows of the host's links is asked for by one thread at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.plan import Outcome
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.fake import FakeDriver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.plan import Command


def test_the_host_s_links_are_counted_under_its_lock() -> None:
    held: list[bool] = []
    seen: list[bool] = []

    def answer(command: Command) -> Outcome:
        seen.append(bool(held))
        return Outcome(code=0, stdout="[]" if "link" in command.argv else "")

    driver = FakeDriver(answer)

    @contextmanager
    def lock() -> Iterator[None]:
        held.append(True)
        yield
        held.clear()

    driver.lock = lock  # type: ignore[method-assign, assignment] - whether it is held is all that matters here
    engine = Engine(plugins=PluginManager(warn=print), driver=driver, signals=Signals())
    assert engine.count_host_ends([]) == {}
    assert seen == [True]
