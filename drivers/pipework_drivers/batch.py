"""Coalescing: consecutive `ip` commands become one `ip -batch -`, consecutive `ovs-vsctl` one transaction.

`ip -batch` stops at the first line that fails and names it, so every line can be told from every other (iproute2,
lib/utils.c, do_batch). A transaction of `ovs-vsctl` is atomic: when it fails nothing was done, and its commands are
run again one by one to learn which of them it was.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from pipework_core.plan import OK, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.plan import Command, Netns

#: What the batch syntax would split, unquote, or take for a comment (iproute2, lib/utils.c, getcmdline and makeargs).
_UNSAFE = re.compile(r"[\s'\"#\\]")
_FAILED_LINE = re.compile(r"^Command failed -:(\d+)$", re.MULTILINE)


class Group(NamedTuple):
    """Commands that become one process: its argv and stdin. `commands` has one or more."""

    commands: tuple[Command, ...]
    argv: tuple[str, ...]
    stdin: str | None
    netns: Netns | None


def groups(commands: Sequence[Command]) -> list[Group]:
    """Return the processes for these commands, in order."""
    return [_group(key, tuple(members)) for key, members in groupby(_numbered(commands), key=lambda pair: pair[0])]


def _numbered(commands: Sequence[Command]) -> list[tuple[tuple[object, ...], Command]]:
    """Pair each command with a key that is equal for neighbours that may share a process."""
    return [(_key(command) or ("alone", number), command) for number, command in enumerate(commands)]


def _key(command: Command) -> tuple[object, ...] | None:
    if command.stdin is not None or command.ok_codes != OK or command.expect is not None or command.unless is not None:
        return None
    program, options, rest = command.argv[0], *_split_options(command.argv[1:])
    if program == "ip" and rest and all(token and not _UNSAFE.search(token) for token in rest):
        return ("ip", options, command.netns)
    if program == "ovs-vsctl" and rest:
        return ("ovs-vsctl", options, command.netns)
    return None


def _split_options(tokens: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a tool's global options, which lead, from its command."""
    count = next((i for i, token in enumerate(tokens) if not token.startswith("-")), len(tokens))
    return tokens[:count], tokens[count:]


def _group(key: tuple[object, ...], pairs: tuple[tuple[object, Command], ...]) -> Group:
    commands = tuple(command for _, command in pairs)
    first = commands[0]
    if len(commands) == 1:
        return Group(commands=commands, argv=first.argv, stdin=first.stdin, netns=first.netns)
    options = _split_options(first.argv[1:])[0]
    if key[0] == "ip":
        lines = "".join(" ".join(_split_options(c.argv[1:])[1]) + "\n" for c in commands)
        return Group(commands=commands, argv=("ip", *options, "-batch", "-"), stdin=lines, netns=first.netns)
    argv = ["ovs-vsctl", *options]
    for command in commands:
        argv += ["--", *_split_options(command.argv[1:])[1]]
    return Group(commands=commands, argv=tuple(argv), stdin=None, netns=first.netns)


def outcomes(group: Group, outcome: Outcome) -> list[Outcome]:
    """Return the outcomes of the commands of a group that were run, from that of its process.

    A failed batch whose report names no line counts as failed at its first command.
    """
    if len(group.commands) == 1:
        return [outcome]
    good = Outcome(code=0, asked=outcome.asked)
    if outcome.code == 0:
        return [good] * len(group.commands)
    named = _FAILED_LINE.search(outcome.stderr)
    before = int(named.group(1)) - 1 if named else 0
    message = _FAILED_LINE.sub("", outcome.stderr).strip()
    return [good] * before + [Outcome(code=outcome.code, stdout=outcome.stdout, stderr=message, asked=outcome.asked)]
