"""The commands: one module each, with what `CommandModule` says, named in the table `spec.options.COMMANDS`.

A command is imported when it is run, all of them for the manual, so a command imports what it works with in its `run`.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from pipework_core.model.records import Record
from pipework_core.spec.options import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.spec.options import ParsedArgs


class Settings(Record):
    """What the options say that many commands share. `argv` is the whole command line as it was typed.

    `machines` are names of machines of a topology file, and `file` is where to look for them (empty: the default).
    `variables` are the environment's that stand for options, by the options' names.
    """

    argv: tuple[str, ...] = ()
    verbose: bool = False
    quiet: bool = False
    json: bool = False
    dry_run: bool = False
    debug: bool = False
    driver: str = ""
    record: str = ""
    replay: str = ""
    machines: tuple[str, ...] = ()
    file: str = ""
    variables: Mapping[str, str] = MappingProxyType({})


class CommandModule(Protocol):
    """What the module of a command holds."""

    #: The lines that show its forms, without the word pipework: optional words in brackets, and names in capitals for
    #: what is to be filled in. Completion reads them as well.
    USAGE: Sequence[str]
    #: What the manual says about it: a term that begins with the command, and one sentence.
    HELP: Sequence[tuple[str, str]]
    #: The names of the options that it takes beside `spec.options.GENERAL`.
    OPTIONS: Sequence[str]

    #: A module may have EXAMPLES as well: command lines without the word pipework, each with a few words about it.

    def parse_request(self, args: ParsedArgs) -> Any:  # noqa: ANN401 - each command has a type of its own
        """Return what the words ask for; raise UsageError when they make no sense."""

    def run(self, request: Any, settings: Settings) -> int:  # noqa: ANN401 - as above
        """Do it, print what came of it, and return the exit code."""


def find_command(name: str) -> CommandModule:
    """Import the module of a command, which `name` must name."""
    return cast("CommandModule", import_module(f"{__name__}.{COMMANDS[name]}"))


def list_takers(option: str) -> list[str]:
    """Return the commands that take an option, in the order of the manual; all of them are imported."""
    return [name for name in COMMANDS if option in find_command(name).OPTIONS]


def list_examples_of(command: str) -> Sequence[tuple[str, str]]:
    """Return the examples of a command: a command line without the word pipework, and a few words about it.

    Of a module with several commands, those that begin with the command's word.
    """
    examples: Sequence[tuple[str, str]] = getattr(find_command(command), "EXAMPLES", ())
    return [pair for pair in examples if pair[0].split()[0] == command] or examples
