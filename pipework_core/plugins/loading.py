"""Loading plugins: imported with limits, and held against the contract before anything of them is used."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from importlib import import_module
from inspect import Parameter, isroutine, signature
from typing import TYPE_CHECKING, Any

from pipework_core import CONTRACT
from pipework_core.model import driver
from pipework_core.model.errors import PluginError
from pipework_core.model.records import Record
from pipework_core.plugins import api
from pipework_core.plugins.contained import contained, shown
from pipework_core.plugins.hookspecs import PROJECT, Specs
from pipework_core.spec import dhcp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_core.plugins.entry_points import EntryPoint

#: How a plugin says for which contract it was written.
DECLARATION = "pipework_contract"
_PREFIX = "pipework_"
_PAGE = "docs/plugins.md of pipework says how"


class PluginGroup(Record):
    """What can be provided: in which group, by which hook; the attribute with its name, and what a name may be."""

    group: str
    hook: str
    attribute: str
    protocol: type
    names: re.Pattern[str]
    meant: str
    reserved: frozenset[str] = frozenset()


#: A kind and a method stand in marks (`tags.py`), which hold letters and digits there. A method must not be taken for
#: the beginning of an IPv6 address, nor for another method with the 6 that marks have for that family behind it.
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*", re.ASCII)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_OF_METHODS = "small letters and digits, of which one is no hex digit and the last is not 6"
PLUGIN_GROUPS: Mapping[str, PluginGroup] = {
    sort.group: sort
    for sort in (
        PluginGroup(
            group="pipework.backends",
            hook="pipework_backends",
            attribute="kind",
            protocol=api.Backend,
            names=_KIND,
            meant="letters and digits",
            reserved=frozenset({"mac"}),
        ),
        PluginGroup(
            group="pipework.guests",
            hook="pipework_guest_resolvers",
            attribute="runtime",
            protocol=api.GuestResolver,
            names=_WORD,
            meant="letters, digits, - and _",
        ),
        PluginGroup(
            group="pipework.addressing",
            hook="pipework_addressing",
            attribute="method",
            protocol=api.Addressing,
            names=dhcp.METHOD,
            meant=_OF_METHODS,
        ),
        PluginGroup(
            group="pipework.drivers",
            hook="pipework_drivers",
            attribute="name",
            protocol=driver.DriverKind,
            names=_WORD,
            meant="letters, digits, - and _",
        ),
    )
}
OBSERVERS = "pipework.observers"


def hooks() -> dict[str, tuple[str, ...]]:
    """Return the names of all hooks, each with those of its arguments."""
    return {
        name: tuple(signature(spec).parameters)[1:]
        for name, spec in vars(Specs).items()
        if name.startswith(_PREFIX) and isroutine(spec)
    }


def load(point: EntryPoint) -> object:
    """Import what an entry point leads to; raise PluginError, in one sentence, for what cannot be used."""
    who = f"the plugin {point.name!r} of {point.package} {point.version}".rstrip()
    module, _, attributes = (part.strip() for part in point.value.partition(":"))
    if not module:
        raise PluginError(f"{who} leads to no module.", hint=f"upgrade {point.package}; {_PAGE}")
    with contained(f"{who} cannot be loaded: importing {module}"):
        plugin: object = import_module(module)
        for attribute in filter(None, attributes.split(".")):
            plugin = getattr(plugin, attribute)
    with contained(f"{who} cannot be loaded: looking at its hooks"):
        written = getattr(plugin, DECLARATION, getattr(sys.modules.get(module), DECLARATION, None))
    _check_contract(written, point)
    with contained(f"{who} cannot be loaded: looking at its hooks"):
        faults = faults_of_hooks(plugin)
    if faults:
        raise PluginError(f"{who} cannot be used: {faults[0]}.", hint=f"upgrade {point.package}; {_PAGE}")
    return plugin


def _check_contract(written: object, point: EntryPoint) -> None:
    package = f"{point.package} {point.version}".rstrip()
    number = written if type(written) is int else None  # no bool, and nothing whose comparing is the stranger's code
    if number == CONTRACT:
        return
    if written is None:
        raise PluginError(
            f"{package} does not say for which contract of plugins it is written, and this pipework has {CONTRACT}.",
            hint=f"upgrade {point.package}; its authors write `{DECLARATION} = {CONTRACT}` into its module",
        )
    newer = number is not None and number > CONTRACT
    raise PluginError(
        f"{package} is written for contract {shown(written)} of plugins, and this pipework has {CONTRACT}.",
        hint=f"upgrade {'pipework' if newer else point.package}",
    )


def implemented(plugin: object) -> list[str]:
    """Return the names of the hooks that a plugin has, in the order of the specification."""
    return [name for name in hooks() if _options(getattr(plugin, name, None)) is not None]


def faults_of_hooks(plugin: object) -> list[str]:
    """Return what is wrong with a plugin's hooks: a name or an argument that does not exist, no `hookimpl`."""
    known = hooks()
    faults: list[str] = []
    for name in dir(plugin):
        function = getattr(plugin, name, None)
        if not name.startswith(_PREFIX) or not isroutine(function):
            continue
        options = _options(function)
        if name not in known:
            if not (options or {}).get("optionalhook"):
                faults.append(f"there is no hook {name}{meant(name, known)}")
        elif options is None:
            faults.append(f"{name} is not marked with hookimpl")
        else:
            faults += [
                f"{name} has no argument {argument!r}{meant(argument, known[name])}"
                for argument in signature(function).parameters
                if argument not in known[name]
            ]
    return faults


def _options(function: object) -> Mapping[str, Any] | None:
    """Return what `hookimpl` noted on a function; None when it is not marked."""
    found: Mapping[str, Any] | None = getattr(function, f"{PROJECT}_impl", None)
    return found


def meant(word: str, known: Iterable[str]) -> str:
    """Return what somebody who mistyped `word` probably meant, or all that there is, to end a sentence with."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for who mistyped

    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known) or 'none'}"


def provided(plugin: object, sort: PluginGroup, owner: str) -> list[Any]:
    """Return what a plugin registers by a hook; raise PluginError for what is not as the contract says."""
    function = getattr(plugin, sort.hook, None)
    if function is None:
        return []
    doing = f"{sort.hook} of {owner}"
    with contained(doing):
        items = function()
        if not isinstance(items, (str, bytes, Mapping)) and hasattr(items, "__iter__"):
            items = list(items)  # a generator runs here
    if not isinstance(items, list):
        raise PluginError(f"{doing} returned {shown(items)}, which is no list.", hint=f"upgrade that package; {_PAGE}")
    for item in items:
        with contained(f"{doing}: looking at {type(item).__name__}"):
            faults = faults_of(item, sort)
        if faults:
            raise PluginError(
                f"{doing} returned what cannot be used: {faults[0]}.", hint=f"upgrade that package; {_PAGE}"
            )
    return items


def faults_of(item: object, sort: PluginGroup) -> list[str]:
    """Return what an object lacks of what the contract asks for; nothing when it can be used."""
    name = getattr(item, sort.attribute, None)
    who = f"{type(item).__name__}" + (f" ({sort.attribute} {name!r})" if isinstance(name, str) else "")
    faults = [f"{who} has {fault}" for fault in lacking(item, sort.protocol)]
    if isinstance(name, str) and (not sort.names.fullmatch(name) or name in sort.reserved):
        faults.append(f"{name!r} is no {sort.attribute}, which is made of {sort.meant}")
    return faults


def lacking(item: object, protocol: type) -> list[str]:
    """Hold an object against a protocol: attributes of these types, methods that take these arguments."""
    faults: list[str] = []
    for name, kind in protocol.__annotations__.items():
        if not hasattr(item, name):
            faults.append(f"no {name}")
        elif not _is(getattr(item, name), kind):
            faults.append(f"{name} = {shown(getattr(item, name))}, where {_KINDS[kind]} is due")
    for name, method in vars(protocol).items():
        if name.startswith("_") or not isroutine(method):
            continue
        arguments = list(signature(method).parameters.values())[1:]
        found = getattr(item, name, None)
        if not callable(found):
            faults.append(f"no method {name}")
        elif not _takes(found, arguments):
            faults.append(f"a method {name} that does not take ({', '.join(argument.name for argument in arguments)})")
    return faults


#: The types that attributes of protocols have, as they are written there, and in words.
_KINDS = {"str": "a string", "Mapping[str, str]": "a mapping of strings", "tuple[str, ...]": "a tuple of strings"}


def _is(value: object, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, str)
    if kind == "tuple[str, ...]":
        return isinstance(value, tuple) and all(isinstance(word, str) for word in value)
    return isinstance(value, Mapping) and all(isinstance(word, str) for pair in value.items() for word in pair)


def _takes(method: Any, arguments: Sequence[Parameter]) -> bool:  # noqa: ANN401 - whatever a stranger has there
    named = {argument.name: argument for argument in arguments if argument.kind is Parameter.KEYWORD_ONLY}
    try:
        signature(method).bind(*(argument for argument in arguments if argument.name not in named), **named)
    except (TypeError, ValueError):
        return False
    return True
