"""Recorded runs, played back: held against the plan, call by call, without any process."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipework_core.testing import recorded_run
from pipework_core.testing.golden import REWRITE

RECORDINGS = Path(__file__).parents[1] / "recordings"
ATTACH = "br1 netns:blue 10.0.0.1/24@10.0.0.254"


@pytest.fixture(autouse=True)
def _no_rewriting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REWRITE, raising=False)


def test_a_run_is_played_back() -> None:
    plan = recorded_run(RECORDINGS / "attach.json", ATTACH)
    assert [step.argv[:3] for step in plan.steps].count(("ip", "address", "add")) == 1
    assert "master br1" in " ".join(map(str, plan.steps))


def test_another_plan_fails_with_the_command_that_differs() -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        recorded_run(RECORDINGS / "attach.json", f"{ATTACH} --mtu 1400")
    said = str(caught.value)
    assert "ip link add name br1 {+mtu 1400+} address 02:c6:0a:6f:ea:06 group 28791 type bridge" in said
    assert "With PIPEWORK_REWRITE=1, the run is recorded anew." in said


def test_a_recording_that_goes_on_fails(tmp_path: Path) -> None:
    longer = tmp_path / "longer.json"
    call = '{"kind": "finds", "program": "tail"}'
    longer.write_text((RECORDINGS / "attach.json").read_text().removesuffix("\n]\n}\n") + f",\n\n{call}\n]\n}}\n")
    with pytest.raises(pytest.fail.Exception, match="goes on with 1 more call, the first of them `finds tail`"):
        recorded_run(longer, ATTACH)


def test_a_recording_that_is_missing_fails(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"there is no recording .*/none.json; with PIPEWORK_REWRITE=1"):
        recorded_run(tmp_path / "none.json", ATTACH)


def test_what_neither_attaches_nor_detaches_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="ls is neither"):
        recorded_run(RECORDINGS / "attach.json", "ls")
