"""An attachment as it is found on a host, which remembers it without a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.model.context import Guest

UP, DOWN, EXPIRED, UNFINISHED = "up", "down", "expired", "unfinished"
ORPHAN, ELSEWHERE = "orphan", "elsewhere"
STATES = (UP, DOWN, EXPIRED, UNFINISHED, ORPHAN, ELSEWHERE)


class AttachmentStatus(Record):
    """One attachment. `inode` is the guest's namespace (0: it has none any more); `guest` who that is, when known.

    It is THIS_HOST for the host's own part in a network. `parent` is the bridge, parent or NIC, `host_end` the link's
    end on the host. `state` is up, down, expired (its lease is over), unfinished (a run was killed over it), orphan
    (its guest is gone) or elsewhere (its guest lives, and its other half is not where it was: the NIC below was moved,
    or the guest moved its end).
    `adopted` is what the shell version made. `dhcp` is the client that its tag names, `alive` whether one that stays
    is there (None: it was not to stay). `machine` is set by who lists several machines of a topology file.
    """

    interface: str
    kind: str
    parent: str = ""
    state: str = UP
    inode: int = 0
    guest: Guest | None = None
    #: What a switch calls a guest that is gone.
    former_guest: str = ""
    host_end: str = ""
    addresses: tuple[str, ...] = ()
    mac: str = ""
    vlan: str = ""
    mtu: int = 0
    adopted: bool = False
    dhcp: str = ""
    alive: bool | None = None
    machine: str = ""
