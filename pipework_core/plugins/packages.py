"""Every installed package with plugins: what it provides, and what is wrong with it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pipework_core import CONTRACT, __version__
from pipework_core.model.errors import PluginError
from pipework_core.model.records import Record
from pipework_core.plugins import builtin, entry_points, validation
from pipework_core.plugins.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.plugins.entry_points import EntryPoint

_PREFIX = "pipework."
#: The hooks that register objects, and the group that each belongs to.
_HOOK_GROUPS = {builtin.GROUPS[group][0]: group for group in builtin.LISTED}
_GROUPS = (*builtin.LISTED, builtin.GROUP_OBSERVERS)


class Package(Record):
    """An installed distribution: where it is, what it provides by group, its hooks, and what is wrong with it.

    `contract` is what it says it was written for, None when it says nothing or cannot be imported; `provides` has the
    names that users write, by group without its prefix (`backends`, `guests`, `addressing`, `drivers`, `observers`).
    """

    name: str
    version: str
    origin: str
    contract: object
    provides: Mapping[str, tuple[str, ...]]
    hooks: tuple[str, ...]
    problems: tuple[str, ...] = ()


def list_packages() -> list[Package]:
    """Return pipework itself, then every package that offers something to it; each is imported."""
    found = entry_points.list_entry_points()
    registry = Registry(found, (), lambda _: None)
    folders = dict.fromkeys(point.folder for point in found)
    return [
        _describe_built_ins(),
        *(_examine_package([p for p in found if p.folder == name], registry) for name in folders),
    ]


def _describe_built_ins() -> Package:
    return Package(
        name="pipework",
        version=__version__,
        origin="built in",
        contract=CONTRACT,
        provides={group.removeprefix(_PREFIX): tuple(table) for group, table in builtin.LISTED.items()},
        hooks=tuple(builtin.GROUPS[group][0] for group in builtin.LISTED),
    )


def _examine_package(points: Sequence[EntryPoint], registry: Registry) -> Package:
    """Import the plugins of one package and return what is to be said of it."""
    provides: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    plugins: dict[str, object] = {}
    for point in points:
        group = point.group.removeprefix(_PREFIX)
        provides[group] = (*provides.get(group, ()), point.name)
        try:
            plugins[point.value] = _load_plugin(point, registry)
            _check_promise(point, plugins[point.value], registry)
        except PluginError as error:
            problems.append(str(error))
    hooks = {value: validation.list_implemented(plugin) for value, plugin in plugins.items()}
    if not problems:  # else these would follow from them
        for value, plugin in plugins.items():
            problems += _find_unreached(value, hooks[value], points)
            problems += _find_unnamed(value, plugin, points, registry)
    return Package(
        name=points[0].package,
        version=points[0].version,
        origin=os.path.dirname(points[0].folder) or os.curdir,
        contract=next((written for point in points if (written := _read_contract(point, plugins)) is not None), None),
        provides=provides,
        hooks=tuple(name for name in validation.list_hooks() if any(name in names for names in hooks.values())),
        problems=tuple(dict.fromkeys(problems)),
    )


def _load_plugin(point: EntryPoint, registry: Registry) -> object:
    if point.group not in _GROUPS:
        raise PluginError(f"there is no group {point.group}{validation.did_you_mean(point.group, _GROUPS)}.")
    return registry.load(point)


def _check_promise(point: EntryPoint, plugin: object, registry: Registry) -> None:
    """Raise PluginError when a user would not get what an entry point promises."""
    if point.group != builtin.GROUP_OBSERVERS:
        registry.find(point.group, point.name)
    elif not set(validation.list_implemented(plugin)) & _list_notifications():
        raise PluginError(f"{point.name!r} is an observer without a hook that tells it anything.")


def _find_unreached(value: str, hooks: Iterable[str], points: Sequence[EntryPoint]) -> list[str]:
    """Return a problem for each hook that is never called, because no entry point of its group leads to it."""
    leading = {point.group for point in points if point.value == value}
    needed = {hook: _HOOK_GROUPS.get(hook, builtin.GROUP_OBSERVERS) for hook in hooks}
    return [
        f"{hook} is never called: no entry point of the group {group} leads to {value}."
        for hook, group in needed.items()
        if group not in leading
    ]


def _find_unnamed(value: str, plugin: object, points: Sequence[EntryPoint], registry: Registry) -> list[str]:
    """Return a problem for each object that nobody can ask for, because no entry point is called like it."""
    problems = []
    for group in dict.fromkeys(
        point.group for point in points if point.value == value and point.group in _HOOK_GROUPS.values()
    ):
        named = {point.name for point in points if point.group == group}
        names = [getattr(item, builtin.GROUPS[group][1]) for item in registry.provide(plugin, group, points[0].package)]
        problems += [
            f"{name!r} cannot be asked for: no entry point of the group {group} is called so."
            for name in names
            if name not in named
        ]
    return problems


def _read_contract(point: EntryPoint, plugins: Mapping[str, object]) -> object:
    """Return the contract that a plugin names, also of one that is refused for it."""
    module = point.value.partition(":")[0].strip()
    return validation.read_contract(plugins.get(point.value, sys.modules.get(module)), module)


def _list_notifications() -> set[str]:
    """Return the hooks of observers: those that are told something."""
    return {name for name, arguments in validation.list_hooks().items() if arguments}
