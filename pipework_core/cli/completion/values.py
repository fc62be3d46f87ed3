"""What there is to fill in: interfaces, guests, methods, kinds, drivers, with a few words about each.

A name that a shell would have to quote is never offered: what stands on a command line after Tab is to be what it
looks like, and guests and their networks are called by others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from pipework_core.model import status
from pipework_core.plugins import builtin, entry_points
from pipework_core.spec.dhcp import CONTAINER_CLIENT, HOST_CLIENTS, SLAAC, find_method
from pipework_core.state import live_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipework_core.spec.options import Option

#: A word, and a few words about it.
Candidate: TypeAlias = "tuple[str, str]"

#: The values that options have.
_WORDS: Mapping[str, Iterable[str]] = {
    "kind": builtin.BACKENDS,
    "runtime": ("docker", "podman", "docker,podman"),
    "state": status.STATES,
}
_HARMLESS = r"(?a)[\w@%+=:,./][\w@%+=:,./-]*"


def list_words(name: str, current: str, environment: Mapping[str, str]) -> list[Candidate]:
    """Return what may be filled in for a name of a usage line; `current` is how the word begins."""
    makers: dict[str, Callable[[], Iterable[Candidate]]] = {
        "HOSTIF": lambda: _list_hostifs(current),
        "INTERFACE": _list_interfaces,
        "GUEST": lambda: _list_guests(current, environment),
        "ADDRESS": _list_methods,
        "COMMAND": _list_commands,
        "TOPIC": _list_topics,
    }
    return _leave_out_harmful(makers.get(name, tuple)())


def list_values(
    option: Option, operands: Sequence[str], current: str, environment: Mapping[str, str]
) -> list[Candidate]:
    """Return what may be the value of an option; `operands` are those before it."""
    if option.name == "driver":
        return [*((name, "") for name in builtin.DRIVERS if name != "ssh"), ("ssh://", "another machine")]
    words = _WORDS.get(option.name, ())
    if words:
        return [(word, "") for word in words]
    if option.name == "option":
        return _leave_out_harmful(_list_keys(operands))
    if option.value == "IF":
        return [(name, "the guest's interface") for name in ("eth1", "eth2", *builtin.INTERFACES.values())]
    if "|" in option.value:
        return [(word, "") for word in option.value.split("|")]
    return list_words(option.value, current, environment)


def list_machines(file: str, current: str, environment: Mapping[str, str]) -> list[Candidate]:
    """Return the machines of a topology file, after those that `current` has already; none of a file with errors."""
    from contextlib import suppress

    from pipework_core.cli.topology_file import HERE

    found: object = None
    with suppress(Exception):  # whatever is wrong is for the run to say
        import yaml

        with open(file or environment.get("PIPEWORK_FILE") or HERE, encoding="utf-8") as text:
            found = yaml.load(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506 - it makes texts alone
    machines = found.get("machines") if isinstance(found, dict) else None
    before, comma, _ = current.rpartition(",")
    given = set(before.split(","))
    names = [name for name in machines if name not in given] if isinstance(machines, dict) else []
    return _leave_out_harmful((f"{before}{comma}{name}", str(machines[name])) for name in names)  # type: ignore[index] # whatever a file holds there


def _leave_out_harmful(found: Iterable[Candidate]) -> list[Candidate]:
    return [(word, said) for word, said in found if re.fullmatch(_HARMLESS, word)]


def _list_hostifs(current: str) -> Iterator[Candidate]:
    names = live_names.list_interfaces()
    kind, colon, _ = current.partition(":")
    if colon:
        yield from ((f"{kind}:{name}", "") for name in names)
        return
    yield from _list_interfaces()
    yield from ((f"{kind}:", "kind") for kind in builtin.BACKENDS)


def _list_interfaces() -> Iterator[Candidate]:
    names = live_names.list_interfaces()
    yield from ((name, "bridge" if live_names.is_bridge(name) else "interface") for name in names if name != "lo")


def _list_guests(current: str, environment: Mapping[str, str]) -> Iterator[Candidate]:
    runtime, colon, _ = current.partition(":")
    for known, names in live_names.list_guests(environment).items():
        if not colon:
            yield from ((name, known) for name in names)
        elif known == runtime:
            yield from ((f"{known}:{name}", known) for name in names)
    if not colon and current:
        yield from ((f"{known}:", "") for known in builtin.GUESTS)


def _list_methods() -> Iterator[Candidate]:
    for client in HOST_CLIENTS:
        yield client, "an address by DHCP"
        yield f"{client}-f", "by DHCP; the client stays"
    yield CONTAINER_CLIENT, "by DHCP, from a container"
    yield SLAAC, "by IPv6 router advertisements"
    yield "0/0", "no address"
    yield from ((p.name, p.package) for p in entry_points.list_entry_points() if p.group == builtin.GROUP_ADDRESSING)


def _list_commands() -> Iterator[Candidate]:
    from pipework_core.spec.options import COMMANDS

    yield from ((name, "command") for name in COMMANDS)


def _list_topics() -> Iterator[Candidate]:
    from pipework_core.cli.manual.pages import TOPICS

    yield from ((name, "topic") for name in TOPICS)
    yield from ((name, "kind") for name in builtin.BACKENDS)


def _list_keys(operands: Sequence[str]) -> Iterator[Candidate]:
    """Yield the options of the kind that the operands mean, and of their method; none where no kind is meant yet."""
    from pipework_core.plugins.manager import PluginManager

    hosts = [word for word in operands if word != "attach"]
    kind = _guess_kind(hosts[0]) if hosts else ""
    plugins = PluginManager(warn=lambda _: None)
    if not plugins.has_backend(kind):
        return
    clients = {find_method(word) for word in hosts} & set(builtin.ADDRESSING)
    found = [plugins.find_backend(kind).options]
    found += [plugins.find_addressing(method).options for method in ("static", *sorted(clients))]
    for options in found:
        yield from ((f"{key}=", text) for key, text in options.items())


def _guess_kind(host: str) -> str:
    """Return the kind that HOSTIF most likely means; empty when it says nothing."""
    kind, colon, _ = host.partition(":")
    if colon:
        return kind
    if live_names.is_bridge(host):
        return "bridge"
    if host in live_names.list_interfaces():
        return "macvlan"
    return next(
        (kind for kind, claims in builtin.CLAIMS.items() if claims.prefix and host.startswith(claims.prefix)), ""
    )
