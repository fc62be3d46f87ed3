"""Every attachment on a host, from what the kernel, the switches and the runtimes tell: no file remembers them. Pure.

What a guest's interface says of itself is believed as far as the host bears it out, since a guest's root can write any
mark: the end of a veth pair on the host must name the guest's namespace, and a macvlan must have a parent on the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import detach
from pipework_core.engine.snapshot import SHELL_MACVLAN
from pipework_core.model import ownership
from pipework_core.model.context import Guest
from pipework_core.model.plan import HOST
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.snapshot import Snapshot, SwitchPort

UP, DOWN, UNFINISHED, ORPHAN = "up", "down", "unfinished", "orphan"
#: Backends whose links are veth pairs.
_PAIRS = frozenset({"bridge", "ovs"})
#: What a link must be for its mark to be true, by the kind of backend. A NIC can be anything.
_KINDS = {"macvlan": "macvlan", "ipvlan": "ipvlan", "ipoib": "ipoib", "dummy": "dummy"}
#: Kinds of links that pipework makes for attachments in general; with a mark of that kind they are none themselves.
_SHARED = frozenset({"veth", "bridge", "vlan"})
#: Who has the host's own parts in networks (`pipework host`), and what the mark of one says that is no bridge of ours.
THIS_HOST = Guest(name="this host", runtime="host", netns=HOST)
_PART = "host"
#: What switches are on the host; the local port of Open vSwitch is of one of the last two kinds.
_SWITCHES = {"bridge": "bridge", "openvswitch": "ovs", "tun": "ovs"}
#: All other kinds of backends are third parties'.
_BUILT_IN = frozenset({*_PAIRS, *_KINDS, *_SHARED, "phys", "host"})


class AttachmentStatus(Record):
    """One attachment. `inode` is the guest's namespace (0: it has none any more); `guest` who that is, when known.

    It is THIS_HOST for the host's own part in a network. `parent` is the bridge, parent or NIC, `host_end` the link's
    end on the host. `state` is up, down, unfinished (a run was killed over it) or orphan (a half of it is missing).
    `adopted` is what the shell version made. `dhcp` is the client that its mark names, `alive` whether one that stays
    is there (None: it was not to stay).
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


def entries(snapshot: Snapshot) -> list[AttachmentStatus]:
    """Return all attachments, those of guests first; who the guests are is left open."""
    found = [
        entry
        for inode, guest_state in snapshot.guest_states.items()
        for link in guest_state.links.values()
        if (entry := _of_guest(snapshot, inode, link)) is not None
    ]
    found = [entry._replace(state=ORPHAN) if entry.inode in snapshot.dying else entry for entry in found]
    seen = {entry.host_end for entry in found if entry.host_end}
    return [*found, *_of_host(snapshot, seen), *_of_switches(snapshot)]


def _of_guest(snapshot: Snapshot, inode: int, link: Link) -> AttachmentStatus | None:
    tag, is_pending = ownership.read_tag(link), ownership.is_pending(link)
    if tag is None and not is_pending:
        return _adopted(snapshot, inode, link)
    if tag is not None and _is_shared(link, tag):
        return None  # the host that this guest is to guests of its own
    entry = _entry(link, inode)
    paired = tag.kind in _PAIRS if tag is not None and tag.kind in _BUILT_IN else link.kind == "veth"
    if paired:
        end = _own_end(snapshot, link, inode)
        if end is not None:
            return _veth(snapshot, entry, end, tag, is_pending=is_pending)
        if tag is None or _nested(snapshot, inode):
            return None
    if tag is None:
        tag = detach.mark_of(link)
    if not _borne_out(snapshot, link, tag):
        return entry._replace(kind=tag.kind, state=ORPHAN)
    parent = tag.nic or tag.parent
    if not parent and link.peer_elsewhere and link.peer in snapshot.by_index:
        parent = snapshot.by_index[link.peer].name
    whole = entry._replace(kind=tag.kind, parent=parent, vlan=tag.vlan, state=UNFINISHED if is_pending else entry.state)
    return _leased(snapshot, whole, tag)


def _is_shared(link: Link, tag: Tag) -> bool:
    """Whether it was made for attachments in general; the mark of a third party's names no request then."""
    return tag.kind == link.kind if tag.kind in _SHARED else tag.kind not in _BUILT_IN and not tag.req


def _entry(link: Link, inode: int = 0) -> AttachmentStatus:
    shown = (*link.addresses, *link.leased)
    return AttachmentStatus(
        interface=link.name,
        kind=link.kind,
        inode=inode,
        state=UP if link.up else DOWN,
        addresses=tuple(address for address in shown if not address.lower().startswith("fe80:")),
        mac=link.mac,
        mtu=link.mtu,
    )


def _own_end(snapshot: Snapshot, link: Link, inode: int) -> Link | None:
    """Return the host's end of a guest's veth, if what only the host can write says that it is."""
    end = snapshot.host_end(link)
    if end is None:
        return None
    tag = ownership.read_tag(end)
    ours = tag.netns == str(inode) if tag else ownership.is_pending(end)
    return end if ours else None


def _veth(
    snapshot: Snapshot, entry: AttachmentStatus, end: Link, tag: Tag | None, *, is_pending: bool
) -> AttachmentStatus:
    port = snapshot.ports.get(end.name)
    state = UNFINISHED if is_pending or ownership.is_pending(end) else entry.state if end.up else DOWN
    kind, parent = ("ovs", port.bridge) if port else ("ovs" if tag and tag.kind == "ovs" else "bridge", end.master)
    if tag is not None and tag.kind not in _BUILT_IN:
        kind, parent = tag.kind, tag.parent
    whole = entry._replace(
        kind=kind,
        parent=parent,
        vlan=port.vlan if port else tag.vlan if tag else "",
        host_end=end.name,
        state=state,
    )
    return _leased(snapshot, whole, tag) if tag else whole


def _leased(snapshot: Snapshot, entry: AttachmentStatus, tag: Tag) -> AttachmentStatus:
    """Add the DHCP client that the mark names, and whether one that was to stay is there."""
    here = any((client.inode, client.interface) == (entry.inode, entry.interface) for client in snapshot.clients)
    return entry._replace(dhcp=tag.dhcp, alive=here if tag.dhcp.endswith("-f") else None)


def _borne_out(snapshot: Snapshot, link: Link, tag: Tag) -> bool:
    if tag.kind in _PAIRS or link.kind != _KINDS.get(tag.kind, link.kind):
        return False
    if tag.kind in {"macvlan", "ipvlan", "ipoib"}:
        parent = snapshot.by_index.get(link.peer) if link.peer_elsewhere else None
        return parent is not None and tag.parent in {"", parent.name, parent.parent}
    return True


def _nested(snapshot: Snapshot, inode: int) -> bool:
    """Whether the other end is in another guest, which is a host to guests of its own."""
    return any(
        tag.kind == "veth" and tag.netns == str(inode)
        for guest_state in snapshot.guest_states.values()
        for link in guest_state.links.values()
        if link.kind == "veth" and (tag := ownership.read_tag(link)) is not None
    )


def _adopted(snapshot: Snapshot, inode: int, link: Link) -> AttachmentStatus | None:
    """Return what the shell version made: a port of Open vSwitch that names the process, or a name that does."""
    end = snapshot.host_end(link)
    if end is None or end.alias:
        return None
    port = snapshot.ports.get(end.name)
    if port is not None and port.ours:
        mine = bool(port.pid) and snapshot.pids.get(port.pid) == inode
    else:
        suffix = end.name.removeprefix(f"v{link.name}pl")
        mine = suffix != end.name and suffix.isdecimal() and snapshot.pids.get(int(suffix)) == inode
    if not mine:
        return None
    return _veth(snapshot, _entry(link, inode), end, None, is_pending=False)._replace(adopted=True)


def _of_host(snapshot: Snapshot, seen: set[str]) -> Iterator[AttachmentStatus]:
    """Yield what is on the host without a guest: ends of pairs, NICs that came home, links on their way."""
    for link in snapshot.host_state.links.values():
        tag, is_pending = ownership.read_tag(link), ownership.is_pending(link)
        shell = SHELL_MACVLAN.fullmatch(link.name) if link.kind == "macvlan" and not link.alias else None
        part = _part(link, tag, is_pending=is_pending)
        if part is not None:
            yield part
        elif shell and not is_pending:
            yield _entry(link)._replace(parent=link.parent, state=UNFINISHED, adopted=True)
        elif link.kind == "veth" and link.name not in seen and (is_pending or (tag and tag.kind == "veth")):
            port = snapshot.ports.get(link.name)
            yield _entry(link)._replace(
                interface="",
                kind="ovs" if port else "bridge",
                parent=port.bridge if port else link.master,
                vlan=port.vlan if port else "",
                host_end=link.name,
                inode=int(tag.netns or 0) if tag else 0,
                state=UNFINISHED if is_pending else ORPHAN,
            )
        elif tag is not None and not _is_shared(link, tag):
            state = UNFINISHED if is_pending else ORPHAN
            yield _entry(link)._replace(kind=tag.kind, parent=tag.nic or tag.parent, vlan=tag.vlan, state=state)


def _part(link: Link, tag: Tag | None, *, is_pending: bool) -> AttachmentStatus | None:
    """Return the host's own part in a network: the sibling of a NIC, or a switch where it was given addresses."""
    entry = _entry(link)._replace(guest=THIS_HOST)
    sibling = is_pending if tag is None else tag.kind == _PART
    if link.kind == "macvlan" and sibling:
        parent = tag.parent if tag else link.parent
        return entry._replace(parent=parent, state=UNFINISHED if is_pending else entry.state)
    if tag is not None and tag.new and link.kind in _SWITCHES and tag.kind in {_PART, link.kind}:
        return entry._replace(kind=_SWITCHES[link.kind], parent=link.name)
    return None


def _of_switches(snapshot: Snapshot) -> Iterator[AttachmentStatus]:
    """Yield the ports of guests that are gone: the switch keeps them when their device has ended."""
    for port in snapshot.ports.values():
        if port.ours and port.name not in snapshot.host_state.links:
            yield AttachmentStatus(
                interface="",
                kind="ovs",
                parent=port.bridge,
                vlan=port.vlan,
                host_end=port.name,
                state=ORPHAN,
                former_guest=called(port),
            )


def called(port: SwitchPort) -> str:
    """Return what a switch calls the guest of a port."""
    return port.guest or (f"pid:{port.pid}" if port.pid else "")


def with_guests(found: list[AttachmentStatus], guests: Mapping[int, Guest]) -> list[AttachmentStatus]:
    """Return the entries with their guests, in the order of their names, and the host's own parts behind those."""
    named = [entry._replace(guest=entry.guest or guests.get(entry.inode)) for entry in found]
    return sorted(named, key=lambda entry: (_rank(entry), who(entry), entry.interface, entry.host_end))


def _rank(entry: AttachmentStatus) -> int:
    return 2 if entry.guest is None else int(entry.guest is THIS_HOST)


def who(entry: AttachmentStatus) -> str:
    """Return the guest as other commands take it; empty when nobody knows. The host is none, and no guest's name."""
    if entry.guest is THIS_HOST:
        return "(host)"
    return f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else entry.former_guest
