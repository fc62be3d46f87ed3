"""Plans of the built-in backends as data, in `<kind>/<name>.toml`; `testing/golden.py` says what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core.plugins.builtin import BACKENDS
from pipework_core.testing import golden_cases

if TYPE_CHECKING:
    from pipework_core.testing import GoldenCase

HERE = Path(__file__).parent


@golden_cases(HERE)
def test_plan(case: GoldenCase) -> None:
    case.check()


def test_every_backend_has_cases() -> None:
    assert {path.parent.name for path in HERE.glob("*/*.toml")} == set(BACKENDS)
