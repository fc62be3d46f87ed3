"""Which recorded call is nearest to one that was not recorded, and what differs between the two."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pipework_drivers.fd_paths import split_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_drivers.replay.cassette import RecordedCall


def find_nearest(asked: RecordedCall, recorded: Iterable[tuple[int, RecordedCall]]) -> tuple[int, RecordedCall] | None:
    """Return the call, with its number, that has most in common with `asked`; of two alike the earlier one."""
    return max(recorded, key=lambda pair: (_rate_likeness(asked, pair[1]), -pair[0]), default=None)


def list_differences(recorded: RecordedCall, asked: RecordedCall) -> list[str]:
    """Say field by field what differs; among words, `[-recorded-]` and `{+asked+}` mark those that do."""
    found = []
    if recorded.kind != asked.kind:
        found.append(f"kind: [-{recorded.kind}-]{{+{asked.kind}+}}")
    if recorded.subject != asked.subject:
        found.append(f"name: [-{recorded.subject}-]{{+{asked.subject}+}}")
    if recorded.argv != asked.argv:
        found.append(f"command: {mark_words(recorded.argv, asked.argv)}")
    if recorded.netns != asked.netns:
        found.append(f"netns: [-{recorded.netns or 'the host'}-]{{+{asked.netns or 'the host'}+}}")
    if recorded.stdin != asked.stdin:
        words = mark_words(split_words(recorded.stdin), split_words(asked.stdin))
        found.append(f"stdin: {words or 'empty here, none there'}")
    return found


def mark_words(before: Sequence[str], after: Sequence[str]) -> str:
    """Return the words of both, with those of one alone marked, as `git diff --word-diff` does."""
    parts: list[str] = []
    for what, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            parts += before[i:j]
            continue
        gone, come = " ".join(before[i:j]), " ".join(after[k:m])
        parts.append((f"[-{gone}-]" if gone else "") + (f"{{+{come}+}}" if come else ""))
    return " ".join(parts)


def _rate_likeness(one: RecordedCall, other: RecordedCall) -> float:
    if one.question == other.question:
        return 9.0
    words = SequenceMatcher(None, _all_words(one), _all_words(other), autojunk=False).ratio()
    # Kind and namespace only decide between commands that have about the same words.
    return words + (one.kind == other.kind) / 5 + (one.netns == other.netns) / 5


def _all_words(call: RecordedCall) -> list[str]:
    return [call.subject, *call.argv, *split_words(call.stdin)]
