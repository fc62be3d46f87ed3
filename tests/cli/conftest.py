"""A run whose engine answers what a test says, so that printing and exit codes are held without a host."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from pipework_core.cli import run
from pipework_core.engine.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """Provide the engine of the next run: it has the methods of the real one, and no behaviour."""
    stub = MagicMock(spec=Engine)

    @contextmanager
    def open_run(_settings: object) -> Iterator[Any]:
        yield MagicMock(engine=stub, nb="")

    monkeypatch.setattr(run, "open_run", open_run)
    return stub
