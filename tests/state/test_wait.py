"""Waiting for an interface: when it ends, what it says, and how often it looks."""

from __future__ import annotations

import errno
import fcntl
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError
from pipework_core.state import wait as waiting
from pipework_core.state.wait import State

if TYPE_CHECKING:
    from collections.abc import Iterable


class World:
    """Time that passes only while somebody sleeps, and an interface with a scripted life."""

    def __init__(self, states: Iterable[State]) -> None:
        self.states = list(states)
        self.time = 1000.0
        self.pauses: list[float] = []

    def look(self, interface: str) -> State:
        assert interface == "eth7"
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.pauses.append(seconds)
        self.time += seconds

    def wait(self, *, timeout: float | None) -> None:
        waiting.wait_for("eth7", timeout=timeout, look=self.look, clock=lambda: self.time, sleep=self.sleep)


def test_an_interface_that_is_up_is_not_waited_for() -> None:
    world = World([State.UP])
    world.wait(timeout=None)
    assert world.pauses == []


def test_it_waits_through_every_state_until_the_interface_is_up() -> None:
    world = World([State.ABSENT, State.DOWN, State.NO_CARRIER, State.UP])
    world.wait(timeout=10)
    assert len(world.pauses) == 3


def test_without_a_timeout_it_waits_for_ever_and_gently() -> None:
    world = World([*[State.ABSENT] * 5000, State.UP])
    world.wait(timeout=None)
    assert len(world.pauses) == 5000
    assert world.pauses[0] == pytest.approx(0.05)
    assert set(world.pauses[20:]) == {0.2}
    assert world.pauses == sorted(world.pauses)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.ABSENT, "eth7 does not exist, after waiting 3 s"),
        (State.DOWN, "eth7 exists but is down, after waiting 3 s"),
        (State.NO_CARRIER, "eth7 is up but has no carrier, after waiting 3 s"),
    ],
)
def test_the_end_of_patience_says_what_is_missing(state: State, words: str) -> None:
    world = World([state])
    with pytest.raises(HostError, match=words) as caught:
        world.wait(timeout=3)
    assert caught.value.hint
    assert caught.value.exit_code == 1
    assert world.time == pytest.approx(1003.0)


def test_a_timeout_of_nothing_looks_once() -> None:
    world = World([State.ABSENT, State.UP])
    with pytest.raises(HostError):
        world.wait(timeout=0)
    assert world.pauses == []
    World([State.UP]).wait(timeout=0)


def test_the_kernel_is_asked_for_an_interface_that_is_not_there() -> None:
    assert waiting.read_state("absent-1") is State.ABSENT


@pytest.mark.parametrize(
    ("flags", "state"),
    [(0x1002, State.DOWN), (0x1003, State.NO_CARRIER), (0x1043, State.UP), (0x1042, State.DOWN)],
)
def test_up_is_both_flags(flags: int, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_sock: object, number: int, request: bytes) -> bytes:
        assert number == 0x8913
        assert request == b"eth7".ljust(40, b"\0")
        return request[:16] + flags.to_bytes(2, "little") + bytes(22)

    monkeypatch.setattr(fcntl, "ioctl", answer)
    assert waiting.read_state("eth7") is state


def test_another_refusal_of_the_kernel_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    with pytest.raises(HostError, match="state of eth7: Operation not permitted"):
        waiting.read_state("eth7")


def test_the_script_starts_with_what_was_asked_for() -> None:
    assert "\ninterface=eth1\nseconds=\n" in waiting.make_script()
    assert "\ninterface=ib0\nseconds=30\n" in waiting.make_script("ib0", 30)


@pytest.mark.parametrize(("timeout", "seconds"), [(0.0, "0"), (0.1, "1"), (2.5, "3"), (1e300, "999999999")])
def test_the_script_counts_whole_seconds(timeout: float, seconds: str) -> None:
    assert f"\nseconds={seconds}\n" in waiting.make_script("eth1", timeout)


def test_a_hostile_name_stays_one_word_of_the_script() -> None:
    assert "\ninterface='$(reboot);'\n" in waiting.make_script("$(reboot);")
