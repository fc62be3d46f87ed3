"""Detaching: the inverse of an attachment, from nothing but what its interface remembers. Pure, no I/O."""

from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import PipeworkError
from pipework_core.model.plan import BEST_EFFORT, Command, Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pipework_core.model.context import Context, Guest, SharedResource
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Netns
    from pipework_core.plugins.api import Addressing, LinkBackend
    from pipework_core.plugins.manager import PluginManager


def needs_links_alone(links: Mapping[str, Link], interface: str) -> bool:
    """Whether detaching depends on no more of the guest than its links: not on routes, leases or a kind's own data."""
    link = links.get(interface)
    tags = list(filter(None, (ownership.salvage_tag(link)[0] for link in links.values())))
    plain = link is None or (link.kind == "veth" and not ownership.is_pending(link))
    return plain and not any(tag.gw4 or tag.gw6 or tag.dhcp for tag in tags)


def make_request(link: Link, tag: Tag, guest: Guest) -> Attachment:
    """Return a request as its mark tells it, for the backend to plan from."""
    return Attachment(
        guest=guest.name, host=tag.parent, kind=tag.kind, interface=link.name, vlan=tag.vlan, replace=True
    )


def plan_detach(  # noqa: PLR0913 - what one plan depends on
    context: Context,
    backend: LinkBackend,
    addressing: Addressing | None,
    tag: Tag,
    *,
    keep: bool,
    used_elsewhere: Collection[str],
) -> tuple[Plan, tuple[Command, ...], Context]:
    """Return what detaches the interface that the request names, its notes, and the context after it.

    The notes are those of its steps that mark on the host what is about to be removed.

    `tag` is what the interface remembers, as far as it makes sense.
    `keep` leaves bridges and VLANs that nobody uses any more, and what was raised for them; `used_elsewhere` names
    those that links of other namespaces are on. What the interface's own lease needs comes first, while it still works.
    """
    link = context.guest_state.links[context.attachment.interface]
    leasing = context._replace(keeps_lease=backend.keeps_lease(context, link)) if addressing else context
    released = addressing.release(leasing, tag) if addressing else Plan()
    clearing = backend.replacement(context, link, tag)
    heirs = {name: heir for name, heir in _find_inheritors(context, link, tag) if ownership.fits_alias(heir)}
    inherited = Plan(steps=tuple(_update_inheritor(context, name, heir) for name, heir in heirs.items()))
    unused = () if keep else find_unneeded(list_shared(context, backend, tag), used_elsewhere)
    notes = tuple(note_removal(unused, context.host_state))
    detaching = Plan(steps=notes, cleanup=tuple(left.remove for left in unused))
    there = clearing.context.guest_state.links
    changed = {name: there[name]._replace(alias=heir.alias) for name, heir in heirs.items()}
    guest_state = clearing.context.guest_state._replace(links={**there, **changed})
    next_context = clearing.context._replace(guest_state=guest_state)
    if unused:
        links = dict(next_context.host_state.links)
        for resource in unused:
            _simulate_removal(links, resource)
        next_context = next_context._replace(host_state=next_context.host_state._replace(links=links))
    return released + clearing.before + inherited + detaching + clearing.after, notes, next_context


def list_shared(context: Context, backend: LinkBackend, tag: Tag) -> tuple[SharedResource, ...]:
    """Return what nobody may need after this; nothing for a tag whose words are good and make no sense together."""
    try:
        return backend.shared_resources(context, tag)
    except PipeworkError:
        return ()


def _simulate_removal(links: dict[str, Link], resource: SharedResource) -> None:
    """Change the links of the host as removing a resource will change them, or as putting it back will."""
    words = resource.remove.argv
    link = links.get(resource.name)
    if link is None:
        return
    if "set" not in words:
        del links[resource.name]
    elif "group" in words:
        group = words[words.index("group") + 1]
        links[resource.name] = link._replace(up=link.up and "down" not in words, group=group)


def find_unneeded(
    shared_resources: Iterable[SharedResource], used_elsewhere: Collection[str]
) -> tuple[SharedResource, ...]:
    """Return those that nobody is on top of: one that somebody uses keeps those below it."""
    return tuple(takewhile(lambda left: left.name not in used_elsewhere, shared_resources))


def note_removal(unused: Iterable[SharedResource], host: HostState) -> Iterable[Command]:
    """Note on what will be swept that it is to go, so that the next run does it when this one is killed before."""
    for name in dict.fromkeys(left.name for left in unused):
        link = host.links.get(name)
        if link is None:  # a bridge of Open vSwitch without a datapath
            continue
        bits = ownership.read_changes(link)
        group = ownership.group_for(bits | ownership.DETACHING) if bits else ownership.PENDING_GROUP
        if group != link.group:
            words = ("ip", "link", "set", "dev", link.name, "group")
            undo = Command(argv=(*words, link.group))
            yield Command(argv=(*words, group), undo=(undo,), reason=f"note that {link.name} has no use after this")


def find_unfinished(host: HostState, plugins: PluginManager) -> list[tuple[Attachment, Tag]]:
    """Return what killed runs did not sweep, or leave on the host for good, as requests that have no interface."""
    return [
        (Attachment(guest="", host=tag.parent, kind=tag.kind, vlan=tag.vlan, replace=True), tag)
        for link in host.links.values()
        if (tag := _read_unfinished(link, plugins)) is not None
    ]


def _read_unfinished(link: Link, plugins: PluginManager) -> Tag | None:
    """Return what led to a link of the host that is noted to go."""
    if ownership.read_changes(link) & ownership.DETACHING:
        return plugins.find_shared_tag(link)
    if link.group != ownership.PENDING_GROUP:
        return None
    tag = ownership.read_tag(link)
    # What a third party made for attachments in general tells by itself of which: it names no request.
    if tag is not None and (tag.nic or (tag.parent and not tag.req)):
        return tag
    return plugins.find_shared_tag(link)


def _find_inheritors(context: Context, link: Link, tag: Tag) -> Iterable[tuple[str, Tag]]:
    """Hand on the default route that we replaced to the attachment that replaced ours: it has to give it back now."""
    for other in context.guest_state.links.values():
        theirs = ownership.read_tag(other)
        if theirs is None or other.name == link.name:
            continue
        heir = theirs
        if _leads_through(theirs.gw4, link.name):
            heir = heir._replace(gw4=tag.gw4)
        if _leads_through(theirs.gw6, link.name):
            heir = heir._replace(gw6=tag.gw6)
        if heir != theirs:
            yield other.name, heir


def _update_inheritor(context: Context, name: str, heir: Tag) -> Command:
    """Return what writes an heir's new mark."""
    netns, gone = context.guest.netns, context.attachment.interface
    return _set_alias(
        name,
        heir.alias,
        netns,
        undo=(_set_alias(name, context.guest_state.links[name].alias, netns),),
        reason=f"let {name} remember the default route that {gone} replaced",
    )._replace(ok_codes=BEST_EFFORT)


def _leads_through(word: str, name: str) -> bool:
    return ("dev", name) in pairwise(ownership.route_from(word))


def _set_alias(name: str, alias: str, netns: Netns, *, undo: tuple[Command, ...] = (), reason: str = "") -> Command:
    return Command(argv=("ip", "link", "set", "dev", name, "alias", alias), netns=netns, undo=undo, reason=reason)
