"""What guests that are gone, and runs that were killed, left behind: what `pipework gc` removes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.finding import WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome

#: So many are named.
_NAMED = 5


class LeftoverCheck(Check):
    """Interfaces, ports, names of namespaces and DHCP clients of nobody."""

    name = "leftovers"

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield one finding about all of them."""
        del answers
        reasons = list(dict.fromkeys(command.reason or str(command) for command in examination.garbage))
        if reasons:
            rest = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
            yield Finding(
                WARNING,
                f"Guests that are gone, or runs that were killed, left something: {'; '.join(reasons[:_NAMED])}{rest}.",
                "It takes names and addresses that others may want, and keeps networks of dead guests alive.",
                ("pipework gc",),
            )


@hookimpl
def pipework_checks() -> list[LeftoverCheck]:
    """Register it."""
    return [LeftoverCheck()]
