"""What the states of links mean, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import attachments
from pipework_core.model.graph import MISSING, PLANNED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: From the worst to the best; the page has the same classes in page.css.
WORDS: Mapping[str, str] = {
    attachments.ORPHAN: "its guest is gone: pipework gc takes it away",
    attachments.UNFINISHED: "a run was killed: run it again, or pipework gc",
    attachments.EXPIRED: "its DHCP lease is over",
    attachments.ELSEWHERE: "its guest lives, its other half was moved",
    MISSING: "it is named, and not on this host",
    attachments.DOWN: "the interface is down",
    attachments.UP: "the interface is up",
    PLANNED: "a file says so, the host was not asked",
    UNKNOWN: "",
}


def choose_worst(states: Iterable[str]) -> str:
    """Return the worst of some states; UNKNOWN for none."""
    found = set(states)
    return next((state for state in WORDS if state in found), UNKNOWN)
