"""What the methods of plugins must return, held against what a stranger's does return."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from pipework_core.model.context import Candidate, Replacement, RunningGuest, SharedResource
from pipework_core.model.driver import Driver, PinnedNetns, RunDriver
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Command, Netns, Outcome, Plan
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable


class Answer(Record):
    """What is not due, in words, and whether something is due; `aloud` is a method that may write to stdout."""

    meant: str
    holds: Callable[[object], bool]
    aloud: bool = False


def _all(items: object, sort: type, *, or_list: bool = False) -> bool:
    holds = isinstance(items, tuple) or (or_list and isinstance(items, list))
    return holds and all(isinstance(item, sort) for item in cast("tuple[object, ...]", items))


def _is_claim(answer: object) -> bool:
    return isinstance(answer, int) and 0 <= answer <= 3  # noqa: PLR2004 - Claim.EXACTLY


def _are_reads(answer: object) -> bool:
    return isinstance(answer, Mapping) and all(
        isinstance(key, str) and isinstance(command, Command) for key, command in answer.items()
    )


def _is_plan(answer: object) -> bool:
    if not isinstance(answer, Plan):
        return False
    commands = (answer.steps, answer.commit, answer.announce, answer.cleanup)
    return all(_all(items, Command) for items in commands) and all(
        _all(items, str) for items in (answer.notes, answer.warnings)
    )


def _is_clearing(answer: object) -> bool:
    return isinstance(answer, Replacement) and _is_plan(answer.before) and _is_plan(answer.after)


def _is_candidate(answer: object) -> bool:
    return isinstance(answer, Candidate) and isinstance(answer.netns, Netns | None)


def _are_running(answer: object) -> bool:
    running = cast("tuple[RunningGuest, ...]", answer)
    return _all(answer, RunningGuest, or_list=True) and all(_is_candidate(one.candidate) for one in running)


def _is_driver(answer: object) -> bool:
    from pipework_core.plugins import loading  # noqa: PLC0415 - brings inspect along, and is there with a stranger's driver

    return not any(loading.lacking(answer, protocol) for protocol in (Driver, RunDriver))


_PLAN = Answer("no plan of commands", _is_plan)
#: By the name of the method; what is not here may return anything.
DUE: Mapping[str, Answer] = {
    "claims": Answer("no claim", _is_claim),
    "reads": Answer("no mapping of commands", _are_reads),
    "mark": Answer("no mark", lambda answer: isinstance(answer, Tag)),
    "plan": _PLAN,
    "clear": Answer("no clearing", _is_clearing),
    "leftovers": Answer("no tuple of leftovers", lambda answer: _all(answer, SharedResource)),
    "remains": _PLAN,
    "release": _PLAN,
    "find": Answer("no candidate", lambda answer: answer is None or _is_candidate(answer)),
    "list": Answer("no list of running guests", _are_running),
    "open": Answer("no driver", _is_driver),
    "pin": Answer("no pin", lambda answer: isinstance(answer, PinnedNetns), aloud=True),
    "read": Answer("no list of outcomes", lambda answer: _all(answer, Outcome, or_list=True), aloud=True),
    "act": Answer("no list of outcomes", lambda answer: _all(answer, Outcome, or_list=True), aloud=True),
}
