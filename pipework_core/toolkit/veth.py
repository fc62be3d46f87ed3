"""Veth pairs with one end in the guest and one on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import ConflictError, HostError
from pipework_core.model.names import host_name
from pipework_core.model.ownership import PENDING_GROUP, Tag, is_pending, read_tag
from pipework_core.model.plan import Command, Plan
from pipework_core.toolkit.iproute import guest_link_words, ip

if TYPE_CHECKING:
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link


#: The kernel's kind of both ends of a pair, and the kind in the tag of the host's end.
VETH = "veth"


def choose_veth_name(context: Context) -> str:
    """Return the name of the host's end; a second choice while the link that is being replaced still has the first."""
    attachment, guest = context.attachment, context.guest
    if attachment.host_name:
        return attachment.host_name
    number = guest.pid or guest.inode
    name = host_name(attachment.interface, number)
    if name in context.host_state.links and attachment.replace and context.existing is None:
        return host_name(f"{attachment.interface}{attachment.host}", number * 2 + 1)
    return name


def find_veth_peer(context: Context, link: Link) -> Link | None:
    """Return the host's end of the guest's veth `link`. See `find_host_end`."""
    return find_host_end(context.host_state, context.guest.inode, link)


def find_host_end(host: HostState, inode: int, link: Link) -> Link | None:
    """Return the host's end of a veth `link` of the guest with that namespace; None when it has none of ours.

    That the two name each other by ifindex proves nothing: a guest's root can make a pair with any two numbers. The
    tag on the host's end, which no guest can write, must name the guest's namespace.
    """
    if link.kind != VETH or not link.peer_elsewhere:
        return None
    other = host.by_index(link.peer)
    if other is None or other.kind != VETH or other.peer != link.ifindex:
        return None
    tag = read_tag(other)
    ours = tag.netns == str(inode) if tag else is_pending(other)
    return other if ours else None


def require_veth_peer(context: Context, link: Link) -> Link:
    """Return the host's end of the guest's veth `link`; raise HostError when it has none. See `find_veth_peer`."""
    peer = find_veth_peer(context, link)
    if peer is None:
        raise HostError(
            f"{link.name} of {context.guest.name} has lost its end on the host.",
            hint=f"delete {link.name} in the guest, and run this again",
        )
    return peer


def make_veth(context: Context, *, mtu: int, master: str = "", up: bool = True) -> tuple[str, Plan]:
    """Return the host's end and the plan that makes a veth pair, one end in the guest, in a single netlink message.

    Raise ConflictError when the host's name is taken.
    """
    name = choose_veth_name(context)
    there = context.host_state.find(name)
    if there is not None:
        ours = read_tag(there) is not None
        first = "`pipework ls --json` tells whose it is; detach that, or " if ours else ""
        raise ConflictError(
            f"the host has an interface {name} already.", hint=f"{first}choose another name for the host's end with -l"
        )
    attachment = context.attachment
    near = ("name", name, "mtu", str(mtu), *(("master", master) if master else ()), *(("up",) if up else ()))
    far = guest_link_words(context, "mtu", str(mtu))
    command = ip(
        *("link", "add", *near, "group", PENDING_GROUP, "type", VETH, "peer", *far),
        undo=[ip("link", "delete", "dev", name)],
        reason=f"make {attachment.interface} in {context.guest.name}, with {name} on the host",
    )
    return name, Plan(steps=(command, tag_veth(context, name)))


def tag_veth(context: Context, name: str) -> Command:
    """Return the command that tags a host's end: it gets its alias and leaves the group of pending links."""
    alias = Tag(kind=VETH, netns=str(context.guest.inode)).alias
    return ip("link", "set", "dev", name, "group", "default", "alias", alias, reason=f"mark {name} as pipework's")
