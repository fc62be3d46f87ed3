"""The watcher's loop, without an engine to listen to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import UsageError
from pipework_core.watch.watcher import Watcher, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.model.event import Event


@contextmanager
def open_nothing(signals: Signals) -> Iterator[Engine]:
    raise AssertionError(f"nobody asked for anything ({signals})")
    yield


def test_it_is_ready_again_once_the_files_were_read_again(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    policy.chmod(0o600)
    told: list[str] = []
    seen = threading.Event()

    def tell(happened: Event) -> None:
        told.append(happened.text[:32])

    def be_ready() -> None:
        told.append("ready")
        seen.set()

    watcher = Watcher(Wishes(runtimes=(), policy=str(policy)), open_engine=open_nothing, methods=(), tell=tell)
    thread = threading.Thread(target=watcher.run, args=(be_ready,))
    thread.start()
    try:
        policy.write_text("version: 1\ncontainers: [")
        watcher.reload()
        assert seen.wait(10)
    finally:
        watcher.stop()
        thread.join(10)
    assert told == ["policy and file stay as they wer", "ready"]
    assert not thread.is_alive()


def test_a_file_of_many_machines_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("version: 1\nmachines: {host1: ssh://host1}\nlinks: []\n")
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\n")
    policy.chmod(0o600)
    wishes = Wishes(runtimes=(), policy=str(policy), topology=str(file))
    with pytest.raises(UsageError, match="2:12: the file names its machines, and here it is about") as raised:
        Watcher(wishes, open_engine=open_nothing, methods=(), tell=print)
    assert f"pipework up -f {file}" in raised.value.hint
