"""What fails is tried again, and that never disturbs what a later start asks for."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipework_core.model.errors import HostError
from pipework_core.watch import watcher as module
from pipework_core.watch.container import Container
from pipework_core.watch.policy import Policy
from pipework_core.watch.reader import Heard
from pipework_core.watch.runtime import END, START, Change
from pipework_core.watch.watcher import Watcher, Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.watch.runtime import Connection

LABELS = {"pipework.eth1": "br1 10.0.0.1/24"}
BORN = Change(START, "4f" * 32, LABELS, "web1")
DEAD = Change(END, "4f" * 32)
RETRY = 0.3


class FakeConnection:
    """An engine in which the container runs."""

    def inspect(self, identity: str, *, from_image: bool = False) -> Container:
        del from_image
        return Container("docker", identity, "web1", labels=LABELS)


class FakeReader:
    """Hears of nothing by itself."""

    puts: Callable[[Heard], None]

    def __init__(
        self, _name: str, _filters: object, put: Callable[[Heard], None], _tell: object, *, once: bool
    ) -> None:
        del once
        FakeReader.puts = staticmethod(put)

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


class Engines:
    """Engines that fail the first time they are asked for, and keep whoever asks later until a signal wants its end."""

    def __init__(self) -> None:
        self.opened = 0
        self.failed, self.busy, self.stopped = threading.Event(), threading.Event(), threading.Event()

    @contextmanager
    def open(self, signals: Signals) -> Iterator[Engine]:
        self.opened += 1
        if self.opened == 1:
            self.failed.set()
            raise HostError("no", hint="no")
        self.busy.set()
        deadline = threading.Event()
        while not signals.wanted and not deadline.wait(0.01) and not self.stopped.is_set():
            pass
        self.stopped.set()
        raise HostError("stopped", hint="no")
        yield cast("Any", None)


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    """Run a watcher that hears what the test says."""
    monkeypatch.setattr(module, "_RETRY", RETRY)
    monkeypatch.setattr(module, "_SETTLE", 1000.0)
    monkeypatch.setattr(module, "_TICK", 0.01)
    monkeypatch.setattr(module, "Reader", FakeReader)
    engines = Engines()
    monkeypatch.setattr(module.policy_file, "load_policy", lambda _: Policy())
    watcher = Watcher(Wishes(runtimes=("docker",)), open_engine=engines.open, methods=(), tell=lambda _: None)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    yield engines
    engines.stopped.set()
    watcher.stop()
    thread.join(10)
    assert not thread.is_alive()


def hear(change: Change) -> None:
    FakeReader.puts(Heard("docker", change, cast("Connection", FakeConnection())))


def test_what_failed_is_tried_again(engines: Engines) -> None:
    hear(BORN)
    assert engines.failed.wait(10)
    assert engines.busy.wait(10)


def test_the_retry_of_an_earlier_start_does_not_interrupt_a_later_one(engines: Engines) -> None:
    hear(BORN)
    assert engines.failed.wait(10)
    hear(DEAD)
    hear(BORN)
    assert engines.busy.wait(10)
    assert not engines.stopped.wait(3 * RETRY)
    assert engines.opened == 2
