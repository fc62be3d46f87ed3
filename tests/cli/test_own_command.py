"""How systemd and container runtimes are told to start this very pipework."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

from pipework_core.cli.own_command import find_own_command

if TYPE_CHECKING:
    import pytest


def test_the_package_is_run_by_the_same_python() -> None:
    assert find_own_command() == (sys.executable, "-P", "-m", "pipework_core")


def test_the_single_file_is_run_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = SimpleNamespace(archive="../srv/pipework.pyz")
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__loader__=loader))
    monkeypatch.chdir("/usr")
    assert find_own_command() == (sys.executable, "/srv/pipework.pyz")
