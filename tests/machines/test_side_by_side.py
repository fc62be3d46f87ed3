"""Work on many machines at once: what comes of each, and what a signal waits for."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.signals import Signals
from pipework_core.machines.side_by_side import run_side_by_side
from pipework_core.model.errors import HostError, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("host1", "host2", "host3")


def fail() -> str:
    raise HostError("it is gone.")


def when(event: Event, do: Callable[[], None]) -> Thread:
    """Do something in a thread when the event has come."""

    def wait() -> None:
        event.wait(10)
        do()

    thread = Thread(target=wait)
    thread.start()
    return thread


def test_each_has_its_outcome_in_the_order_of_the_file() -> None:
    first = Event()

    def wait_for_last() -> str:
        assert first.wait(10)
        return "one"

    def come_first() -> str:
        first.set()
        return "three"

    found = run_side_by_side({"host1": wait_for_last, "host2": fail, "host3": come_first}, signals=Signals())
    assert (list(found), found["host1"], found["host3"]) == (list(NAMES), "one", "three")
    assert str(found["host2"]) == "it is gone."


def test_no_more_than_the_width_run_at_once() -> None:
    now, most = set[str](), list[int]()

    def work(name: str) -> None:
        now.add(name)
        most.append(len(now))
        time.sleep(0.02)
        now.discard(name)

    names = [f"host{number}" for number in range(7)]
    run_side_by_side({name: (lambda name=name: work(name)) for name in names}, signals=Signals(), width=3)  # type: ignore[misc] # mypy knows no default of a lambda
    assert (len(most), max(most)) == (7, 3)


def test_who_does_not_answer_in_time_is_given_up_and_the_next_has_its_place() -> None:
    never = Event()
    tasks = {"host1": lambda: never.wait(10), "host2": lambda: True}
    found = run_side_by_side(tasks, signals=Signals(), width=1, limit=0.2)
    never.set()
    assert str(found["host1"]) == "it has not answered within 0 seconds."
    assert found["host2"] is True


def test_what_nobody_expects_is_raised() -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_side_by_side({"host1": break_down}, signals=Signals())


def test_a_signal_waits_for_what_is_half_done_and_begins_nothing_more() -> None:
    signals, inner, begun, done = Signals(), Signals(), Event(), list[str]()

    def work() -> str:
        with inner.deferred():
            begun.set()
            while not inner.wanted:
                time.sleep(0.01)
            time.sleep(1.5)  # it is undone, which takes longer than anybody waits for others
            done.append("undone")
        return "whole"

    signalled = when(begun, lambda: setattr(signals, "wanted", True))
    found = run_side_by_side({"host1": work, "host2": fail}, signals=signals, inner=[inner], width=1)
    signalled.join()
    assert (found["host1"], done) == ("whole", ["undone"])
    assert isinstance(found["host2"], Interrupted)


def test_a_signal_does_not_wait_for_who_is_only_asked() -> None:
    signals, begun, never = Signals(), Event(), Event()

    def ask() -> bool:
        begun.set()
        return never.wait(10)

    signalled = when(begun, lambda: setattr(signals, "wanted", True))
    start = time.monotonic()
    found = run_side_by_side({"host1": ask}, signals=signals, inner=[Signals()])
    took = time.monotonic() - start
    never.set()
    signalled.join()
    assert isinstance(found["host1"], Interrupted)
    assert took < 5
