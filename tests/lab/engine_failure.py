"""Detach three guests of one bridge with a driver that cannot delete the interface of one of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.plan import Command, Outcome
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.contexts import make_attachment
from pipework_drivers.local.driver import LiveDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The host's end of g1's pair, which goes with the whole pair.
BROKEN = sys.argv[1]
MISSING = Command(argv=("ip", "link", "delete", "dev", "missing"))


class Failing(LiveDriver):
    """Deletes an interface that is not there in the place of one that is."""

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run the lists, but for what is to fail."""
        return super().apply([list(map(self._break, commands)) for commands in lists], stop=stop)

    def _break(self, command: Command) -> Command:
        broken = command.argv[:3] == ("ip", "link", "delete") and command.argv[-1] == BROKEN
        return MISSING if broken else command


wanted = [make_attachment(f"br1 netns:g{number} 10.0.0.{number}/24 -i eth1".split()) for number in range(1, 4)]
plugins = PluginManager(warn=print)
jobs = Engine(plugins=plugins, driver=Failing(), signals=Signals()).detach_all(wanted)
print([job.whole for job in jobs])
