"""Threads of guests: one guest's work is done in order, the newest counts, and nobody waits for another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pipework_core.watch.worker import Workers

if TYPE_CHECKING:
    from pipework_core.engine.signals import Signals


def make() -> Workers:
    return Workers(lambda key, error: pytest.fail(f"{key}: {error}"))


def test_what_work_raises_is_told_and_the_next_is_done() -> None:
    told: list[str] = []
    workers, done = Workers(lambda key, error: told.append(f"{key}: {error}")), threading.Event()
    workers.submit("web", lambda _: {}["no"])
    assert workers.wait(5)
    workers.submit("web", lambda _: done.set())
    assert done.wait(5)
    assert told == ["web: 'no'"]


def test_one_guest_never_holds_up_another() -> None:
    workers, blocked, done = make(), threading.Event(), threading.Event()
    workers.submit("slow", lambda _: blocked.wait(10) and None)
    workers.submit("quick", lambda _: done.set())
    assert done.wait(5)
    blocked.set()
    assert workers.wait(5)


def test_only_the_newest_work_of_a_guest_counts_and_what_runs_is_told_to_stop() -> None:
    workers, begun, go_on = make(), threading.Event(), threading.Event()
    seen: list[str] = []

    def first(signals: Signals) -> None:
        begun.set()
        go_on.wait(5)
        seen.append(f"first, stopped: {signals.wanted}")

    workers.submit("web", first)
    assert begun.wait(5)
    workers.submit("web", lambda _: seen.append("second"))
    workers.submit("web", lambda signals: seen.append(f"third, stopped: {signals.wanted}"))
    go_on.set()
    assert workers.wait(5)
    assert seen == ["first, stopped: True", "third, stopped: False"]


def test_work_that_is_not_to_be_interrupted_is_done_before_the_next() -> None:
    workers, begun, go_on = make(), threading.Event(), threading.Event()
    seen: list[str] = []

    def first(signals: Signals) -> None:
        begun.set()
        go_on.wait(5)
        seen.append(f"first, stopped: {signals.wanted}")

    workers.submit("garbage", first)
    assert begun.wait(5)
    for number in range(3):
        workers.submit("garbage", lambda _, number=number: seen.append(f"{number}"), interrupt=False)
    go_on.set()
    assert workers.wait(5)
    assert seen == ["first, stopped: False", "2"]


def test_what_is_cancelled_is_forgotten() -> None:
    workers, begun, go_on = make(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def first(signals: Signals) -> None:
        begun.set()
        go_on.wait(5)
        seen.append(signals.wanted)

    workers.submit("web", first)
    assert begun.wait(5)
    workers.submit("web", lambda _: seen.append(False))
    workers.cancel("web")
    go_on.set()
    assert workers.wait(5)
    assert seen == [True]


def test_no_thread_is_left_and_closing_takes_no_more() -> None:
    workers, before = make(), threading.active_count()
    for number in range(50):
        workers.submit(str(number), lambda _: None)
    assert workers.wait(5)
    assert workers.close(5)
    workers.submit("late", lambda _: None)
    assert workers.wait(0)
    for thread in threading.enumerate():
        if thread.name.startswith("guest "):
            thread.join(5)
    assert threading.active_count() == before
