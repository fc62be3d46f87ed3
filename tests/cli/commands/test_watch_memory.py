"""A watcher stays, so that it collects what Python leaves lying about; other commands end before that pays."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from pipework_core.cli.app import run
from pipework_core.watch.watcher import Watcher

if TYPE_CHECKING:
    import pytest


def test_a_watcher_collects_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(Watcher, "run", lambda *_, **__: seen.append(gc.isenabled()))
    monkeypatch.setattr("pipework_core.watch.policy_file.DEFAULT_FILE", "/nonexistent")
    gc.disable()  # as `pipework` does when it starts
    try:
        assert run(["watch"]) == 0
    finally:
        gc.enable()
    assert seen == [True]
