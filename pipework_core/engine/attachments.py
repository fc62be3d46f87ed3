"""Every attachment on a host, from what the kernel, the switches and the runtimes tell: no file remembers them. Pure.

What a guest's interface says of itself is believed as far as the host bears it out, since a guest's root can write any
tag: the end of a veth pair on the host must name the guest's namespace, and a macvlan must have a parent on the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine.snapshot import SHELL_MACVLAN
from pipework_core.model import ownership, status
from pipework_core.model.attachment import KEEP
from pipework_core.model.context import Guest
from pipework_core.model.names import natural_key
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import HOST
from pipework_core.plugins.api import LinkBackend
from pipework_core.spec.dhcp import CONTAINER_CLIENT, HOST_CLIENTS
from pipework_core.toolkit import garbage
from pipework_core.toolkit.veth import VETH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipework_core.model.link import Link
    from pipework_core.model.snapshot import Snapshot, SwitchPort

UP, DOWN, EXPIRED, UNFINISHED = status.UP, status.DOWN, status.EXPIRED, status.UNFINISHED
ORPHAN, ELSEWHERE = status.ORPHAN, status.ELSEWHERE
#: Who has the host's own parts in networks (`pipework host`), and the kind in the tag of one that is no bridge of ours.
THIS_HOST = Guest(name="this host", runtime="host", netns=HOST)
_PART = "host"


#: See `model/status.py`.
AttachmentStatus = status.AttachmentStatus


def list_attachments(snapshot: Snapshot, backends: Iterable[LinkBackend]) -> list[AttachmentStatus]:
    """Return all attachments, those of guests first; who the guests are is left open."""
    return _Lister(snapshot, backends).list_attachments()


class _Lister:
    """Lists what a snapshot shows; the backends say what is of their kinds."""

    def __init__(self, snapshot: Snapshot, backends: Iterable[LinkBackend]) -> None:
        self._snapshot = snapshot
        self._backends = {backend.kind: backend for backend in backends}

    def list_attachments(self) -> list[AttachmentStatus]:
        """Return those of guests, then what the host has without a guest, then what only a switch knows."""
        dying = self._snapshot.dying
        found = [
            entry._replace(state=ORPHAN) if inode in dying else entry
            for inode, guest_state in self._snapshot.guest_states.items()
            for link in guest_state.links.values()
            if (entry := self._read_guest_link(inode, link)) is not None
        ]
        seen = {entry.host_end for entry in found if entry.host_end}
        return [*found, *self._list_of_host(seen), *self._list_of_switches()]

    def _read_guest_link(self, inode: int, link: Link) -> AttachmentStatus | None:
        tag, is_pending = ownership.read_tag(link), ownership.is_pending(link)
        end = self._find_host_end(link, inode)
        if tag is None and not is_pending and (end is None or not ownership.read_tag(end)):
            return self._adopt_shell(inode, link)
        if tag is not None and not self._is_attachment(link, tag) and end is None:
            return None  # of the host that this guest is to guests of its own
        entry = _read_status(link, inode)
        backend = self._find_backend(link, tag, end)
        if backend is not None:
            return self._fill_in(entry, link, tag or Tag(kind=backend.kind), backend, end)
        if link.kind == VETH and (tag is None or self._is_nested(inode)):
            return None
        return entry._replace(kind=tag.kind if tag else link.kind, state=ELSEWHERE)

    def _is_attachment(self, link: Link, tag: Tag) -> bool:
        """Whether the link is an attachment by its tag, true or forged, and not what attachments share."""
        return ownership.names_attachment(link, tag) or self._find_kind(tag.kind).link_kind == link.kind != ""

    def _find_host_end(self, link: Link, inode: int) -> Link | None:
        """Return the host's end of a guest's veth pair, if what only the host can write says that it is."""
        end = self._snapshot.host_end(link)
        if end is None:
            return None
        tag = ownership.read_tag(end)
        ours = tag.netns == str(inode) if tag else ownership.is_pending(end)
        return end if ours else None

    def _find_backend(self, link: Link, tag: Tag | None, end: Link | None) -> LinkBackend | None:
        """Return whose kind the link is of; None: the host does not bear out what its tag says.

        What the host says of its end of a pair counts more than the kind in the tag, which the guest can write.
        """
        own = self._find_kind(tag.kind) if tag else None
        if own is not None and tag is not None and own.recognises(self._snapshot, link, tag, end):
            return own
        if own is not None and (end is None or own.link_kind != VETH):
            return None
        return self._find_recognising(link, end)

    def _find_kind(self, kind: str) -> LinkBackend:
        """Return the backend of a kind; one without a name of its own for a package that is gone."""
        return self._backends.get(kind) or LinkBackend()

    def _find_recognising(self, link: Link, end: Link | None) -> LinkBackend | None:
        """Return the first kind that such links are of; not one that accepts every link."""
        made = (backend for backend in self._backends.values() if backend.link_kind)
        return next((one for one in made if one.recognises(self._snapshot, link, Tag(kind=one.kind), end)), None)

    def _fill_in(
        self, entry: AttachmentStatus, link: Link, tag: Tag, backend: LinkBackend, end: Link | None
    ) -> AttachmentStatus:
        """Add what the backend, the host's end and the tag say, and whether a DHCP client that was to stay is there."""
        details = backend.describe(self._snapshot, link, tag, end)
        is_pending = ownership.is_pending(link) or (end is not None and ownership.is_pending(end))
        state = UNFINISHED if is_pending else DOWN if details.off or (end is not None and not end.up) else entry.state
        if state == UP and _has_expired(link, tag.dhcp):
            state = EXPIRED
        client = any(
            (client.inode, client.interface) == (entry.inode, entry.interface) for client in self._snapshot.clients
        )
        return entry._replace(
            kind=tag.kind if backend.link_kind != VETH else backend.kind,
            parent=details.parent,
            vlan=details.vlan,
            host_end=end.name if end else "",
            state=state,
            dhcp=tag.dhcp,
            alive=client if tag.dhcp.endswith("-f") else None,
        )

    def _is_nested(self, inode: int) -> bool:
        """Whether the other end is in another guest, which is a host to guests of its own."""
        return any(
            tag.kind == VETH and tag.netns == str(inode)
            for guest_state in self._snapshot.guest_states.values()
            for link in guest_state.links.values()
            if link.kind == VETH and (tag := ownership.read_tag(link)) is not None
        )

    def _adopt_shell(self, inode: int, link: Link) -> AttachmentStatus | None:
        """Return what the shell version made: a port of a switch that names the process, or a name that does."""
        end = self._snapshot.host_end(link)
        if end is None or end.alias:
            return None
        port, pids = self._snapshot.ports.get(end.name), self._snapshot.pids
        if port is not None and port.ours:
            mine = bool(port.pid) and pids.get(port.pid) == inode
        else:
            suffix = end.name.removeprefix(f"v{link.name}pl")
            mine = suffix != end.name and suffix.isdecimal() and pids.get(int(suffix)) == inode
        backend = self._find_recognising(link, end) if mine else None
        if backend is None:
            return None
        entry = self._fill_in(_read_status(link, inode), link, Tag(kind=backend.kind), backend, end)
        return entry._replace(adopted=True)

    def _list_of_host(self, seen: set[str]) -> Iterator[AttachmentStatus]:
        """Yield what is on the host without a guest: ends of pairs, NICs that came home, links on their way."""
        for link in self._snapshot.host_state.links.values():
            tag, is_pending = ownership.read_tag(link), ownership.is_pending(link)
            shell = SHELL_MACVLAN.fullmatch(link.name) if link.kind == "macvlan" and not link.alias else None
            part = self._read_host_access(link, tag, is_pending=is_pending)
            if part is not None:
                yield part
            elif shell and not is_pending:
                yield _read_status(link)._replace(parent=link.parent, state=UNFINISHED, adopted=True)
            elif link.kind == VETH and link.name not in seen and (is_pending or (tag and tag.kind == VETH)):
                backend = self._find_recognising(link, link) or LinkBackend()
                details = backend.describe(self._snapshot, link, Tag(kind=backend.kind), link)
                inode = int(tag.netns or 0) if tag else 0
                lives = inode in self._snapshot.spaces or garbage.is_moved(self._snapshot, link)
                yield _read_status(link)._replace(
                    interface="",
                    kind=backend.kind,
                    parent=details.parent,
                    vlan=details.vlan,
                    host_end=link.name,
                    inode=inode,
                    state=UNFINISHED if is_pending else ELSEWHERE if lives else ORPHAN,
                )
            elif tag is not None and self._is_attachment(link, tag):
                state = UNFINISHED if is_pending else ORPHAN
                yield _read_status(link)._replace(
                    kind=tag.kind, parent=tag.nic or tag.parent, vlan=tag.vlan, state=state
                )

    def _read_host_access(self, link: Link, tag: Tag | None, *, is_pending: bool) -> AttachmentStatus | None:
        """Return the host's own part in a network: the sibling of a NIC, or a switch where it was given addresses."""
        entry = _read_status(link)._replace(guest=THIS_HOST)
        sibling = is_pending if tag is None else tag.kind == _PART
        if link.kind == "macvlan" and sibling:
            parent = tag.parent if tag else link.parent
            return entry._replace(parent=parent, state=UNFINISHED if is_pending else entry.state)
        if tag is None or not tag.new or tag.kind not in {_PART, link.kind}:
            return None
        switches = (backend.kind for backend in self._backends.values() if link.kind in backend.claims.link_kinds)
        kind = next(switches, "")
        return entry._replace(kind=kind, parent=link.name) if kind else None

    def _list_of_switches(self) -> Iterator[AttachmentStatus]:
        """Yield the ports of guests that are gone: the switch keeps them when their device has ended."""
        for port in self._snapshot.ports.values():
            if port.ours and port.name not in self._snapshot.host_state.links:
                yield AttachmentStatus(
                    interface="",
                    kind=port.kind,
                    parent=port.bridge,
                    vlan=port.vlan,
                    host_end=port.name,
                    state=ORPHAN,
                    former_guest=name_former_guest(port),
                )


def _read_status(link: Link, inode: int = 0) -> AttachmentStatus:
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


def _has_expired(link: Link, dhcp: str) -> bool:
    """Whether a client of ours was to get an address (`Dhcp.tag`), and the interface has none that could be of it.

    An address beside the lease hides that: the tag does not tell whose it is. DHCPv6 gives all 128 bits.
    """
    client = dhcp.removesuffix(KEEP)
    if client.removesuffix("6") not in {*HOST_CLIENTS, CONTAINER_CLIENT}:
        return False
    shown = (*link.addresses, *link.leased)
    if client.endswith("6"):
        return not any(":" in address and address.endswith("/128") for address in shown)
    return all(":" in address for address in shown)


def name_former_guest(port: SwitchPort) -> str:
    """Return what a switch calls the guest of a port."""
    return port.guest or (f"pid:{port.pid}" if port.pid else "")


def add_guests(found: list[AttachmentStatus], guests: Mapping[int, Guest]) -> list[AttachmentStatus]:
    """Return the entries with their guests, in the order of their names, and after those the host's own parts."""
    named = [entry._replace(guest=entry.guest or guests.get(entry.inode)) for entry in found]
    return sorted(named, key=_sort_status)


def _sort_status(entry: AttachmentStatus) -> tuple[object, ...]:
    rank = 2 if entry.guest is None else int(entry.guest is THIS_HOST)
    return (rank, *map(natural_key, (name_guest(entry), entry.interface, entry.host_end)))


def name_guest(entry: AttachmentStatus) -> str:
    """Return the guest as other commands take it; empty when nobody knows. The host is none, and no guest's name."""
    if entry.guest is THIS_HOST:
        return "(host)"
    return f"{entry.guest.runtime}:{entry.guest.name}" if entry.guest else entry.former_guest
