"""A far end that is no help: it talks for ever, or somebody does not want to wait for it any more."""

from __future__ import annotations

import time

import pytest

from pipework_core.model.errors import HostError
from pipework_core.model.plan import Command
from pipework_drivers.ssh.transport import Received

from .far_end import FarEnd
from .test_driver import driver


def test_a_far_end_that_never_stops_talking_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipework_drivers.ssh.session._SIZE_MAX", 1000)
    far = FarEnd(silent_from=2)
    asked = driver(far)
    assert asked.has_program("ip")
    far.receive = lambda _: Received(out=b"x" * 100, err=b"", ended=False)  # type: ignore[method-assign]
    with pytest.raises(HostError, match="does not stop talking"):
        asked.read([Command(argv=("ip", "link"))])
    assert far.closed


def test_whoever_wants_to_stop_waits_for_an_answer_a_little_longer_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipework_drivers.ssh.session._PARTING", 0.1)
    far = FarEnd(silent_from=2)
    asked = driver(far)
    assert asked.has_program("ip")
    far.receive = lambda _: Received(out=b"x", err=b"", ended=False)  # type: ignore[method-assign]
    wanted = iter([False])  # nobody wants to before it is sent
    with pytest.raises(HostError, match="does not stop talking"):
        asked.apply_list([Command(argv=("ip", "link"))], stop=lambda: next(wanted, True))


def test_a_login_that_talks_and_never_comes_to_a_shell_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipework_drivers.ssh.session._GREETING", 0.2)
    monkeypatch.setattr("pipework_drivers.ssh.session._TURN", 0.1)
    far = FarEnd(hello="uid=0\n", silent_from=1)

    def talk(seconds: float) -> Received:
        time.sleep(min(seconds, 0.05))
        return Received(err=b"wait\n")

    far.receive = talk  # type: ignore[method-assign] # this far end talks for ever
    with pytest.raises(HostError, match=r"no shell has answered on root@host2 for 0\.2 seconds \(wait\)"):
        driver(far).has_program("ip")
    assert far.closed
