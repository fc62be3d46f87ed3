"""Which interfaces of a guest are attachments, and what each of them is. Pure, no I/O.

A guest's root can rename an interface, clear its alias, write another one, or move it away. What the host has of it, no
guest can write: the end of a veth pair says whose it is, and its bridge what it is connected to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.model.errors import GuestError, PluginError, UsageError
from pipework_core.model.link import Link
from pipework_core.model.names import hash_host_name, host_name
from pipework_core.model.ownership import Tag
from pipework_core.toolkit.veth import VETH, find_host_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.context import Guest
    from pipework_core.model.link import GuestState, HostState
    from pipework_core.plugins.manager import PluginManager


def list_attached(guest_state: GuestState, guest: Guest, host: HostState) -> list[Link]:
    """Return the guest's interfaces that are ours, finished or not, by their marks or by their ends on the host."""
    return [
        link
        for link in guest_state.links.values()
        if link.layer != "loopback"
        and (
            ownership.salvage_tag(link)[0] is not None
            or ownership.is_pending(link)
            or _find_tagged_end(host, guest, link) is not None
        )
    ]


def _find_tagged_end(host: HostState, guest: Guest, link: Link) -> Link | None:
    end = find_host_end(host, guest.inode, link)
    return end if end is not None and ownership.read_tag(end) is not None else None


def add_lost_ends(guest_state: GuestState, guest: Guest, host: HostState) -> GuestState:
    """Return the guest with an interface for each veth pair that is its own and whose end is not in it any more.

    The guest moved it to another namespace. It goes by the name of the host's end.
    """
    there = {end.name for link in guest_state.links.values() if (end := find_host_end(host, guest.inode, link))}
    lost = [end for end in host.links.values() if end.name not in there and _is_end_of(end, guest)]
    links = {
        name: Link(name=name, ifindex=end.peer, kind=VETH, peer=end.ifindex, peer_elsewhere=True)
        for end in lost
        for name in (end.name if end.name not in guest_state.links else f"{end.name}/host",)
    }
    return guest_state._replace(links={**guest_state.links, **links}) if links else guest_state


def _is_end_of(end: Link, guest: Guest) -> bool:
    tag = ownership.read_tag(end)
    named = tag is not None and tag.kind == VETH and tag.netns == str(guest.inode)
    return named and end.kind == VETH and end.peer_elsewhere


def choose_interfaces(
    guest_state: GuestState, guest: Guest, interface: str, *, everything: bool, host: HostState
) -> list[str]:
    """Return the interfaces to detach, the newest first, none when nothing is attached any more.

    Raise GuestError or UsageError when it is not clear which.
    """
    ours = sorted(list_attached(guest_state, guest, host), key=lambda link: link.ifindex, reverse=True)
    names = [link.name for link in ours]
    if interface:
        found = find_interface(guest_state, guest, host, interface)
        if found:
            return [found]
        if interface in guest_state.links:
            raise GuestError(
                f"{interface} of {guest.name} is not pipework's, and stays.", hint=_list_known(names, guest)
            )
        return []
    if len(names) > 1 and not everything:
        raise UsageError(
            f"{guest.name} has {len(names)} attachments.", hint=f"{_list_known(names, guest)}; or write --all"
        )
    return names


def _list_known(names: Iterable[str], guest: Guest) -> str:
    listed = ", ".join(sorted(names))
    return f"choose with -i: {listed}" if listed else f"pipework attached nothing to {guest.name}"


def find_interface(guest_state: GuestState, guest: Guest, host: HostState, asked: str, end_name: str = "") -> str:
    """Return what an attachment's interface is called now, empty when it is gone.

    It may have been renamed, or moved away: then the name of the host's end tells, `end_name` where one was asked for.
    Raise GuestError for ends on the host of which nobody knows any more which attachment they are of.
    """
    ours = {link.name: link for link in list_attached(guest_state, guest, host)}
    if asked in ours:
        return asked
    ends = {name: end for name, link in ours.items() if (end := _find_tagged_end(host, guest, link)) is not None}
    usual = {maker(asked, number) for number in (guest.pid, guest.inode) for maker in (host_name, hash_host_name)}
    named = [name for name, end in ends.items() if end.name in {*usual, end_name}]
    if named:
        return named[0]
    lost = sorted(end.name for name, end in ends.items() if name.removesuffix("/host") == end.name)
    if lost and asked not in guest_state.links:
        raise GuestError(
            f"{guest.name} has moved away what {', '.join(lost)} of this host leads to, which may be {asked}.",
            hint=f"pipework detach {guest.name} --all takes it away",
        )
    return ""


def read_evidence(
    link: Link, guest: Guest, host: HostState, plugins: PluginManager
) -> tuple[Tag, tuple[str, ...], tuple[str, ...]]:
    """Return what an interface remembers, as far as it makes sense; what was lost of it, and warnings, a sentence each.

    For one that a killed run left without a tag, or whose alias the guest cleared, its kind and the host's end tell.
    """
    told, wrong = ownership.salvage_tag(link)
    end = find_host_end(host, guest.inode, link)
    tag = _choose_kind(link, told or Tag(kind=plugins.find_kind_of(link)), end, host, plugins)
    losses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    if wrong:
        losses = (f"what {link.name} of {guest.name} remembers as {', '.join(wrong)} makes no sense, and is left out.",)
    elif told is not None and told.kind != tag.kind:
        losses = (f"{link.name} of {guest.name} says that it is {told.kind}:{told.parent}, which is not so.",)
    elif told is None and not ownership.is_pending(link):
        warnings = (f"{link.name} of {guest.name} has lost its mark: what it replaced in the guest is not known.",)
    elif end is not None and not end.master and tag.kind in plugins.find_backend(tag.kind).claims.link_kinds:
        warnings = (f"{end.name}, to which {link.name} of {guest.name} leads, is a port of no bridge.",)
    return tag, losses, warnings


def _choose_kind(link: Link, tag: Tag, end: Link | None, host: HostState, plugins: PluginManager) -> Tag:
    """Return the tag with the kind that fits the link, and the bridge that the host's end is a port of."""
    try:
        backend = plugins.find_backend(tag.kind)
    except PluginError:
        backend = None
    makers = list(plugins.iterate_built_in_backends())
    if end is None:  # without a kind that makes such links, whoever knows the kind in the tag has to say more
        below = host.by_index(link.peer) if link.peer_elsewhere else None
        fits = backend is not None and backend.link_kind in {"", link.kind}
        fits = fits and not (below is not None and backend is not None and backend.moves_nic)
        exactly = [one.kind for one in makers if one.link_kind == link.kind != VETH]
        tag = tag._replace(kind=exactly[0], nic="") if exactly and not fits else tag
        return _correct_parent(tag, below) if exactly and below is not None else tag
    makers = [one for one in makers if one.link_kind == VETH]
    master = host.links.get(end.master)
    ours = [one.kind for one in makers if master is not None and master.kind in one.claims.link_kinds]
    foreign = backend is not None and backend.link_kind == VETH and tag.kind not in {one.kind for one in makers}
    if not foreign and ours and tag.kind not in ours:
        tag = tag._replace(kind=ours[0], parent="")
    elif backend is None or backend.link_kind != VETH:
        tag = tag._replace(kind=plugins.find_kind_of(link), parent="")
    return tag._replace(parent=master.name) if master is not None and master.kind == tag.kind else tag


def _correct_parent(tag: Tag, below: Link) -> Tag:
    """Return the tag with the parent that the link is on, unless it names that one, or what its VLAN is made of."""
    return tag if tag.parent in {below.name, below.parent} - {""} else tag._replace(parent=below.name, vlan="")
