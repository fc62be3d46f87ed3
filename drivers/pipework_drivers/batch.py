"""Coalescing: consecutive `ip` commands become one `ip -batch -`, those of `ovs-vsctl` or `ovn-nbctl` one transaction.

`ip -batch` stops at the first line that fails and names it, so every line can be told from every other (iproute2,
lib/utils.c, do_batch). A transaction of `ovs-vsctl` or `ovn-nbctl` is atomic: when it fails nothing was done, and its
commands are run again one by one to learn which of them it was. Questions share a process, too: `get`, which answers
each with one line (ovs-vsctl(8)), and `find`, where nothing is to be found by any of them.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from pipework_core.model.driver import cut_short, has_succeeded
from pipework_core.model.plan import OK, Outcome
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.model.plan import Command, Netns

#: What the batch syntax would split, unquote, or take for a comment (iproute2, lib/utils.c, getcmdline and makeargs).
_UNSAFE = re.compile(r"[\s'\"#\\]")
#: Words a line may have; iproute2 stops at 100 in older versions (lib/utils.c, do_batch).
_WORDS_MAX = 90
#: Options of `ip` that stand for the whole batch and take no value; a command with any other runs alone.
_IP_OPTIONS = frozenset({"-4", "-6"})
#: The programs that take several commands for one transaction.
TRANSACTORS = frozenset({"ovs-vsctl", "ovn-nbctl"})
#: What makes a change unless it is made: of neighbours that are the same, one is enough.
_DATABASE_CLIENT = "ovsdb-client"
#: Their own options (ovs-vsctl(8), ovn-nbctl(8)); others in front of a command, such as --may-exist, are the command's.
_OVS_OPTION = r"(?s)--(timeout|db|private-key|certificate|ca-cert)=.*|--no-wait|--bare"
#: Commands of a transaction that a busy switch has done within a second; on an idle machine it is ten times as many.
_IN_A_SECOND = 20
_FAILED_LINE = r"(?m)^Command failed -:(\d+)$"


class Group(Record):
    """Commands that become one process: its argv and stdin. `commands` has one or more."""

    commands: tuple[Command, ...]
    argv: tuple[str, ...]
    stdin: str | None
    netns: Netns | None


def group_commands(commands: Sequence[Command]) -> list[Group]:
    """Return the processes for these commands, in order."""
    return [
        _make_group(key, tuple(members))
        for key, members in groupby(_pair_with_keys(commands), key=lambda pair: pair[0])
    ]


def _pair_with_keys(commands: Sequence[Command]) -> list[tuple[tuple[object, ...], Command]]:
    """Pair each command with a key that is equal for neighbours that may share a process."""
    return [(_make_key(command) or ("alone", number), command) for number, command in enumerate(commands)]


def _make_key(command: Command) -> tuple[object, ...] | None:
    program = command.argv[0]
    if command.stdin is not None or command.guard is not None or command.timeout:
        return None
    if command.ok_codes != OK and (program not in TRANSACTORS or 0 not in command.ok_codes):
        return None
    options, words = split_options(command)
    if not words or (program == "ip" and not _fits_a_line(words)):
        return None
    asks = _find_question(command, words)
    if command.expect is not None and not asks:
        return None
    if program == _DATABASE_CLIENT:
        return (program, command.argv, command.netns)
    key = (program, options, command.netns, asks, command.ok_codes)
    return key if program == "ip" or program in TRANSACTORS else None


def _find_question(command: Command, words: tuple[str, ...]) -> str:
    """Return `get` or `find` for a question that can share a process; empty for anything else."""
    if command.argv[0] not in TRANSACTORS or command.expect is None:
        return ""
    if words[0] == "get" and "--" not in words:
        return "get"
    return "find" if command.expect == "" and "find" in words else ""


def _fits_a_line(words: tuple[str, ...]) -> bool:
    if len(words) > _WORDS_MAX or words[0].startswith("-"):
        return False
    return all(word and not _UNSAFE.search(word) for word in words)


def split_options(command: Command) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split what is said to the tool itself, in front, from what can stand beside other commands."""
    program, *words = command.argv
    transacts = program in TRANSACTORS
    count = 0
    while count < len(words) and (
        re.fullmatch(_OVS_OPTION, words[count]) if transacts else words[count] in _IP_OPTIONS
    ):
        count += 1
    options, rest = tuple(words[:count]), tuple(words[count:])
    return options, rest[1:] if transacts and rest[:1] == ("--",) else rest


def _make_group(key: tuple[object, ...], pairs: tuple[tuple[object, Command], ...]) -> Group:
    commands = tuple(command for _, command in pairs)
    first = commands[0]
    if len(commands) == 1 or key[0] == _DATABASE_CLIENT:
        return Group(commands=commands, argv=first.argv, stdin=first.stdin, netns=first.netns)
    options = split_options(first)[0]
    if key[0] == "ip":
        lines = "".join(" ".join(split_options(command)[1]) + "\n" for command in commands)
        return Group(commands=commands, argv=("ip", *options, "-batch", "-"), stdin=lines, netns=first.netns)
    argv = [first.argv[0], *(_extend_timeout(option, len(commands)) for option in options)]
    for command in commands:
        argv += ["--", *split_options(command)[1]]
    return Group(commands=commands, argv=tuple(argv), stdin=None, netns=first.netns)


def _extend_timeout(option: str, commands: int) -> str:
    """Give a transaction of many commands more time: the switch sets up one port after the other."""
    name, _, seconds = option.partition("=")
    return f"{name}={int(seconds) + commands // _IN_A_SECOND}" if name == "--timeout" and seconds.isdigit() else option


def has_failed_whole(group: Group, outcome: Outcome) -> bool:
    """Whether a group failed as a whole: it was one transaction, nothing is done, and who failed is still to learn."""
    if group.commands[0].expect == "" and outcome.stdout.strip() and len(group.commands) > 1:
        return True  # which question found it, the answer does not say
    may_be_done = outcome.code == 0 or cut_short(outcome)
    return not may_be_done and group.argv[0] != "ip" and len(group.commands) > 1


def split_outcome(group: Group, outcome: Outcome) -> list[Outcome]:
    """Return the outcomes of the commands of a group that were run, from that of its process.

    A failed batch whose report names no line counts as failed at its first command: the tool was not even started. One
    that was cut short counts as cut short at its last, since all of it may have been done.
    """
    if len(group.commands) == 1:
        return [outcome]
    good = Outcome(code=0, asked=outcome.asked)
    if outcome.code == 0 and group.commands[0].expect:
        return _split_answers(group, outcome)
    if outcome.code == 0:
        return [good] * len(group.commands)
    if cut_short(outcome):
        return [good] * (len(group.commands) - 1) + [outcome]
    # The last of them is the tool's own: what it printed before may quote anything.
    named = re.findall(_FAILED_LINE, outcome.stderr)
    before = min(int(named[-1]), len(group.commands)) - 1 if named else 0
    message = re.sub(_FAILED_LINE, "", outcome.stderr).strip()
    return [good] * before + [outcome._replace(stderr=message)]


def _split_answers(group: Group, outcome: Outcome) -> list[Outcome]:
    """Return the answer to each question up to the first that is not as expected.

    All of what was said is the answer to the first where lines and questions do not match.
    """
    lines = outcome.stdout.splitlines(keepends=True)
    told = lines if len(lines) == len(group.commands) else [outcome.stdout]
    found: list[Outcome] = []
    for command, line in zip(group.commands, told, strict=False):
        found.append(outcome._replace(stdout=line))
        if not has_succeeded(command, found[-1]):
            break
    return found
