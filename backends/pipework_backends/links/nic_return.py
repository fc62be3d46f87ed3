"""Brings a NIC home from a guest, and gives it back what a request changed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Replacement
from pipework_core.model.errors import ConflictError
from pipework_core.model.ownership import PENDING_GROUP
from pipework_core.model.plan import HOST, Command, Outcome, Plan
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import (
    find_earlier_defaults,
    remove_link,
    restore_defaults,
    restore_link,
    restore_route,
)

if TYPE_CHECKING:
    from pipework_core.model.context import Context
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag


def bring_home(context: Context, link: Link, tag: Tag) -> Replacement:
    """Return what moves a NIC back to the host with its name and settings; undoing takes it into the guest again."""
    name, netns = tag.nic, context.guest.netns
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
        enter = ip("link", "set", "dev", name, "netns", netns.path, "name", link.name, "group", link.group)
        leave = ("link", "set", "dev", link.name, "netns", HOST.path, "name", name, "group", PENDING_GROUP)
        steps = [ip(*leave, netns=netns, undo=[enter, *again], reason=reason)]
    home_words = (*list_original_words(tag), *(("up",) if tag.state == "up" else ()))
    if home_words:
        undo = [ip("link", "set", "dev", name, "down")]
        steps.append(ip("link", "set", "dev", name, *home_words, undo=undo, reason=f"give {name} back what it had"))
    steps.append(
        ip(
            *("link", "set", "dev", name, "group", "default", "alias", ""),
            undo=[ip("link", "set", "dev", name, "group", PENDING_GROUP, "alias", link.alias)],
            reason=f"take the mark off {name}",
        )
    )
    if context.detaching:  # first: after the tag is gone, a killed run would leave nobody who knows of them
        steps = [*restore_defaults(context, link, tag), *steps]
    else:
        steps += [restore_route(route, netns) for route in find_earlier_defaults(context, link, tag)]
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
    next_context = context._replace(guest_state=guest_state, host_state=host, answers={**context.answers, **radio})
    return Replacement(context=next_context, before=Plan(steps=tuple(steps)))


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
