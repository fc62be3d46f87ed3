"""Detaching: the inverse of an attachment, from nothing but what its interface remembers. Pure, no I/O."""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import GuestError, UsageError
from pipework_core.model.plan import Command, Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipework_core.model.context import Guest, Leftover, Scene
    from pipework_core.model.link import GuestFacts, HostFacts, Link
    from pipework_core.model.ownership import Mark
    from pipework_core.model.plan import Netns
    from pipework_core.plugins.api import Addressing, Backend

#: What a link of a killed run is, where its kind alone tells; the others have an end on a bridge.
_BY_KIND = {"macvlan": "macvlan", "ipvlan": "ipvlan", "dummy": "dummy"}
#: Who makes such a link on the host; the device of a bridge of Open vSwitch is of one of two kinds.
_MADE = {"bridge": "bridge", "openvswitch": "ovs", "tun": "ovs"}


def chosen(inside: GuestFacts, guest: Guest, interface: str, *, everything: bool) -> list[str]:
    """Return the interfaces to detach, the newest first; raise GuestError or UsageError when it is not clear which."""
    ours = sorted(attached(inside), key=lambda link: link.ifindex, reverse=True)
    names = [link.name for link in ours]
    if interface:
        if interface in names:
            return [interface]
        if interface in inside.links:
            raise GuestError(f"{interface} of {guest.name} is not pipework's, and stays.", hint=_known(names, guest))
        raise GuestError(f"{guest.name} has no interface {interface!r}.", hint=_known(names, guest))
    if len(names) > 1 and not everything:
        raise UsageError(f"{guest.name} has {len(names)} attachments.", hint=f"{_known(names, guest)}; or write --all")
    return names


def _known(names: Iterable[str], guest: Guest) -> str:
    listed = ", ".join(sorted(names))
    return f"choose with -i: {listed}" if listed else f"pipework attached nothing to {guest.name}"


def attached(inside: GuestFacts) -> list[Link]:
    """Return the guest's interfaces that are ours, finished or not."""
    return [link for link in inside.links.values() if ownership.read(link) is not None or ownership.newborn(link)]


def mark_of(link: Link) -> Mark:
    """Return what the interface remembers; for one that a killed run left without, what its kind tells."""
    return ownership.read(link) or ownership.Mark(kind=_BY_KIND.get(link.kind, "bridge"))


def request(link: Link, mark: Mark, guest: Guest) -> Attachment:
    """Return a request as its mark tells it, for the backend to plan from."""
    return Attachment(guest=guest.name, host=mark.on, kind=mark.kind, interface=link.name, vlan=mark.vlan, replace=True)


def plan(
    scene: Scene,
    backend: Backend,
    addressing: Addressing | None,
    *,
    keep: bool,
    used_elsewhere: Collection[str],
) -> tuple[Plan, Scene]:
    """Return what detaches the interface that the request names, and the scene as it is then.

    `keep` leaves bridges and VLANs that nobody uses any more, and what was raised for them; `used_elsewhere` names
    those that links of other namespaces are on. What the interface's own lease needs comes first, while it still works.
    """
    link = scene.inside.links[scene.attachment.interface]
    mark = mark_of(link)
    released = addressing.release(scene, mark) if addressing else Plan()
    clearing = backend.clear(scene, link, mark)
    heirs = dict(_heirs(scene, link, mark))
    inherited = Plan(steps=tuple(_told(scene, name, heir) for name, heir in heirs.items()))
    unused = () if keep else unneeded(backend.leftovers(scene, mark), used_elsewhere)
    leaving = Plan(steps=tuple(_leaving(unused, scene.host)), sweep=tuple(left.remove for left in unused))
    there = clearing.scene.inside.links
    then = {name: there[name]._replace(alias=heir.alias) for name, heir in heirs.items()}
    inside = clearing.scene.inside._replace(links={**there, **then})
    return released + clearing.before + inherited + leaving + clearing.after, clearing.scene._replace(inside=inside)


def unneeded(leftovers: Iterable[Leftover], used_elsewhere: Collection[str]) -> tuple[Leftover, ...]:
    """Return those that nobody is on top of: one that somebody uses keeps those below it."""
    return tuple(takewhile(lambda left: left.name not in used_elsewhere, leftovers))


def _leaving(unused: Iterable[Leftover], host: HostFacts) -> Iterable[Command]:
    """Note on what will be swept that it is to go, so that the next run does it when this one is killed before."""
    for name in dict.fromkeys(left.name for left in unused):
        link = host.links.get(name)
        if link is None:  # a bridge of Open vSwitch without a datapath
            continue
        bits = ownership.changed(link)
        group = ownership.group_for(bits | ownership.LEAVING) if bits else ownership.BIRTH_GROUP
        if group != link.group:
            words = ("ip", "link", "set", "dev", link.name, "group")
            undo = Command(argv=(*words, link.group))
            yield Command(argv=(*words, group), undo=(undo,), why=f"note that {link.name} has no use behind this")


def unfinished(host: HostFacts) -> list[tuple[Attachment, Mark]]:
    """Return what killed runs did not sweep, or leave on the host for good, as requests that have no interface."""
    return [
        (Attachment(guest="", host=mark.on, kind=mark.kind, vlan=mark.vlan, replace=True), mark)
        for link in host.links.values()
        if (mark := _unfinished(link)) is not None
    ]


def _unfinished(link: Link) -> Mark | None:
    """Return what led to a link of the host that is noted to go."""
    mark, bits = ownership.read(link), ownership.changed(link)
    if bits & ownership.LEAVING:
        vlan = "1" if bits & ownership.FILTERING else ""  # for the backend to read those of the bridge
        return ownership.Mark(kind=_MADE.get(link.kind, "macvlan"), on=link.name, vlan=vlan)
    if link.group != ownership.BIRTH_GROUP:
        return None
    # What a third party made for attachments in general tells by itself of which: it names no request.
    if mark is not None and (mark.nic or (mark.on and not mark.req)):
        return mark
    if link.kind == "vlan" and link.parent:
        return ownership.Mark(kind="macvlan", on=link.parent, vlan=str(link.data.get("id", "")))
    return ownership.Mark(kind=_MADE[link.kind], on=link.name) if link.kind in _MADE else None


def _heirs(scene: Scene, link: Link, mark: Mark) -> Iterable[tuple[str, Mark]]:
    """Hand on the default route that we replaced to the attachment that replaced ours: it has to give it back now."""
    for other in scene.inside.links.values():
        theirs = ownership.read(other)
        if theirs is None or other.name == link.name:
            continue
        heir = theirs
        if _leads_through(theirs.gw4, link.name):
            heir = heir._replace(gw4=mark.gw4)
        if _leads_through(theirs.gw6, link.name):
            heir = heir._replace(gw6=mark.gw6)
        if heir != theirs:
            yield other.name, heir


def _told(scene: Scene, name: str, heir: Mark) -> Command:
    """Return what writes an heir's new mark."""
    netns, gone = scene.guest.netns, scene.attachment.interface
    return _remembered(
        name,
        heir.alias,
        netns,
        undo=(_remembered(name, scene.inside.links[name].alias, netns),),
        why=f"let {name} remember the default route that {gone} replaced",
    )


def _leads_through(word: str, name: str) -> bool:
    return ("dev", name) in pairwise(ownership.route_from(word))


def _remembered(name: str, alias: str, netns: Netns, *, undo: tuple[Command, ...] = (), why: str = "") -> Command:
    return Command(argv=("ip", "link", "set", "dev", name, "alias", alias), netns=netns, undo=undo, why=why)
