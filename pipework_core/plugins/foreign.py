"""What third parties provide: looked up by the names of entry points, loaded when it is asked for.

The name of an entry point is the name that a user writes (`vxlan = "pipework_vxlan"` for `vxlan:42`); a module with
several of them has as many entry points.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.plugins.entry_points import EntryPoint

OBSERVERS = "pipework.observers"
_BUILT_IN = "pipework itself"


class Foreign:
    """The plugins of installed packages (`points`), and those in hand (`extra`)."""

    def __init__(self, points: Sequence[EntryPoint], extra: Sequence[object], warn: Callable[[str], None]) -> None:
        self._points = points
        self._extra = extra
        self._warn = warn
        self._warned: set[str] = set()
        #: What entry points led to, or why they lead to nothing: each is imported once.
        self._loaded: dict[EntryPoint, object] = {}

    def names(self, group: str) -> frozenset[str]:
        """Return the names that can be asked for."""
        return frozenset({name for name, _, _ in self._in_hand(group)} | {point.name for point in self._of(group)})

    def one(self, group: str, name: str, *, built_in: bool) -> Any:  # noqa: ANN401 - the group says what
        """Return what has that name, None when there is nothing, or the built-in alone.

        Raise PluginError when two have the name, naming both, and for a plugin that cannot be used.
        """
        return self._found(group, name, built_in=built_in, asked=True)

    def all(self, group: str, built_in: Iterable[str]) -> list[Any]:
        """Return all of a group that can be used; what cannot is a warning."""
        found = []
        for name in sorted(self.names(group)):
            item = self.spared(partial(self._found, group, name, built_in=name in built_in, asked=False))
            if item is not None:
                found.append(item)
        return found

    def spared(self, get: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it gets
        """Return what a function gets, or None, and a warning, when a plugin cannot be used: nobody asked for it."""
        try:
            return get()
        except PluginError as error:
            self._say(f"{str(error).rstrip('.')}; it is left out")
            return None

    def _say(self, text: str) -> None:
        """Warn, once for the same thing."""
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)

    def observers(self) -> list[tuple[str, object]]:
        """Return the observers of installed packages, each with its package's name."""
        found = [(point.package, self.spared(partial(self.plugin, point))) for point in self._of(OBSERVERS)]
        return [(name, plugin) for name, plugin in found if plugin is not None]

    def plugin(self, point: EntryPoint) -> object:
        """Return what an entry point leads to; raise PluginError when that cannot be used."""
        if point not in self._loaded:
            from pipework_core.plugins import loading  # noqa: PLC0415 - brings pluggy and inspect along

            try:
                self._loaded[point] = loading.load(point)
            except PluginError as error:
                self._loaded[point] = error
        found = self._loaded[point]
        if isinstance(found, PluginError):
            raise found
        return found

    def _of(self, group: str, name: str | None = None) -> list[EntryPoint]:
        return [point for point in self._points if point.group == group and name in {None, point.name}]

    def _found(self, group: str, name: str, *, built_in: bool, asked: bool) -> Any:  # noqa: ANN401 - see `one`
        points = self._of(group, name)
        in_hand = [(owner, item) for known, owner, item in self._in_hand(group) if known == name]
        owners = [*([_BUILT_IN] if built_in else []), *(owner for owner, _ in in_hand), *(p.package for p in points)]
        if len(owners) > 1:
            both = f"{', '.join(owners[:-1])} and {owners[-1]}"
            raise PluginError(f"{both} both provide {name!r}.", hint=f"uninstall {owners[-1]}, or the other one")
        if in_hand:
            return in_hand[0][1]
        return self._from(points[0], asked=asked) if points else None

    def _from(self, point: EntryPoint, *, asked: bool) -> Any:  # noqa: ANN401 - see `one`
        """Return what an entry point names, behind a guard; raise PluginError when it is not there."""
        plugin = self.plugin(point)
        from pipework_core.plugins import loading  # noqa: PLC0415 - as above
        from pipework_core.plugins.guarded import Guarded  # noqa: PLC0415 - as above

        sort = loading.PLUGIN_GROUPS[point.group]
        items = loading.provided(plugin, sort, point.package)
        for item in items:
            if getattr(item, sort.attribute) == point.name:
                return Guarded(item, point.package, self._say, asked=asked)
        others = ", ".join(repr(getattr(item, sort.attribute)) for item in items) or "nothing"
        raise PluginError(
            f"{point.package} has an entry point {point.name!r} and provides {others} there.",
            hint=f"upgrade {point.package}; an entry point is called like what it provides",
        )

    def _in_hand(self, group: str) -> list[tuple[str, str, Any]]:
        """Return name, owner and object of all that plugins in hand register."""
        if not self._extra:
            return []
        from pipework_core.plugins import loading  # noqa: PLC0415 - as above

        sort = loading.PLUGIN_GROUPS[group]
        return [
            (getattr(item, sort.attribute), owner, item)
            for plugin, owner in ((plugin, _called(plugin)) for plugin in self._extra)
            for item in loading.provided(plugin, sort, owner)
        ]


def _called(plugin: object) -> str:
    return str(getattr(plugin, "__name__", None) or type(plugin).__name__)
