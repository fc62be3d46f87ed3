"""`pipework plugins`: every installed package with plugins, what it provides, and what is wrong with it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pipework_core import CONTRACT, __version__
from pipework_core.model.errors import PluginError
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.plugins import entry_points, loading
from pipework_core.plugins.contained import contained
from pipework_core.plugins.foreign import Foreign
from pipework_core.plugins.manager import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.plugins.entry_points import EntryPoint

#: The exit code when a plugin cannot be used, or not all of it.
PROBLEM = 3
_PREFIX = "pipework."


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


def packages(points: Iterable[EntryPoint] | None = None) -> list[Package]:
    """Return pipework itself, then every package that offers something to it; each is imported."""
    found = list(entry_points.points() if points is None else points)
    foreign = Foreign(found, (), lambda _: None)
    folders = dict.fromkeys(point.folder for point in found)
    return [_itself(), *(_package([p for p in found if p.folder == folder], foreign) for folder in folders)]


def _itself() -> Package:
    return Package(
        name="pipework",
        version=__version__,
        origin="built in",
        contract=CONTRACT,
        provides={group.removeprefix(_PREFIX): tuple(table) for group, (table, _, _) in BUILT_IN.items()},
        hooks=tuple(hook for _, hook, _ in BUILT_IN.values()),
    )


def _package(points: Sequence[EntryPoint], foreign: Foreign) -> Package:
    provides: dict[str, tuple[str, ...]] = {}
    problems: list[str] = []
    plugins: dict[str, object] = {}
    for point in points:
        group = point.group.removeprefix(_PREFIX)
        provides[group] = (*provides.get(group, ()), point.name)
        try:
            plugins[point.value] = _loaded(point, foreign)
            _check(point, plugins[point.value], foreign)
        except PluginError as error:
            problems.append(str(error))
    hooks = {value: loading.implemented(plugin) for value, plugin in plugins.items()}
    if not problems:  # else these would follow from them
        for value, plugin in plugins.items():
            problems += _unreached(value, plugin, hooks[value], points)
    return Package(
        name=points[0].package,
        version=points[0].version,
        origin=os.path.dirname(points[0].folder) or os.curdir,
        contract=next((written for point in points if (written := _contract(point, plugins)) is not None), None),
        provides=provides,
        hooks=tuple(name for name in loading.hooks() if any(name in names for names in hooks.values())),
        problems=tuple(dict.fromkeys(problems)),
    )


def _loaded(point: EntryPoint, foreign: Foreign) -> object:
    if point.group not in _groups():
        raise PluginError(f"there is no group {point.group}{loading.meant(point.group, _groups())}.")
    return foreign.plugin(point)


def _check(point: EntryPoint, plugin: object, foreign: Foreign) -> None:
    """Raise PluginError when a user would not get what an entry point promises."""
    if point.group in loading.PLUGIN_GROUPS:
        table = BUILT_IN[point.group][0]
        foreign.one(point.group, point.name, built_in=point.name in table)
    elif not set(loading.implemented(plugin)) & _telling():
        raise PluginError(f"{point.name!r} is an observer without a hook that tells it anything.")


def _unreached(value: str, plugin: object, hooks: Iterable[str], points: Sequence[EntryPoint]) -> list[str]:
    """Return what a plugin has and no entry point leads to, so that it is never asked for it."""
    faults = []
    leading = {point.group for point in points if point.value == value}
    for hook in hooks:
        group = next((sort.group for sort in loading.PLUGIN_GROUPS.values() if sort.hook == hook), loading.OBSERVERS)
        if group not in leading:
            faults.append(f"{hook} is never called: no entry point of the group {group} leads to {value}.")
    for sort in (loading.PLUGIN_GROUPS[group] for group in leading if group in loading.PLUGIN_GROUPS):
        named = {point.name for point in points if point.group == sort.group}
        for item in loading.provided(plugin, sort, points[0].package):
            name = getattr(item, sort.attribute)
            if name not in named:
                faults.append(f"{name!r} cannot be asked for: no entry point of the group {sort.group} is called so.")
    return faults


def _contract(point: EntryPoint, plugins: Mapping[str, object]) -> object:
    """Return the contract that a plugin names, also of one that is refused for it."""
    module = sys.modules.get(point.value.partition(":")[0].strip())
    try:
        with contained("looking for the contract"):
            return getattr(plugins.get(point.value), loading.DECLARATION, getattr(module, loading.DECLARATION, None))
    except PluginError:
        return None


def _groups() -> list[str]:
    return [*loading.PLUGIN_GROUPS, loading.OBSERVERS]


def _telling() -> set[str]:
    """Return the hooks of observers: those that are told something."""
    return {name for name, arguments in loading.hooks().items() if arguments}


def page(*, as_json: bool) -> tuple[str, int]:
    """Return a text about them all, and the exit code: 3 when one of them has a problem."""
    found = packages()
    code = PROBLEM if any(package.problems for package in found) else 0
    if as_json:
        return json.dumps({"contract": CONTRACT, "plugins": [_data(p) for p in found]}, indent=2) + "\n", code
    return "".join(f"{_text(package)}\n" for package in found), code


def _data(package: Package) -> dict[str, Any]:
    contract = package.contract if isinstance(package.contract, int) else None
    return {**package._asdict(), "contract": contract}


def _text(package: Package) -> str:
    """Return a package's lines: who it is, what it provides, its hooks, its problems."""
    contract = "no contract" if package.contract is None else f"contract {package.contract}"
    head = f"{f'{package.name} {package.version}'.rstrip()} ({package.origin}), {contract}"
    rows = [(group, ", ".join(names)) for group, names in package.provides.items()]
    rows += [("hooks", ", ".join(package.hooks) or "none"), *(("problem", text) for text in package.problems)]
    return "\n".join([escape_text(head), *(escape_text(f"  {term:<10}  {said}") for term, said in rows)])
