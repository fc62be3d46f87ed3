"""Brings a NIC home from a guest, and gives it back what a request changed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Replacement
from pipework_core.model.errors import ConflictError
from pipework_core.model.ownership import PENDING_GROUP, read_tag
from pipework_core.model.plan import BEST_EFFORT, HOST, Command, Outcome, Plan
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import (
    find_earlier_defaults,
    list_lost_defaults,
    remove_link,
    restore_defaults,
    restore_link,
    try_route,
)

if TYPE_CHECKING:
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.ownership import Tag


def bring_home(context: Context, link: Link, tag: Tag) -> Replacement:
    """Return what moves a NIC back to the host with its name and settings; undoing takes it into the guest again.

    Raise ConflictError for what the guest may have made itself: its root writes the tag, and renames what it likes
    between our look and the move. So the NIC arrives under a name of ours, down, and is looked at again on the host.
    """
    name, netns = tag.nic, context.guest.netns
    peer = _check_origin(context, link, tag)
    if name in context.host_state.links:
        raise ConflictError(
            f"{link.name} of {context.guest.name} was {name} on the host, which has another {name} by now.",
            hint=f"rename the host's {name}",
        )
    routes = [route for route in context.guest_state.routes if route.dev == link.name and not route.kernel]
    settings = (*(("address", link.mac) if tag.mac else ()), *(("mtu", str(link.mtu)) if tag.mtu else ()))
    again = [ip("link", "set", "dev", link.name, *settings, netns=netns)] if settings else []
    again += restore_link(link, routes, netns)
    reason = f"bring {link.name} home, as {name}"
    # While it is in our group, it is known to be on its way: if this run is killed, the next one finishes it.
    if tag.phy:
        steps = _bring_radio_home(context, link, tag, again, reason)
    else:
        landing = _choose_landing(context, link)
        enter = ip("link", "set", "dev", landing, "netns", netns.path, "name", link.name, "group", link.group)
        leave = ("link", "set", "dev", link.name, "netns", HOST.path, "name", landing, "group", PENDING_GROUP)
        steps = [
            ip(*leave, netns=netns, undo=[enter, *again], reason=reason),
            _check_arrival(landing, peer),
            ip("link", "set", "dev", landing, "name", name, undo=[ip("link", "set", "dev", name, "name", landing)]),
        ]
    home_words = (*list_original_words(tag), *(("up",) if tag.state == "up" else ()))
    if home_words:
        undo = [ip("link", "set", "dev", name, "down")]
        given = ip("link", "set", "dev", name, *home_words, undo=undo, reason=f"give {name} back what it had")
        steps.append(given._replace(ok_codes=BEST_EFFORT))
    steps.append(
        ip(
            *("link", "set", "dev", name, "group", "default", "alias", ""),
            undo=[ip("link", "set", "dev", name, "group", PENDING_GROUP, "alias", link.alias)],
            reason=f"take the mark off {name}",
        )
    )
    losses: tuple[str, ...] = ()
    if context.detaching:  # first: after the tag is gone, a killed run would leave nobody who knows of them
        steps = [*restore_defaults(context, link, tag), *steps]
        losses = list_lost_defaults(context, link, tag)
    else:
        steps += [try_route(route, netns) for route in find_earlier_defaults(context, link, tag)]
    there = link._replace(
        name=name,
        alias="",
        group="default",
        up=tag.state == "up",
        addresses=(),
        mac=tag.mac or link.mac,
        mtu=int(tag.mtu or link.mtu),
    )
    guest_state = remove_link(context, link, tag)
    host = context.host_state._replace(links={**context.host_state.links, name: there})
    radio = {"radio": Outcome(code=0, stdout=tag.phy)} if tag.phy else {}
    before = Plan(steps=tuple(steps), notes=(f"{name} is back on this host",), losses=losses)
    next_context = context._replace(guest_state=guest_state, host_state=host, answers={**context.answers, **radio})
    return Replacement(context=next_context, before=before)


def find_host_side(host: HostState, link: Link) -> Link | None:
    """Return the link of the host that a link of a guest hangs on, and that no guest could have given it.

    It is the other end of a veth pair, where that is not an attachment of ours and no port of a switch either (what a
    guest uses to be connected is no NIC); or what a VLAN is made of.
    """
    other = host.by_index(link.peer) if link.peer_elsewhere else None
    if other is None or link.kind not in {"veth", "vlan"}:
        return None
    if link.kind == "vlan":
        return other
    free = not other.master and read_tag(other) is None and other.group != PENDING_GROUP
    return other if free and other.kind == "veth" and other.peer == link.ifindex else None


def is_hardware(link: Link) -> bool:
    """Whether no guest can have made such a link: the kernel has no word (`info_kind`) for making one."""
    return not link.kind and link.layer != "loopback"


def belongs_home(link: Link) -> bool:
    """Whether a link that came to the host with a NIC's tag is no guest's making: it hangs on nothing elsewhere."""
    return is_hardware(link) or (not link.peer_elsewhere and bool(link.parent))


def _check_origin(context: Context, link: Link, tag: Tag) -> str:
    """Return the link of the host that a NIC hangs on, empty for hardware; raise ConflictError for anything else."""
    side = None if is_hardware(link) else find_host_side(context.host_state, link)
    vlan = link.kind == "vlan" and side is not None and tag.nic != f"{side.name}.{link.data.get('id')}"
    if not is_hardware(link) and (side is None or vlan):
        words = f"ip link set dev {link.name} netns 1"
        raise ConflictError(
            f"{link.name} of {context.guest.name} says that it is {tag.nic} of this host, and the guest may have made "
            f"it itself ({link.kind or 'loopback'}).",
            hint=f"if it is yours, bring it home by hand: pipework exec {context.guest.name} {words}",
        )
    return side.name if side is not None else ""


def _choose_landing(context: Context, link: Link) -> str:
    """Return a name for the NIC that nothing on the host has."""
    number = link.ifindex
    while f"pw{number}" in context.host_state.links:
        number += 1
    return f"pw{number}"


def _check_arrival(name: str, peer: str) -> Command:
    """Return what sees, on the host, that a NIC is what it was taken for: it has a device, or hangs on that link.

    `ip -brief` calls a link NAME@PEER where the peer is in the same namespace (ipaddress.c, print_linkinfo_brief).
    """
    reason = f"see that {name} is no interface of the guest's making"
    if not peer:
        return Command(argv=("test", "-e", f"/sys/class/net/{name}/device"), reason=reason)
    shown = f"{name}@{peer}"
    return ip("-brief", "address", "show", "dev", name, reason=reason)._replace(expect=f"{shown:<16} DOWN")


def list_original_words(tag: Tag) -> tuple[str, ...]:
    """Return the words that give a NIC what the request changed on it."""
    return (*(("address", tag.mac) if tag.mac else ()), *(("mtu", tag.mtu) if tag.mtu else ()))


def _bring_radio_home(context: Context, link: Link, tag: Tag, again: list[Command], reason: str) -> list[Command]:
    """Rename the radio's interface while it is in the guest, since the host may have one of the guest's name."""
    netns, words = context.guest.netns, ("iw", "phy", tag.phy, "set", "netns", "name")
    group = ("group", PENDING_GROUP)
    back = ip("link", "set", "dev", tag.nic, "name", link.name, "group", link.group, netns=netns)
    return [
        ip("link", "set", "dev", link.name, "down", netns=netns, undo=again, reason=reason),
        ip("link", "set", "dev", link.name, "name", tag.nic, *group, netns=netns, undo=[back]),
        Command(
            argv=(*words, HOST.path), netns=netns, undo=(Command(argv=(*words, netns.path)),), reason=f"with {tag.phy}"
        ),
    ]
