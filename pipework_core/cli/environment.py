"""Options whose values may stand in the environment (`Option.env`). One on the command line wins."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.spec.options import OPTIONS, REACHING_COMMANDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pipework_core.spec.options import ParsedArgs

#: What the environment does not say of a command (empty: of any), and the option that it would contradict.
_YIELDS = (("", "driver", "replay"), ("", "driver", "machine"), ("graph", "driver", "file"))
#: Without a file, this command looks at the host.
_NEVER = ("graph", "file")


def find_variables(args: ParsedArgs, taken: Collection[str]) -> dict[str, str]:
    """Return the variables that count for a command that takes these options, by the names of their options.

    An empty one is not set.
    """
    return {
        option.name: option.env
        for option in OPTIONS
        if option.env
        and option.name in taken
        and not args.has(option.name)
        and (args.command, option.name) != _NEVER
        and (option.name != "file" or args.command not in REACHING_COMMANDS or args.has("machine"))
        and not _contradicts(args, option.name)
        and os.environ.get(option.env)
    }


def _contradicts(args: ParsedArgs, name: str) -> bool:
    return any(
        command in {"", args.command} and option == name and args.has(given) for command, option, given in _YIELDS
    )


def add_values(args: ParsedArgs, variables: Mapping[str, str]) -> ParsedArgs:
    """Return the words with the options that these variables stand for."""
    added = {option: [os.environ[variable]] for option, variable in variables.items()}
    return args._replace(values={**args.values, **added})


@contextmanager
def blame_variable(variables: Mapping[str, str], option: str) -> Iterator[None]:
    """Let a UsageError of the block say that the value of the option comes from a variable, if it does."""
    try:
        yield
    except UsageError as error:
        variable = variables.get(option)
        if variable is None:
            raise
        message = f"{variable}={os.environ[variable]} is wrong: {error}"
        raise UsageError(message, hint=error.hint) from None


def describe_variables(variables: Mapping[str, str]) -> list[str]:
    """Return a note for each variable that counted, for an error whose reason it may be."""
    return [f"{variable}={os.environ[variable]} stands for --{option}" for option, variable in variables.items()]
