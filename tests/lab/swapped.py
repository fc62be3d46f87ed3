"""Attach a guest whose name is made to lead to another namespace behind the look at it; run inside a private host."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from pipework_core.cli import parser
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.plugins.manager import PluginManager
from pipework_drivers.local.driver import LiveDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.model.plan import Command, Outcome


class Swapped(LiveDriver):
    """The live driver; before it acts, `blue` becomes the namespace that was `red`."""

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Swap, then act."""
        for argv in (("umount", "--lazy", "/run/netns/blue"), ("mount", "--bind", "/run/netns/red", "/run/netns/blue")):
            subprocess.run(argv, check=True)
        return super().apply_list(commands, stop=stop)


if __name__ == "__main__":
    attachment = parser.parse(sys.argv[1:]).request
    assert attachment
    Engine(plugins=PluginManager(warn=print), driver=Swapped(), signals=Signals()).attach(attachment)
