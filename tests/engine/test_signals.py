"""Signals: at once where nothing is half done, kept back where something is, and too late when all is done."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.signals import Signals
from pipework_core.model.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in ALL}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup(1) has it ignored
    ours = Signals()
    ours.install()
    yield ours
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ALL)
def test_a_signal_interrupts_at_once(signals: Signals, number: signal.Signals) -> None:
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), number)
    assert signals.wanted


@pytest.mark.parametrize("number", ALL)
def test_a_signal_is_kept_back_while_something_is_half_done(signals: Signals, number: signal.Signals) -> None:
    with signals.deferred():
        os.kill(os.getpid(), number)
        assert signals.wanted


@pytest.mark.parametrize("number", ALL)
def test_a_signal_behind_the_last_step_is_too_late(signals: Signals, number: signal.Signals) -> None:
    signals.settle()
    os.kill(os.getpid(), number)
    assert signals.wanted


def test_a_signal_behind_the_last_block_is_too_late_unless_that_failed(signals: Signals) -> None:
    with pytest.raises(ValueError, match="x"), signals.deferred(last=True):
        raise ValueError("x")
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), signal.SIGTERM)
    with signals.deferred(last=True):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    with signals.deferred():
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    assert signals.wanted


def test_a_hangup_that_is_ignored_stays_ignored(signals: Signals) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.install()
    os.kill(os.getpid(), signal.SIGHUP)
    assert not signals.wanted
