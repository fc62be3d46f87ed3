"""Missing parts are loud: a skip with its reason, and a failure where the lab is required."""

from __future__ import annotations

import pytest

from pipework_core.testing import announcing

from . import parts


@pytest.fixture
def _no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that dockerd is not installed."""
    monkeypatch.setattr(parts, "PROGRAMS", {**parts.PROGRAMS, "docker": ("dockerd-is-absent",)})


@pytest.mark.usefixtures("_no_docker")
def test_missing_part_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEWORK_LAB", raising=False)
    with pytest.raises(pytest.skip.Exception, match="docker: the program dockerd-is-absent"):
        parts.require("docker")


@pytest.mark.usefixtures("_no_docker")
def test_missing_part_of_a_required_lab_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEWORK_LAB", announcing.REQUIRED)
    with pytest.raises(pytest.fail.Exception, match=r"tools/install-lab\.sh"):
        parts.require("docker")


def test_unknown_part_is_a_mistake_of_the_test() -> None:
    with pytest.raises(KeyError):
        parts.require("no such part")
