"""Who there is: the names of all running guests, asked for in one go instead of one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipework_core.model.errors import GuestError, PluginError
from pipework_core.model.plan import Command
from pipework_core.plugins.builtin import GUESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pipework_core.model.driver import Driver
    from pipework_core.plugins.api import GuestResolver
    from pipework_core.plugins.manager import PluginManager

#: Nothing, where /run/netns does not exist.
NAMES = Command(argv=("ip", "-json", "netns", "list"), reason="list the network namespaces that have a name")
#: Below so many names it is cheaper to ask for each.
_FEW = 3


class GuestDirectory:
    """The guests of a host, as `runtime:name`. Runtimes are asked when they are needed, each once."""

    def __init__(self, *, plugins: PluginManager, driver: Driver, warn: Callable[[str], None]) -> None:
        self._plugins = plugins
        self._driver = driver
        self._warn = warn
        self._names: dict[str, list[str]] = {}

    def list_names(self, patterns: Collection[str]) -> list[str]:
        """Return all guests that have a name; a runtime is only asked where a pattern may mean one of its guests."""
        named = {pattern.partition(":")[0] for pattern in patterns}
        asked = [runtime for runtime in GUESTS if runtime != "pid" and (runtime in named or not named <= set(GUESTS))]
        return [f"{runtime}:{name}" for runtime in asked for name in self._list_of(runtime)]

    def find_runtimes(self, names: Collection[str]) -> dict[str, str]:
        """Return, for bare names, the guests they mean, in the order in which runtimes are asked for one.

        Names that nobody knows, or that mean two guests, are left out: asking for each says what is wrong.
        """
        bare = {name for name in names if ":" not in name}
        if len(bare) <= _FEW:
            return {}
        found: dict[str, str] = {}
        for runtime in GUESTS:
            if runtime in {"pid", "netns"} or bare <= found.keys():
                continue
            found |= {
                name: f"{runtime}:{name}" for name in self._list_of(runtime) if name in bare and name not in found
            }
        for name in self._list_of("netns"):
            if name in found:
                del found[name]  # whether it is the container's own namespace is a matter of a closer look
            elif name in bare:
                found[name] = f"netns:{name}"
        return found

    def _list_of(self, runtime: str) -> list[str]:
        if runtime not in self._names:
            self._names[runtime] = self._ask_runtime(runtime)
        return self._names[runtime]

    def _ask_runtime(self, runtime: str) -> list[str]:
        if runtime == "netns":
            said = self._driver.read([NAMES])[0].stdout
            return [str(entry["name"]) for entry in json.loads(said or "[]")]
        resolver: GuestResolver = self._plugins.find_resolver(runtime)
        if resolver.program and not self._driver.has_program(resolver.program):
            return []
        try:
            return [running.name for running in resolver.list(self._driver)]
        except (GuestError, PluginError) as error:
            self._warn(f"the guests of {runtime} are not known: {error}")
            return []
