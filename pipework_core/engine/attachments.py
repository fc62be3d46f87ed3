"""Every attachment on a host, from what the kernel, the switches and the runtimes tell: no file remembers them. Pure.

What a guest's interface says of itself is believed as far as the host bears it out, since a guest's root can write any
mark: the end of a veth pair on the host must name the guest's namespace, and a macvlan must have a parent on the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipework_core.engine import detach
from pipework_core.engine.snapshot import SHELL_MACVLAN
from pipework_core.model import ownership
from pipework_core.model.context import Guest
from pipework_core.model.plan import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Mark
    from pipework_core.model.snapshot import Survey, SwitchPort

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


class Entry(NamedTuple):
    """One attachment. `inode` is the guest's namespace (0: it has none any more); `guest` who that is, when known.

    It is THIS_HOST for the host's own part in a network. `on` is the bridge, parent or NIC, `host_end` the link's end
    on the host. `state` is up, down, unfinished (a run was killed over it) or orphan (a half of it is missing).
    `adopted` is what the shell version made. `dhcp` is the client that its mark names, `alive` whether one that stays
    is there (None: it was not to stay).
    """

    interface: str
    kind: str
    on: str = ""
    state: str = UP
    inode: int = 0
    guest: Guest | None = None
    #: What a switch calls a guest that is gone.
    late: str = ""
    host_end: str = ""
    addresses: tuple[str, ...] = ()
    mac: str = ""
    vlan: str = ""
    mtu: int = 0
    adopted: bool = False
    dhcp: str = ""
    alive: bool | None = None


def entries(survey: Survey) -> list[Entry]:
    """Return all attachments, those of guests first; who the guests are is left open."""
    found = [
        entry
        for inode, inside in survey.inside.items()
        for link in inside.links.values()
        if (entry := _of_guest(survey, inode, link)) is not None
    ]
    found = [entry._replace(state=ORPHAN) if entry.inode in survey.doomed else entry for entry in found]
    seen = {entry.host_end for entry in found if entry.host_end}
    return [*found, *_of_host(survey, seen), *_of_switches(survey)]


def _of_guest(survey: Survey, inode: int, link: Link) -> Entry | None:
    mark, newborn = ownership.read(link), ownership.newborn(link)
    if mark is None and not newborn:
        return _adopted(survey, inode, link)
    if mark is not None and _is_shared(link, mark):
        return None  # the host that this guest is to guests of its own
    entry = _entry(link, inode)
    paired = mark.kind in _PAIRS if mark is not None and mark.kind in _BUILT_IN else link.kind == "veth"
    if paired:
        end = _own_end(survey, link, inode)
        if end is not None:
            return _veth(survey, entry, end, mark, newborn=newborn)
        if mark is None or _nested(survey, inode):
            return None
    if mark is None:
        mark = detach.mark_of(link)
    if not _borne_out(survey, link, mark):
        return entry._replace(kind=mark.kind, state=ORPHAN)
    on = mark.nic or mark.on
    if not on and link.peer_elsewhere and link.peer in survey.by_index:
        on = survey.by_index[link.peer].name
    whole = entry._replace(kind=mark.kind, on=on, vlan=mark.vlan, state=UNFINISHED if newborn else entry.state)
    return _leased(survey, whole, mark)


def _is_shared(link: Link, mark: Mark) -> bool:
    """Whether it was made for attachments in general; the mark of a third party's names no request then."""
    return mark.kind == link.kind if mark.kind in _SHARED else mark.kind not in _BUILT_IN and not mark.req


def _entry(link: Link, inode: int = 0) -> Entry:
    shown = (*link.addresses, *link.leased)
    return Entry(
        interface=link.name,
        kind=link.kind,
        inode=inode,
        state=UP if link.up else DOWN,
        addresses=tuple(address for address in shown if not address.lower().startswith("fe80:")),
        mac=link.mac,
        mtu=link.mtu,
    )


def _own_end(survey: Survey, link: Link, inode: int) -> Link | None:
    """Return the host's end of a guest's veth, if what only the host can write says that it is."""
    end = survey.host_end(link)
    if end is None:
        return None
    mark = ownership.read(end)
    ours = mark.netns == str(inode) if mark else ownership.newborn(end)
    return end if ours else None


def _veth(survey: Survey, entry: Entry, end: Link, mark: Mark | None, *, newborn: bool) -> Entry:
    port = survey.ports.get(end.name)
    state = UNFINISHED if newborn or ownership.newborn(end) else entry.state if end.up else DOWN
    kind, on = ("ovs", port.bridge) if port else ("ovs" if mark and mark.kind == "ovs" else "bridge", end.master)
    if mark is not None and mark.kind not in _BUILT_IN:
        kind, on = mark.kind, mark.on
    whole = entry._replace(
        kind=kind,
        on=on,
        vlan=port.vlan if port else mark.vlan if mark else "",
        host_end=end.name,
        state=state,
    )
    return _leased(survey, whole, mark) if mark else whole


def _leased(survey: Survey, entry: Entry, mark: Mark) -> Entry:
    """Add the DHCP client that the mark names, and whether one that was to stay is there."""
    here = any((client.inode, client.interface) == (entry.inode, entry.interface) for client in survey.clients)
    return entry._replace(dhcp=mark.dhcp, alive=here if mark.dhcp.endswith("-f") else None)


def _borne_out(survey: Survey, link: Link, mark: Mark) -> bool:
    if mark.kind in _PAIRS or link.kind != _KINDS.get(mark.kind, link.kind):
        return False
    if mark.kind in {"macvlan", "ipvlan", "ipoib"}:
        parent = survey.by_index.get(link.peer) if link.peer_elsewhere else None
        return parent is not None and mark.on in {"", parent.name, parent.parent}
    return True


def _nested(survey: Survey, inode: int) -> bool:
    """Whether the other end is in another guest, which is a host to guests of its own."""
    return any(
        mark.kind == "veth" and mark.netns == str(inode)
        for inside in survey.inside.values()
        for link in inside.links.values()
        if link.kind == "veth" and (mark := ownership.read(link)) is not None
    )


def _adopted(survey: Survey, inode: int, link: Link) -> Entry | None:
    """Return what the shell version made: a port of Open vSwitch that names the process, or a name that does."""
    end = survey.host_end(link)
    if end is None or end.alias:
        return None
    port = survey.ports.get(end.name)
    if port is not None and port.ours:
        mine = bool(port.pid) and survey.pids.get(port.pid) == inode
    else:
        suffix = end.name.removeprefix(f"v{link.name}pl")
        mine = suffix != end.name and suffix.isdecimal() and survey.pids.get(int(suffix)) == inode
    if not mine:
        return None
    return _veth(survey, _entry(link, inode), end, None, newborn=False)._replace(adopted=True)


def _of_host(survey: Survey, seen: set[str]) -> Iterator[Entry]:
    """Yield what is on the host without a guest: ends of pairs, NICs that came home, links on their way."""
    for link in survey.host.links.values():
        mark, newborn = ownership.read(link), ownership.newborn(link)
        shell = SHELL_MACVLAN.fullmatch(link.name) if link.kind == "macvlan" and not link.alias else None
        part = _part(link, mark, newborn=newborn)
        if part is not None:
            yield part
        elif shell and not newborn:
            yield _entry(link)._replace(on=link.parent, state=UNFINISHED, adopted=True)
        elif link.kind == "veth" and link.name not in seen and (newborn or (mark and mark.kind == "veth")):
            port = survey.ports.get(link.name)
            yield _entry(link)._replace(
                interface="",
                kind="ovs" if port else "bridge",
                on=port.bridge if port else link.master,
                vlan=port.vlan if port else "",
                host_end=link.name,
                inode=int(mark.netns or 0) if mark else 0,
                state=UNFINISHED if newborn else ORPHAN,
            )
        elif mark is not None and not _is_shared(link, mark):
            state = UNFINISHED if newborn else ORPHAN
            yield _entry(link)._replace(kind=mark.kind, on=mark.nic or mark.on, vlan=mark.vlan, state=state)


def _part(link: Link, mark: Mark | None, *, newborn: bool) -> Entry | None:
    """Return the host's own part in a network: the sibling of a NIC, or a switch where it was given addresses."""
    entry = _entry(link)._replace(guest=THIS_HOST)
    sibling = newborn if mark is None else mark.kind == _PART
    if link.kind == "macvlan" and sibling:
        on = mark.on if mark else link.parent
        return entry._replace(on=on, state=UNFINISHED if newborn else entry.state)
    if mark is not None and mark.new and link.kind in _SWITCHES and mark.kind in {_PART, link.kind}:
        return entry._replace(kind=_SWITCHES[link.kind], on=link.name)
    return None


def _of_switches(survey: Survey) -> Iterator[Entry]:
    """Yield the ports of guests that are gone: the switch keeps them when their device has ended."""
    for port in survey.ports.values():
        if port.ours and port.name not in survey.host.links:
            yield Entry(
                interface="",
                kind="ovs",
                on=port.bridge,
                vlan=port.vlan,
                host_end=port.name,
                state=ORPHAN,
                late=called(port),
            )


def called(port: SwitchPort) -> str:
    """Return what a switch calls the guest of a port."""
    return port.guest or (f"pid:{port.pid}" if port.pid else "")


def with_guests(found: list[Entry], guests: Mapping[int, Guest]) -> list[Entry]:
    """Return the entries with their guests, in the order of their names, and the host's own parts behind those."""
    named = [entry._replace(guest=entry.guest or guests.get(entry.inode)) for entry in found]
    return sorted(named, key=lambda entry: (_rank(entry), who(entry), entry.interface, entry.host_end))


def _rank(entry: Entry) -> int:
    return 2 if entry.guest is None else int(entry.guest is THIS_HOST)


def who(entry: Entry) -> str:
    """Return the guest as other commands take it; empty when nobody knows. The host is none, and no guest's name."""
    if entry.guest is THIS_HOST:
        return "(host)"
    return f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else entry.late
