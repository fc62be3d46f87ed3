"""The rows of a table of ratios, and how the two sides of each are measured."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stopwatch import Taken

WIDTH = 51
HEADING = (
    f"{'':{WIDTH}} {'limit':>5} {'ratio':>6} {'minima':>6} {'cpu':>6}"
    f" {'minimum':>9} {'median':>9} {'beside: minimum':>15} {'median':>9}"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A figure: the same number of runs of two things, in turn; or a note why there are none."""

    what: str
    limit: float
    ours: list[Taken] = field(default_factory=list)
    beside: list[Taken] = field(default_factory=list)
    unit: str = "ms"
    note: str = ""

    def format_line(self) -> str:
        """Return the row as text: ratios of pairs, of the minima and of processor time, then both sides."""
        if not self.ours:
            return f"{self.what:{WIDTH}} {self.limit:5.2f} {self.note}"
        ours, beside = ([taken.seconds for taken in side] for side in (self.ours, self.beside))
        # A change of the machine's speed meets both sides of a pair, so the median of the pairs is the ratio.
        ratio = statistics.median(one / other for one, other in zip(ours, beside, strict=True))
        scale = 1000 if self.unit == "ms" else 1
        ends = " ".join(
            f"{scale * min(side):{width}.1f} {scale * statistics.median(side):9.1f}"
            for side, width in ((ours, 9), (beside, 15))
        )
        ratios = f"{self.limit:5.2f} {ratio:6.3f} {min(ours) / min(beside):6.3f} {self._compare_cpu():>6}"
        verdict = f"  OVER {self.note}" if ratio > self.limit else f"  {self.note}"
        return f"{self.what:{WIDTH}} {ratios} {ends} {self.unit}, {len(ours)} pairs{verdict}".rstrip()

    def _compare_cpu(self) -> str:
        ours, beside = (statistics.median(taken.cpu for taken in side) for side in (self.ours, self.beside))
        return f"{ours / beside:.3f}" if ours and beside else "-"


def take_turns(runs: int, ours: Callable[[], Taken], beside: Callable[[], Taken]) -> tuple[list[Taken], list[Taken]]:
    """Measure both in turn, in the other order each time, and once before for warmth."""
    taken: tuple[list[Taken], list[Taken]] = ([], [])
    for number in range(runs + 1):
        order = (0, 1) if number % 2 else (1, 0)
        for side in order:
            figure = (ours, beside)[side]()
            if number:
                taken[side].append(figure)
    return taken
