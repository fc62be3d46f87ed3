"""The pages: all of the command line, one command, one topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core import __version__
from pipework_core.cli.commands import find_command
from pipework_core.cli.manual import sections, words
from pipework_core.cli.manual.model import Page, Section
from pipework_core.model.errors import UsageError
from pipework_core.spec.options import COMMANDS, GENERAL, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipework_core.plugins.manager import PluginManager

#: The topics of `pipework help`, each with its section; the words of the usage lines are among them.
TOPICS: Mapping[str, Callable[[PluginManager], Section]] = {
    "commands": lambda _: sections.describe_commands(),
    "hostif": lambda _: sections.describe_words("HOSTIF", "where the link ends on the host", words.HOSTIF),
    "guest": sections.describe_guests,
    "address": sections.describe_addresses,
    "mac": lambda _: sections.describe_words("MAC AND VLAN", "", words.MAC),
    "kinds": sections.describe_kinds,
    "options": lambda _: sections.describe_options("OPTIONS", OPTIONS, "anywhere on the line; -- ends them"),
    "file": lambda _: sections.describe_file(),
    "exit-codes": lambda _: sections.describe_words("EXIT CODES", "", words.EXIT),
    "environment": lambda _: sections.describe_words("ENVIRONMENT", "", words.ENVIRONMENT),
    "examples": lambda _: sections.list_examples("EXAMPLES", list(COMMANDS)),
}
#: Other words for them.
ALIASES = {
    "addresses": "address",
    "dhcp": "address",
    "methods": "address",
    "guests": "guest",
    "vlan": "mac",
    "vid": "mac",
    "kind": "kinds",
    "backends": "kinds",
    "files": "file",
    "topology": "file",
    "option": "options",
}


def make_manual(plugins: PluginManager, broken: Sequence[str] = ()) -> Page:
    """Return all of the command line on one page. `broken` is where the warnings of `plugins` arrive.

    The kinds, guests and methods of third parties are on it, with the names of their packages.
    """
    usage = Section("USAGE", lines=tuple(sections.list_usage(sections.list_commands())))
    about = Section("WHAT IT DOES", text=words.ABOUT)
    listed = [describe(plugins) for describe in TOPICS.values()]
    if broken:
        listed.append(Section("PROBLEMS", text="Some of what is installed cannot be used: pipework plugins says why."))
    return Page(f"pipework {__version__}", words.SUMMARY, (usage, about, *listed))


def make_command_page(name: str) -> Page:
    """Return the page of a command, a key of `COMMANDS`."""
    module = find_command(name)
    usage = sections.list_usage([name])
    own = [option for option in OPTIONS if option.name in module.OPTIONS]
    general = [option for option in OPTIONS if option.name in GENERAL and option.name != "wait"]
    parts = [
        Section("USAGE", lines=tuple(usage)),
        Section("WHAT IT DOES", entries=sections.list_entries(name)),
        sections.describe_options("OPTIONS", own, takers=False),
        sections.describe_options("GENERAL OPTIONS", general, takers=False),
        sections.list_examples("EXAMPLES", [name]),
        Section("MORE", lines=tuple(_list_pointers(usage))),
    ]
    filled = tuple(part for part in parts if part.lines or part.entries)
    return Page(f"pipework {name}", "", filled)


def find_page(word: str, plugins: PluginManager) -> Page:
    """Return the page about a command, a topic, a kind, a method or an option; raise UsageError for none."""
    name = word if word in COMMANDS else f"--{word}"
    if name in COMMANDS:
        return make_command_page(name)
    bare = word.lstrip("-").lower()
    methods = {*sections.list_methods(plugins)}
    topic = "address" if bare in methods else ALIASES.get(bare, bare)
    if topic in TOPICS:
        return Page(f"pipework help {topic}", "", (TOPICS[topic](plugins),))
    kinds = sections.describe_kinds(plugins)
    found = tuple(entry for entry in kinds.entries if entry.term == bare)
    if found:
        return Page(f"pipework help {bare}", "", (kinds._replace(entries=found),))
    options = [option for option in OPTIONS if bare in {option.name, option.short.removeprefix("-")}]
    if options:
        return Page(f"pipework help {bare}", "", (sections.describe_options("OPTION", options),))
    raise _make_unknown_error(word, [*methods, *(entry.term for entry in kinds.entries)])


def _make_unknown_error(word: str, more: Sequence[str]) -> UsageError:
    from pipework_core.spec.suggest import find_close

    known = [*COMMANDS, *TOPICS, *ALIASES, *more, *(option.name for option in OPTIONS)]
    close = find_close(word.lower(), known)
    hint = f"did you mean pipework help {close.lstrip('-')}?" if close else f"the topics are {', '.join(TOPICS)}"
    return UsageError(f"there is no help about {word!r}.", hint=hint)


def _list_pointers(usage: Sequence[str]) -> list[str]:
    """Return where the words of these usage lines are explained."""
    text = " ".join(usage)
    named = [topic.upper() for topic in ("hostif", "guest", "address", "mac", "file") if topic.upper() in text]
    named += ["kinds"] if "HOSTIF" in named else []
    return [f"pipework help {topic}" for topic in named]
