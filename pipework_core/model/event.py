"""What a watcher and a server tell: one record for each change, refusal and error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable

ATTACHED, UNCHANGED, FAILED, REFUSED, ENDED, NOTE = "attached", "unchanged", "failed", "refused", "ended", "note"
#: What a server tells besides: that it did what was asked, and what changed on the host, whoever did it;
#: `HOST` is about the host's own interfaces.
DONE, DETACHED, CHANGED, HOST = "done", "detached", "changed", "host"


class Event(Record):
    """`kind` is one of the words above, `seconds` the time since the container's start, or the request, was heard of.

    `text` is one sentence or a few words, `hint` the next step; `guest` and `interface` are empty where none is meant.
    """

    kind: str
    text: str
    guest: str = ""
    interface: str = ""
    seconds: float = 0.0
    hint: str = ""


if TYPE_CHECKING:
    #: Is told of each event, by whichever thread has one.
    Tell = Callable[[Event], None]
