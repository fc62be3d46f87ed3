"""The sections of the pages, made of the tables of commands, options and plugins."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from pipework_core.cli.commands import find_command, list_examples_of, list_takers
from pipework_core.cli.manual import words
from pipework_core.cli.manual.model import Entry, Section
from pipework_core.model.names import escape_text
from pipework_core.plugins.builtin import ADDRESSING, GUESTS
from pipework_core.spec.dhcp import CONTAINER_CLIENT, HOST_CLIENTS
from pipework_core.spec.options import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.plugins.manager import PluginManager
    from pipework_core.spec.options import Option


def list_commands() -> list[str]:
    """Return one command of each module: `route`, `rule` and `tc` have one together."""
    return list({module: name for name, module in reversed(COMMANDS.items())}.values())[::-1]


def list_usage(commands: Iterable[str]) -> list[str]:
    """Return the usage lines of these commands."""
    return [f"pipework {line}" for name in commands for line in find_command(name).USAGE]


def list_entries(command: str) -> tuple[Entry, ...]:
    """Return what is said about a command; of a module with several, what begins with the command's word."""
    entries = [Entry(term, text) for term, text in find_command(command).HELP]
    return tuple(entry for entry in entries if entry.term.split()[0] == command) or tuple(entries)


def describe_commands() -> Section:
    """Return the section about all commands."""
    entries = (Entry(*pair) for name in list_commands() for pair in find_command(name).HELP)
    return Section("COMMANDS", entries=tuple(entries))


def describe_words(title: str, about: str, pairs: Iterable[tuple[str, str]]) -> Section:
    """Return a section of terms that no table has."""
    return Section(title, about, entries=tuple(Entry(term, text) for term, text in pairs))


def describe_guests(plugins: PluginManager) -> Section:
    """Return the section about guests, with the runtimes that can be written before a colon, and those asked first."""
    others = [resolver.runtime for resolver in plugins.list_third_party_resolvers()]
    asked = [runtime for runtime in (*GUESTS, *others) if runtime != "pid"]
    filled = {
        "@RUNTIMES@": f"{', '.join(asked[:-1])} and {asked[-1]}",
        "@WORDS@": ", ".join(f"{runtime}:" for runtime in (*GUESTS, *others)),
    }
    return describe_words("GUEST", "who gets the interface", _fill_in(words.GUEST, filled))


def list_methods(plugins: PluginManager) -> list[str]:
    """Return the words that stand for an address from the network."""
    return [name for name in (*ADDRESSING, *plugins.list_methods()) if name != "static"]


def describe_addresses(plugins: PluginManager) -> Section:
    """Return the section about addresses, with the methods and what -o KEY=VALUE each knows."""
    method_of = {"IP/N": "static", "CLIENT[-f][:WORDS]": HOST_CLIENTS[0], "dhcp[:WORDS]": CONTAINER_CLIENT}
    entries = [
        Entry(term, text, _list_options(plugins.find_addressing(method_of[term]).options) if term in method_of else ())
        for term, text in _fill_in(words.ADDRESS, {"@CLIENTS@": ", ".join(HOST_CLIENTS)})
    ]
    names = sorted(plugins.list_methods())
    if names:
        entries.append(Entry("METHOD[:WORDS]", f"another way to get one, from a package: {', '.join(names)}"))
    return Section("ADDRESS", "with what -o KEY=VALUE each knows", entries=tuple(entries))


def describe_options(title: str, options: Iterable[Option], about: str = "", *, takers: bool = True) -> Section:
    """Return a section about options, with the commands that take each unless all do or `attach` alone."""
    entries = (Entry(_spell_option(option), _describe_option(option, takers=takers)) for option in options)
    return Section(title, about, entries=tuple(entries))


def describe_kinds(plugins: PluginManager) -> Section:
    """Return the section about every kind of link: what its class and its options say of themselves."""
    entries = []
    for backend in plugins.list_backends():
        package = plugins.find_package(backend)
        about = (inspect.getdoc(type(backend)) or "").partition("\n\n")[0].replace("`", "")
        text = f"{' '.join(about.split())}{f' (from {package})' if package else ''}"
        if backend.interface != "eth1":
            text += f" The guest's interface is {backend.interface} when -i is not given."
        entries.append(Entry(backend.kind, escape_text(text), _list_options(backend.options)))
    return Section("KINDS", "of links, with what -o KEY=VALUE each knows", entries=tuple(entries))


def describe_file() -> Section:
    """Return the section about topology files."""
    return Section("FILE", "of up, status and down", words.FILE, tuple(words.FILE_EXAMPLE.splitlines()))


def list_examples(title: str, commands: Sequence[str]) -> Section:
    """Return the examples of these commands."""
    pairs = (pair for name in commands for pair in list_examples_of(name))
    return Section(title, entries=tuple(Entry(f"pipework {line}", text) for line, text in pairs), wide=True)


def _fill_in(pairs: Iterable[tuple[str, str]], filled: Mapping[str, str]) -> list[tuple[str, str]]:
    done = []
    for term, text in pairs:
        for mark, said in filled.items():
            text = text.replace(mark, said)  # noqa: PLW2901 - one mark after the other
        done.append((term, text))
    return done


def _list_options(options: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((f"-o {escape_text(key)}=VALUE", escape_text(text)) for key, text in options.items())


def _spell_option(option: Option) -> str:
    short = f"{option.short}, " if option.short else ""
    return f"{short}{option.long}{' ' if option.value else ''}{option.value}"


def _describe_option(option: Option, *, takers: bool) -> str:
    found = list_takers(option.name) if takers else []
    return option.help if found in ([], ["attach"]) else f"{option.help} (with {', '.join(found)})"
