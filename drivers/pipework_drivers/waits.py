"""Waiting for a database: plans that wait for the same program do so in one process, and each learns how it went.

`ovs-vsctl wait-until` (ovs-vsctl(8)) takes several conditions, and does not say which it waited for in vain: that is
asked after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipework_core.model.plan import Command, Outcome
from pipework_core.model.records import Record
from pipework_drivers.batch import TRANSACTORS, split_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_VERB, _WORDS = "wait-until", 4
_TIMEOUT = "--timeout="


class JointWait(Record):
    """Lists that wait together, by their numbers: what they wait with, and the question which have what they want."""

    numbers: tuple[int, ...]
    command: Command
    question: Command
    wanted: tuple[str, ...]


class _Applier(Protocol):
    """The part of a driver that this takes."""

    def read(self, commands: Sequence[Command]) -> list[Outcome]: ...

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]: ...


def find_joint_waits(lists: Sequence[Sequence[Command]]) -> list[JointWait]:
    """Return the waits that two or more lists have in common, each of which is nothing but such a wait."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, commands in enumerate(lists):
        if len(commands) == 1 and _can_share(commands[0]):
            options = split_options(commands[0])[0]
            key = (commands[0].argv[0], *(word for word in options if not word.startswith(_TIMEOUT)))
            groups.setdefault(key, []).append(number)
    return [
        _join_waits(key, numbers, [lists[number][0] for number in numbers])
        for key, numbers in groups.items()
        if len(numbers) > 1
    ]


def apply_jointly(
    driver: _Applier,
    lists: Sequence[Sequence[Command]],
    joint: Sequence[JointWait],
    stop: Callable[[], bool],
) -> list[list[Outcome]]:
    """Apply lists of which some wait together; return the outcomes of each list as if it had waited alone."""
    waiting = {number for wait in joint for number in wait.numbers}
    alone = [number for number in range(len(lists)) if number not in waiting]
    outcomes = driver.apply([*(lists[number] for number in alone), *([wait.command] for wait in joint)], stop=stop)
    found = dict(zip(alone, outcomes, strict=False))
    for wait, answer in zip(joint, outcomes[len(alone) :], strict=True):
        found |= zip(wait.numbers, _share_outcome(driver, wait, answer, stop), strict=True)
    return [found[number] for number in range(len(lists))]


def _share_outcome(
    driver: _Applier, wait: JointWait, answer: list[Outcome], stop: Callable[[], bool]
) -> Iterable[list[Outcome]]:
    if not answer or answer[0].code == 0 or stop():
        return [answer] * len(wait.numbers)
    told = driver.read([wait.question])[0]
    lines = [line.strip().strip('"') for line in told.stdout.splitlines()]
    if told.code != 0 or len(lines) != len(wait.wanted):
        return [answer] * len(wait.numbers)
    good = [answer[0]._replace(code=0, stderr="")]
    return [good if line == value else answer for line, value in zip(lines, wait.wanted, strict=True)]


def _can_share(command: Command) -> bool:
    """Whether it is a wait of a program that takes several: `wait-until TABLE RECORD COLUMN=VALUE`."""
    words = split_options(command)[1] if command.argv[0] in TRANSACTORS and command.timeout else ()
    return len(words) == _WORDS and words[0] == _VERB and "=" in words[-1] and command.netns is None


def _join_waits(key: tuple[str, ...], numbers: Sequence[int], commands: Sequence[Command]) -> JointWait:
    words = [split_options(command)[1] for command in commands]
    conditions = [condition.partition("=") for *_, condition in words]
    longest = max(command.timeout for command in commands)
    limit = f"{_TIMEOUT}{longest:g}"
    asked = zip(words, conditions, strict=True)
    questions = [("--", "--if-exists", "get", table, row, column) for (_, table, row, _), (column, *_) in asked]
    return JointWait(
        numbers=tuple(numbers),
        command=Command(
            argv=(*key, limit, *(word for found in words for word in ("--", *found))),
            timeout=longest,
            reason=f"{commands[0].reason} and {len(commands) - 1} more",
        ),
        question=Command(
            argv=(*key, f"{_TIMEOUT}5", *(word for question in questions for word in question)),
            ok_codes=frozenset(range(-64, 256)),
            reason="see which of them are as they should be",
        ),
        wanted=tuple(value for *_, value in conditions),
    )
