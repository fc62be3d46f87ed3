"""What nobody needs any more, found in a snapshot, for `LinkBackend.garbage`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.state import namespaces
from pipework_core.toolkit.shared import is_used
from pipework_core.toolkit.veth import VETH

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipework_core.model.link import GuestState, Link
    from pipework_core.model.snapshot import Snapshot


def serves_nobody(snapshot: Snapshot, link: Link, *, without: Collection[str] = ()) -> bool:
    """Whether nothing that stays uses a link of the host: unused pairs do not count, nor the links of `without`.

    What guests that cannot be seen have on top of it nobody knows: then everything serves somebody.
    """
    used = namespaces.list_parents_used(snapshot.guest_states, snapshot.host_state.links.values())
    going = {*find_unused_pairs(snapshot), *without}
    return not snapshot.unsure and link.name not in used and not is_used(snapshot.host_state, link, without=going)


def find_unused_pairs(snapshot: Snapshot) -> dict[str, str]:
    """Return the host's ends of unused veth pairs, by name, with the reason why each is unused."""
    ends = (link for link in snapshot.host_state.links.values() if link.kind == VETH)
    return {link.name: wrong for link in ends if (wrong := _explain_unused(snapshot, link))}


def _explain_unused(snapshot: Snapshot, link: Link) -> str:
    """Return why nobody needs a pair; empty for one that is in use, or is not ours."""
    if ownership.is_pending(link):
        return "which a killed run left"
    tag = ownership.read_tag(link)
    if tag is None or tag.kind != VETH or not tag.netns:
        return ""
    inode = int(tag.netns) if tag.netns.isdecimal() else 0
    if inode in snapshot.spaces:
        guest_state = snapshot.guest_states.get(inode)
        far = _far_end(snapshot, guest_state, link) if guest_state else None
        return "which a killed run left" if far is not None and not far.alias and ownership.is_pending(far) else ""
    # The guest may have moved its end to another namespace, and some namespaces may be hidden from us.
    return "" if is_moved(snapshot, link) or snapshot.unsure else "whose guest is gone"


def is_moved(snapshot: Snapshot, end: Link) -> bool:
    """Whether the other end of a host's end is in a namespace that lives, whichever."""
    return any(_far_end(snapshot, guest_state, end) for guest_state in snapshot.guest_states.values())


def _far_end(snapshot: Snapshot, guest_state: GuestState, end: Link) -> Link | None:
    return next((link for link in guest_state.links.values() if snapshot.host_end(link) is end), None)
