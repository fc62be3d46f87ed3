"""Plans as data: each case is a request, what there is, and the commands, or the error, that must come of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pipework_vxlan
from pipework_core.testing import golden_cases

if TYPE_CHECKING:
    from pipework_core.testing import GoldenCase


@golden_cases(Path(__file__).parent / "cases", pipework_vxlan)
def test_plan(case: GoldenCase) -> None:
    case.check()
