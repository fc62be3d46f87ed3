"""MTUs on the way of a guest's frames: what is larger than the next hop takes is dropped without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import in_guest, list_lower, list_of_guests, name_end, set_link
from pipework_core.model.finding import WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.link import HostState
    from pipework_core.model.plan import Outcome
    from pipework_core.model.status import AttachmentStatus

_WHY = "A switch has no way to say that a frame is too large: small ones pass, and large ones vanish."


class MtuCheck(Check):
    """Guests with a larger MTU than a link that their frames pass."""

    name = "mtu"

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each guest's interface that does not fit."""
        del answers
        for entry in list_of_guests(examination):
            way = _list_way(examination.host_state, entry)
            if not way or not entry.mtu:
                continue
            narrow = min(way, key=lambda name: way[name])
            if entry.mtu > way[narrow]:
                what = f"{name_end(entry)} has an MTU of {entry.mtu}, and {narrow} on its way one of {way[narrow]}."
                fit = in_guest(entry.guest, "ip", "link", "set", "dev", entry.interface, "mtu", str(way[narrow]))
                ends = [set_link(entry.host_end, "mtu", str(way[narrow]))] if entry.host_end in way else []
                yield Finding(
                    WARNING, what, _WHY, (fit, *ends), f"Or give {narrow} a larger one, if its network has it."
                )
            elif way.get(entry.host_end, entry.mtu) > entry.mtu:
                what = f"{name_end(entry)} has an MTU of {entry.mtu}, and its other end {entry.host_end} another."
                yield Finding(WARNING, what, _WHY, (set_link(entry.host_end, "mtu", str(entry.mtu)),))


def _list_way(host: HostState, entry: AttachmentStatus) -> dict[str, int]:
    """Return the MTUs of what frames of an attachment pass on the host, by name."""
    names = [entry.host_end, entry.parent]
    lower = [link.name for link in list_lower(host, entry.parent) if link.name != entry.parent]
    # Other guests' ends are no part of the way out.
    return {name: host.links[name].mtu for name in (*names, *lower) if name in host.links}


@hookimpl
def pipework_checks() -> list[MtuCheck]:
    """Register it."""
    return [MtuCheck()]
