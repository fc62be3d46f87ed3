"""The plugins of a run: found by the names of entry points, imported when needed, registered with one pluggy manager.

The name of an entry point is the name that a user writes (`vxlan = "pipework_vxlan"` for `vxlan:42`), so a plugin is
found, or found twice, and nothing is imported for it. A module with several objects has as many entry points.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import PluginError
from pipework_core.plugins import builtin, hookspecs
from pipework_core.plugins.lean_pluggy import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.plugins.entry_points import EntryPoint


class _Hooks(pluggy.PluginManager):
    """pluggy's manager, which looks at names of ours alone: a module has a hundred others."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Return how a function is marked; None for what is no hook of ours."""
        return super().parse_hookimpl_opts(plugin, name) if name.startswith(hookspecs.PREFIX) else None

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> pluggy.HookspecOpts | None:  # noqa: ANN401 - pluggy's
        """Return how a specification is marked; None for what is none."""
        return super().parse_hookspec_opts(module_or_class, name) if name.startswith(hookspecs.PREFIX) else None


class Registry:
    """The plugins of a run: the built-in table, the entry points of installed packages, and plugins in hand.

    `in_hand` are modules or objects with hooks, as an entry point would lead to; they need not be installed.
    """

    def __init__(self, installed: Sequence[EntryPoint], in_hand: Iterable[object], warn: Callable[[str], None]) -> None:
        self._installed = installed
        self._warn = warn
        self._warned: set[str] = set()
        self._hooks = _Hooks(hookspecs.PROJECT)
        self._hooks.add_hookspecs(hookspecs.Specs)
        self._plugins: list[object] = []
        self._in_hand = [(plugin, get_name(plugin)) for plugin in in_hand]
        #: What entry points of packages led to, or why they lead to nothing: each is imported once.
        self._loaded: dict[EntryPoint, object] = {}
        self._provided: dict[tuple[int, str], list[Any]] = {}
        #: The package that provided an object, by the object's identity.
        self._packages: dict[int, str] = {}
        for plugin, _ in self._in_hand:
            self.register(plugin)

    def register(self, plugin: object, name: str = "") -> None:
        """Register a plugin with pluggy, once; raise pluggy's PluginValidationError for a hook that does not exist."""
        if any(known is plugin for known in self._plugins):
            return
        try:
            self._hooks.register(plugin, name or str(id(plugin)))
            self._hooks.check_pending()
        except pluggy.PluginValidationError:
            if self._hooks.is_registered(plugin):
                self._hooks.unregister(plugin)
            raise
        self._plugins.append(plugin)

    def call_hook(self, plugin: object, hook: str, **arguments: object) -> list[Any]:
        """Call a hook of one plugin and return its answer in a list; the list is empty for one without the hook."""
        others = [other for other in self._plugins if other is not plugin]
        answers: list[Any] = self._hooks.subset_hook_caller(hook, others)(**arguments)
        return answers

    def find_package(self, item: object) -> str:
        """Return the package that provided an object; empty for a built-in."""
        return self._packages.get(id(item), "")

    def list_names(self, group: str) -> list[str]:
        """Return the names that third parties provide, sorted."""
        in_hand = {name for name, _, _ in self._provided_in_hand(group)} if self._in_hand else set()
        return sorted(in_hand | {point.name for point in self._installed if point.group == group})

    def find_built_in(self, group: str, name: str) -> Any:  # noqa: ANN401 - the group says what
        """Return the built-in object with that name; None when there is none."""
        point = builtin.find_entry_point(group, name)
        if point is None:
            return None
        plugin = import_module(point.value)
        self.register(plugin, point.value)
        return next(
            item
            for item in self._call_registering_hook(plugin, group)
            if getattr(item, builtin.GROUPS[group][1]) == name
        )

    def find(self, group: str, name: str) -> Any:  # noqa: ANN401 - the group says what
        """Return the object with that name; None when there is none.

        Raise PluginError when several packages provide it, naming them all, and for a plugin that cannot be used.
        """
        points = [point for point in self._installed if point.group == group and point.name == name]
        in_hand = [(owner, item) for known, owner, item in self._provided_in_hand(group) if known == name]
        built_in = [builtin.PACKAGE] if builtin.find_entry_point(group, name) else []
        owners = [*built_in, *(owner for owner, _ in in_hand), *(point.package for point in points)]
        if len(owners) > 1:
            both = f"{', '.join(owners[:-1])} and {owners[-1]}"
            raise PluginError(f"{both} both provide {name!r}.", hint=f"uninstall {owners[-1]}, or the other one")
        if in_hand:
            return in_hand[0][1]
        return self._find_installed(points[0]) if points else self.find_built_in(group, name)

    def list_third_party(self, group: str) -> list[Any]:
        """Return all objects of third parties that can be used; what cannot is a warning."""
        found = [self.try_find(partial(self.find, group, name)) for name in self.list_names(group)]
        return [item for item in found if item is not None]

    def try_find(self, find: Callable[[], Any]) -> Any:  # noqa: ANN401 - what it finds
        """Return what a function finds; None, and a warning, when a plugin cannot be used: nobody asked for it."""
        try:
            return find()
        except PluginError as error:
            self.warn_once(f"{str(error).rstrip('.')}; it is left out")
            return None

    def load(self, point: EntryPoint) -> object:
        """Import and register what an entry point of a package leads to; raise PluginError when it cannot be used."""
        if point not in self._loaded:
            from pipework_core.plugins import validation  # noqa: PLC0415 - only for plugins of third parties

            try:
                plugin = self._loaded[point] = validation.load_plugin(point)
                with validation.explain_refusal(plugin, point):
                    self.register(plugin, f"{point.package} {point.value}")
            except PluginError as error:
                self._loaded[point] = error
        found = self._loaded[point]
        if isinstance(found, PluginError):
            raise found
        return found

    def list_observers(self) -> list[tuple[str, object]]:
        """Return the observers of installed packages that can be used, each with its package's name."""
        points = [point for point in self._installed if point.group == builtin.GROUP_OBSERVERS]
        found = [(point.package, self.try_find(partial(self.load, point))) for point in points]
        return [(package, observer) for package, observer in found if observer is not None]

    def provide(self, plugin: object, group: str, owner: str) -> list[Any]:
        """Return what a third party's plugin registers in a group; raise PluginError for what cannot be used."""
        if (id(plugin), group) not in self._provided:
            from pipework_core.plugins import validation  # noqa: PLC0415 - only for plugins of third parties

            with validation.explain_errors(f"{builtin.GROUPS[group][0]} of {owner}"):
                items = self._call_registering_hook(plugin, group)
                try:
                    validation.check_items(items, group, owner)
                except PluginError:
                    del self._provided[id(plugin), group]
                    raise
            self._packages |= {id(item): owner for item in items}
        return self._provided[id(plugin), group]

    def warn_once(self, text: str) -> None:
        """Warn, once for the same thing."""
        if text not in self._warned:
            self._warned.add(text)
            self._warn(text)

    def _call_registering_hook(self, plugin: object, group: str) -> list[Any]:
        """Call the hook that registers the objects of a group, once for each plugin."""
        found = self._provided.get((id(plugin), group))
        if found is None:
            answers = self.call_hook(plugin, builtin.GROUPS[group][0])
            found = self._provided[id(plugin), group] = [item for answer in answers for item in answer]
        return found

    def _find_installed(self, point: EntryPoint) -> Any:  # noqa: ANN401 - see `find`
        attribute = builtin.GROUPS[point.group][1]
        items = self.provide(self.load(point), point.group, point.package)
        for item in items:
            if getattr(item, attribute) == point.name:
                return item
        others = ", ".join(repr(getattr(item, attribute)) for item in items) or "nothing"
        raise PluginError(
            f"{point.package} has an entry point {point.name!r} and provides {others} there.",
            hint=f"upgrade {point.package}; an entry point is called like what it provides",
        )

    def _provided_in_hand(self, group: str) -> list[tuple[str, str, Any]]:
        """Return name, owner and object of all that plugins in hand register."""
        attribute = builtin.GROUPS[group][1]
        return [
            (getattr(item, attribute), owner, item)
            for plugin, owner in self._in_hand
            for item in self.provide(plugin, group, owner)
        ]


def get_name(plugin: object) -> str:
    """Return what a plugin in hand is called in messages."""
    return str(getattr(plugin, "__name__", None) or type(plugin).__name__)
