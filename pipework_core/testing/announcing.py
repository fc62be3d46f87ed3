"""Saying loudly what tests could not show here: a skip that the end of the run lists, or a failure where asked for.

With `PIPEWORK_LAB=required` in the environment, what is missing fails the test: a run that must show everything.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.errors import PipeworkError

#: The variable, and its value that turns what is missing into a failure.
VARIABLE, REQUIRED = "PIPEWORK_LAB", "required"
#: How every such skip begins, for the list.
MISSING = "missing part of the lab: "
#: How a skip begins that its author has given a reason for, and which is never a failure.
ELSEWHERE = "not run live: "


def announce_missing(what: str) -> NoReturn:
    """End the test because this machine lacks something: skip it loudly, or fail it where everything is required."""
    if os.environ.get(VARIABLE) == REQUIRED:
        pytest.fail(f"{MISSING}{what}", pytrace=False)
    pytest.skip(f"{MISSING}{what}")


def missing_for(error: PipeworkError) -> NoReturn:
    """End the test as `missing` does, for the reason and with the way out that an error names."""
    announce_missing(f"{error} ({error.hint})" if error.hint else str(error))


def announce_elsewhere(reason: str) -> NoReturn:
    """Skip a live test for a reason that its author gives; the end of the run lists it."""
    pytest.skip(f"{ELSEWHERE}{reason}")


def summarize_announcements(terminal: pytest.TerminalReporter) -> None:
    """List each thing that was missing once, with the number of tests it cost; serves `pytest_terminal_summary`."""
    reports = [
        *terminal.getreports("skipped"),
        *terminal.getreports("failed"),
        *terminal.getreports("error"),
    ]
    for begins, title in ((MISSING, "missing parts of the lab"), (ELSEWHERE, "not run live")):
        lost = _count_texts((report.longreprtext for report in reports), begins)
        if lost:
            terminal.section(title, sep="=", red=True, bold=True)
            for words, tests in sorted(lost.items()):
                terminal.write_line(f"{words} - {tests} tests did not run", red=True)


def _count_texts(texts: Iterable[str], begins: str) -> dict[str, int]:
    lost: dict[str, int] = {}
    for text in texts:
        _, found, reason = text.partition(begins)
        if found:
            words = reason.splitlines()[0].rstrip("')\"")
            lost[words] = lost.get(words, 0) + 1
    return lost
