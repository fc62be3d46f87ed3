"""Detaching: the inverse of an attachment, from nothing but what its interface remembers. Pure, no I/O."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pipework_core import marks
from pipework_core.errors import GuestError, UsageError
from pipework_core.plan import Command, Plan
from pipework_core.request import Attachment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipework_core.contract import Addressing, Backend, Guest, Scene
    from pipework_core.facts import GuestFacts, Link
    from pipework_core.marks import Mark
    from pipework_core.plan import Netns

#: What a link of a killed run is, where its kind alone tells; the others have an end on a bridge.
_BY_KIND = {"macvlan": "macvlan", "ipvlan": "ipvlan", "dummy": "dummy"}


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
    return [link for link in inside.links.values() if marks.read(link) is not None or marks.newborn(link)]


def mark_of(link: Link) -> Mark:
    """Return what the interface remembers; for one that a killed run left without, what its kind tells."""
    return marks.read(link) or marks.Mark(kind=_BY_KIND.get(link.kind, "bridge"))


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
) -> Plan:
    """Return what detaches the interface that the request names.

    `keep` leaves bridges and VLANs that nobody uses any more; `used_elsewhere` names those that links of other
    namespaces are on. What the interface's own lease needs comes first, while it still works.
    """
    link = scene.inside.links[scene.attachment.interface]
    mark = mark_of(link)
    released = addressing.release(scene, mark) if addressing else Plan()
    clearing = backend.clear(scene, link, mark)
    inherited = Plan(steps=tuple(_inherited(scene, link, mark)))
    unused = () if keep else backend.leftovers(scene, mark)
    sweep = tuple(left.remove for left in unused if left.name not in used_elsewhere)
    return released + clearing.before + inherited + clearing.after + Plan(sweep=sweep)


def _inherited(scene: Scene, link: Link, mark: Mark) -> Iterable[Command]:
    """Hand on the default route that we replaced to the attachment that replaced ours: it has to give it back now."""
    for other in scene.inside.links.values():
        theirs = marks.read(other)
        if theirs is None or other.name == link.name:
            continue
        heir = theirs
        if _leads_through(theirs.gw4, link.name):
            heir = heir._replace(gw4=mark.gw4)
        if _leads_through(theirs.gw6, link.name):
            heir = heir._replace(gw6=mark.gw6)
        if heir != theirs:
            yield _remembered(
                other.name,
                heir.alias,
                scene.guest.netns,
                undo=(_remembered(other.name, theirs.alias, scene.guest.netns),),
                why=f"let {other.name} remember the default route that {link.name} replaced",
            )


def _leads_through(word: str, name: str) -> bool:
    return ("dev", name) in pairwise(marks.route_from(word))


def _remembered(name: str, alias: str, netns: Netns, *, undo: tuple[Command, ...] = (), why: str = "") -> Command:
    return Command(argv=("ip", "link", "set", "dev", name, "alias", alias), netns=netns, undo=undo, why=why)
