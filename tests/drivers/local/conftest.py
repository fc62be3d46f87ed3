"""Faked processes for the tests of the local driver."""

from __future__ import annotations

import pytest

from pipework_drivers.local import driver

from .processes import FakeProcesses


@pytest.fixture
def fp(monkeypatch: pytest.MonkeyPatch) -> FakeProcesses:
    """Provide processes that answer as they are told."""
    processes = FakeProcesses()
    monkeypatch.setattr(driver, "Process", processes)
    return processes
