"""The sign of life: only after a while, on one line, and gone before anything else is printed."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, NoReturn
from unittest.mock import MagicMock

import pytest

from pipework_core.cli import run
from pipework_core.cli.commands import Settings
from pipework_core.cli.progress import Progress, ProgressDriver
from pipework_core.model.plan import Command, Netns, Outcome
from pipework_core.plugins.manager import PluginManager

if TYPE_CHECKING:
    from collections.abc import Callable

CLEAR = "\r\x1b[K"
QUICK = Command(argv=("ip", "link"), reason="make eth1")
LEASE = Command(argv=("sh", "lease"), timeout=30.0, reason="lease an \x1b[2Jaddress")


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def show_screen(text: str) -> str:
    """Return what is left on the line of a terminal."""
    return text.rpartition(CLEAR)[2]


def test_nothing_is_shown_before_its_time() -> None:
    out = io.StringIO()
    with Progress(out).waiting("lease"):
        time.sleep(0.01)
    assert out.getvalue() == ""
    assert threading.active_count() == 1


def test_many_short_waits_do_not_flicker() -> None:
    out = io.StringIO()
    progress = Progress(out)
    progress._start -= 60
    for _ in range(100):
        with progress.waiting("open the guest's network"):
            pass
    assert out.getvalue() == ""


def test_what_is_waited_for_is_shown_and_cleared_however_it_ends() -> None:
    out = io.StringIO()
    progress = Progress(out, delay=0.0)
    progress.count(12, 100)

    def fail() -> NoReturn:
        with progress.waiting("lease"):
            wait_for(lambda: "lease" in show_screen(out.getvalue()))
            assert re.fullmatch(r"12 of 100, lease … \d s", show_screen(out.getvalue()))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert show_screen(out.getvalue()) == ""
    assert "\n" not in out.getvalue()
    assert threading.active_count() == 1


def test_the_driver_says_what_waits_for_the_network_in_one_line() -> None:
    out = io.StringIO()
    inner = MagicMock()

    def apply(lists: list[list[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        assert not stop()
        wait_for(lambda: "lease" in out.getvalue())
        return [[Outcome(0)] for _ in lists]

    inner.apply.side_effect = apply
    driver = ProgressDriver(inner, Progress(out, delay=0.0))
    assert len(driver.apply([[QUICK, LEASE], [QUICK], [QUICK]], stop=lambda: False)) == 3
    assert "lease an \\x1b[2Jaddress, and 2 more … 0 s" in out.getvalue()
    assert driver.apply([], stop=lambda: False) == []


def test_a_line_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(Progress, "_find_width", lambda _self: 20)
    with Progress(out, delay=0.0).waiting("日本" * 40):
        wait_for(lambda: "日" in out.getvalue())
    assert out.getvalue().split(CLEAR)[1] == "日本日本日本… … 0 s"


def test_a_terminal_that_has_gone_stops_no_work() -> None:
    out = MagicMock()
    out.write.side_effect = OSError(5, "Input/output error")
    with Progress(out, delay=0.0).waiting("lease"):
        wait_for(lambda: out.write.called)


@pytest.mark.parametrize(
    ("terminal", "verbose", "shown"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_only_who_looks_at_a_terminal_sees_it(
    *, terminal: bool, verbose: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(PluginManager, "open_driver", lambda *_: MagicMock())
    with run.open_run(Settings(verbose=verbose)) as opened:
        assert isinstance(opened.driver, ProgressDriver) == shown


def test_each_call_reaches_the_driver() -> None:
    inner = MagicMock()
    driver = ProgressDriver(inner, Progress(io.StringIO()))
    assert driver.pin(Netns("/x")) is inner.pin.return_value
    assert driver.read([QUICK]) is inner.read.return_value
    assert driver.has_program("ip") is inner.has_program.return_value
    assert driver.peek_links([]) is inner.peek_links.return_value
    assert driver.clean_up([QUICK]) is inner.clean_up.return_value
    assert driver.lock() is inner.lock.return_value
    error = KeyError()
    driver.start([QUICK])
    driver.release()
    driver.finish(["a note"])
    driver.close(error)
    inner.start.assert_called_once_with([QUICK])
    inner.release.assert_called_once_with()
    inner.finish.assert_called_once_with(["a note"])
    inner.close.assert_called_once_with(error)
