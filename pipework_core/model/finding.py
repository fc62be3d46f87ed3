"""What `pipework doctor` works with: an examined host, and what was found there."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from pipework_core.model.link import GuestState, HostState
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Guest
    from pipework_core.model.plan import Command
    from pipework_core.model.snapshot import Namespace
    from pipework_core.model.status import AttachmentStatus

#: It does not work; it will not work when it is used so, or not for long; it is good to know.
ERROR, WARNING, INFO = "error", "warning", "info"
#: From the worst to the mildest.
SEVERITIES = (ERROR, WARNING, INFO)


class Finding(Record):
    """What was found, and why that matters, a sentence each.

    `mend` are the command lines that mend it on this host, in order. `advice` is what else there is to be done or
    known, such as on the machine that this one runs on. `check` is who found it, which the doctor fills in.
    """

    severity: str
    what: str
    why: str
    mend: tuple[str, ...] = ()
    advice: str = ""
    check: str = ""


class Examination(Record):
    """A host as checks see it; all but the programs is empty where it cannot be read.

    `attachments` are those of the guest that is asked about, or all. `guest` and `guest_state` are of that guest.
    `garbage` is what `pipework gc` would remove, `spaces` the network namespaces by their inode numbers. `programs` are
    those found of the ones that checks name.
    """

    host_state: HostState = HostState(links=MappingProxyType({}))
    attachments: tuple[AttachmentStatus, ...] = ()
    spaces: Mapping[int, Namespace] = MappingProxyType({})
    guest_states: Mapping[int, GuestState] = MappingProxyType({})
    guest: Guest | None = None
    garbage: tuple[Command, ...] = ()
    programs: frozenset[str] = frozenset()
