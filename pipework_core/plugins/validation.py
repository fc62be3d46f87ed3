"""What a third party's plugin is checked for before anything of it is used: its import, contract, hooks and names.

A plugin runs in our process with all rights of it. This protects nobody from a bad one: it explains what is wrong.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipework_core import CONTRACT
from pipework_core.model import driver
from pipework_core.model.errors import Interrupted, PluginError
from pipework_core.plugins import api, builtin, hookspecs
from pipework_core.plugins.lean_pluggy import pluggy
from pipework_core.spec import dhcp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipework_core.plugins.entry_points import EntryPoint

#: How a plugin says for which contract it was written.
DECLARATION = "pipework_contract"
_PAGE = "docs/plugins.md of pipework says how"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
#: What an object of a group must have.
_PROTOCOLS: Mapping[str, type] = {
    builtin.GROUP_BACKENDS: api.LinkBackend,
    builtin.GROUP_GUESTS: api.GuestResolver,
    builtin.GROUP_ADDRESSING: api.Addressing,
    builtin.GROUP_DRIVERS: driver.DriverKind,
    builtin.GROUP_CHECKS: api.Check,
}
#: What a name may be, and that in words. A kind and a method stand in tags, which hold letters and digits there. A
#: method must not be taken for the beginning of an IPv6 address, nor for another method with the 6 of that family.
_NAMES: Mapping[str, tuple[re.Pattern[str], str]] = {
    builtin.GROUP_BACKENDS: (re.compile(r"(?!mac$)[A-Za-z][A-Za-z0-9]*", re.ASCII), "letters and digits"),
    builtin.GROUP_ADDRESSING: (
        re.compile(dhcp.METHOD),
        "small letters and digits, of which one is no hex digit and the last is not 6",
    ),
}


def load_plugin(point: EntryPoint) -> object:
    """Import what an entry point leads to; raise PluginError for what cannot be, and for another contract."""
    who = _describe_point(point)
    module, _, attributes = (part.strip() for part in point.value.partition(":"))
    if not module:
        raise PluginError(f"{who} leads to no module.", hint=f"upgrade {point.package}; {_PAGE}")
    with explain_errors(f"{who} cannot be loaded: importing {module}"):
        plugin: object = import_module(module)
        for attribute in filter(None, attributes.split(".")):
            plugin = getattr(plugin, attribute)
    _check_contract(read_contract(plugin, module), point)
    return plugin


@contextmanager
def explain_refusal(plugin: object, point: EntryPoint) -> Iterator[None]:
    """Turn pluggy's refusal of one of its hooks into a PluginError that says what was probably meant."""
    try:
        yield
    except Exception as error:
        reason = _explain_refusal(plugin, error)
        raise PluginError(
            f"{_describe_point(point)} cannot be used: {reason}.", hint=f"upgrade {point.package}; {_PAGE}"
        ) from error


def read_contract(plugin: object, module: str) -> object:
    """Return the contract that a plugin, or the module that it is in, was written for; None when it says nothing."""
    return getattr(plugin, DECLARATION, getattr(sys.modules.get(module), DECLARATION, None))


def check_items(items: Iterable[Any], group: str, owner: str) -> None:
    """Raise PluginError for an object that lacks something, or has a name that its group does not allow."""
    hook, attribute = builtin.GROUPS[group]
    pattern, made_of = _NAMES.get(group, (_WORD, "letters, digits, - and _"))
    for item in items:
        name = getattr(item, attribute, None)
        missing = _find_missing(item, _PROTOCOLS[group])
        if missing:
            fault = f"{type(item).__name__} ({attribute} {name!r}) has no {missing}"
        elif not isinstance(name, str):
            fault = f"{type(item).__name__} has {attribute} = {name!r:.60}, where a string is due"
        elif not pattern.fullmatch(name):
            fault = f"{name!r} is no {attribute}, which is made of {made_of}"
        else:
            continue
        raise PluginError(f"{hook} of {owner} returned what cannot be used: {fault}.", hint=f"upgrade {owner}; {_PAGE}")


def _find_missing(item: object, protocol: type) -> str:
    """Return the base class, or the first attribute or method of a protocol, that an object lacks; empty: nothing.

    A link backend inherits everything but what makes the link: `create`, or a `plan` of its own.
    """
    if protocol is api.LinkBackend:
        if not isinstance(item, api.LinkBackend):
            return "base class LinkBackend"
        inherited = type(item).plan is api.LinkBackend.plan and type(item).create is api.LinkBackend.create
        return "method create" if inherited else ""
    if protocol is api.Check:
        if not isinstance(item, api.Check):
            return "base class Check"
        return "method judge" if type(item).judge is api.Check.judge else ""
    methods = (
        f"method {name}" for name in vars(protocol) if name[0] != "_" and not callable(getattr(item, name, None))
    )
    return next((name for name in protocol.__annotations__ if not hasattr(item, name)), "") or next(methods, "")


@contextmanager
def explain_errors(doing: str) -> Iterator[None]:
    """Turn what a third party's code raises into a PluginError that begins with `doing`; Ctrl-C stays what it is."""
    try:
        yield
    except (PluginError, Interrupted):
        raise
    except (Exception, SystemExit) as error:
        missing = isinstance(error, ModuleNotFoundError)
        hint = "install what that package needs, upgrade it, or uninstall it" if missing else "upgrade that package"
        raise PluginError(f"{doing} raised {describe_error(error)}", hint=f"{hint}; --debug shows where") from error


def describe_error(error: BaseException) -> str:
    """Return an error's class and the first line of its message."""
    name, text = type(error).__name__, str(error).partition("\n")[0]
    return f"{name}: {text}" if text else name


def list_hooks() -> dict[str, tuple[str, ...]]:
    """Return the names of all hooks, each with those of its arguments."""
    functions = {name: spec for name, spec in vars(hookspecs.Specs).items() if name.startswith(hookspecs.PREFIX)}
    return {name: spec.__code__.co_varnames[1 : spec.__code__.co_argcount] for name, spec in functions.items()}


def list_implemented(plugin: object) -> list[str]:
    """Return the names of the hooks that a plugin has, in the order of the specification."""
    return [name for name in list_hooks() if hasattr(getattr(plugin, name, None), hookspecs.MARK)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return what somebody who mistyped `word` probably meant, or all that there is, to end a sentence with."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for who mistyped

    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known) or 'none'}"


def _describe_point(point: EntryPoint) -> str:
    return f"the plugin {point.name!r} of {point.package} {point.version}".rstrip()


def _check_contract(written: object, point: EntryPoint) -> None:
    if written == CONTRACT:
        return
    package = f"{point.package} {point.version}".rstrip()
    if written is None:
        raise PluginError(
            f"{package} does not say for which contract of plugins it is written, and this pipework has {CONTRACT}.",
            hint=f"upgrade {point.package}; its authors write `{DECLARATION} = {CONTRACT}` into its module",
        )
    newer = isinstance(written, int) and written > CONTRACT
    raise PluginError(
        f"{package} is written for contract {written!r:.60} of plugins, and this pipework has {CONTRACT}.",
        hint=f"upgrade {'pipework' if newer else point.package}",
    )


def _explain_refusal(plugin: object, error: Exception) -> str:
    """Return what pluggy dislikes, and for a misspelt hook or argument what was probably meant."""
    hooks = list_hooks()
    for name in (name for name in dir(plugin) if name.startswith(hookspecs.PREFIX)):
        function = getattr(plugin, name)
        if not hasattr(function, hookspecs.MARK):
            continue
        if name not in hooks:
            return f"there is no hook {name}{did_you_mean(name, hooks)}"
        code = getattr(function, "__func__", function).__code__
        for argument in code.co_varnames[: code.co_argcount]:
            if argument not in {"self", *hooks[name]}:
                return f"{name} has no argument {argument!r}{did_you_mean(argument, hooks[name])}"
    return describe_error(error).rstrip(".") if not isinstance(error, pluggy.PluginValidationError) else str(error)
