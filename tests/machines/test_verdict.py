"""All or nothing over many machines: who waits for whom, and whose no is everybody's."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from pipework_core.machines.verdict import Verdict

NAMES = ("host1", "host2", "host3")


def vote(verdict: Verdict, votes: dict[str, bool | None]) -> dict[str, bool]:
    """Return what each hears who votes, each in a thread of its own; None leaves without a word."""
    heard: dict[str, bool] = {}

    def run(name: str, *, whole: bool | None) -> None:
        part = verdict.make_part(name)
        if whole is not None:
            heard[name] = part.decide(whole=whole)
            assert part.kept == heard[name]
        verdict.leave(name)

    threads = [Thread(target=run, args=(name,), kwargs={"whole": whole}) for name, whole in votes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return heard


@pytest.mark.parametrize("backwards", [True, False])
@pytest.mark.parametrize("bad", [None, False])
@pytest.mark.parametrize("who", NAMES)
def test_one_no_or_one_that_ends_is_everybodys(who: str, *, bad: bool | None, backwards: bool) -> None:
    names = reversed(NAMES) if backwards else NAMES
    votes = {name: bad if name == who else True for name in names}
    heard = vote(Verdict(NAMES, stop=lambda: False), votes)
    assert set(heard.values()) == {False}


def test_all_that_are_whole_are_kept() -> None:
    assert vote(Verdict(NAMES, stop=lambda: False), dict.fromkeys(NAMES, True)) == dict.fromkeys(NAMES, True)


def test_a_signal_while_somebody_is_waited_for_is_a_no_for_all() -> None:
    assert vote(Verdict(NAMES, stop=lambda: True), {"host1": True, "host2": True}) == {"host1": False, "host2": False}


def test_nobody_waits_for_ever() -> None:
    assert vote(Verdict(NAMES, stop=lambda: False, patience=0.2), {"host1": True}) == {"host1": False}


def test_what_was_decided_stays() -> None:
    verdict = Verdict(NAMES, stop=lambda: False)
    vote(verdict, dict.fromkeys(NAMES, True))
    verdict.leave("host1")
    assert verdict.kept is True


def test_locks_are_taken_in_the_files_order() -> None:
    verdict, order, first = Verdict(NAMES, stop=lambda: False), list[str](), Event()

    def take(name: str) -> None:
        if name == "host1":
            first.wait(10)
        with verdict.make_part(name).turn():
            order.append(name)

    threads = [Thread(target=take, args=(name,)) for name in reversed(NAMES)]
    for thread in threads:
        thread.start()
    assert order == []
    first.set()
    for thread in threads:
        thread.join(10)
    assert order == list(NAMES)


def test_who_never_takes_a_lock_holds_nobody_up() -> None:
    verdict, done = Verdict(NAMES, stop=lambda: False), Event()

    def take() -> None:
        with verdict.make_part("host2").turn():
            done.set()

    thread = Thread(target=take)
    thread.start()
    verdict.leave("host1")
    thread.join(10)
    assert done.is_set()
