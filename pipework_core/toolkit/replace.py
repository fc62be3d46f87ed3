"""Replaces or removes an interface, and restores the routes that it had replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Replacement
from pipework_core.model.link import Route
from pipework_core.model.ownership import Tag, route_from
from pipework_core.model.plan import BEST_EFFORT, Command, Plan
from pipework_core.toolkit.iproute import delete_guest_link, ip
from pipework_core.toolkit.veth import find_veth_peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.context import Context
    from pipework_core.model.link import GuestState, Link
    from pipework_core.model.plan import Netns


def rename_aside(context: Context, link: Link, tag: Tag) -> Replacement:
    """Rename a link that is replaced until its successor exists; undoing restores it completely.

    The link goes down, because the kernel renames no link that is up; with that its routes and IPv6 addresses go. One
    that nothing replaces stays as it is until it is deleted.
    """
    if context.detaching:
        return _given_up(context, link, tag)
    context, free_name = _free_host_name(context, link)
    netns, parked = context.guest.netns, f"pw{link.ifindex}"
    routes = [route for route in context.guest_state.routes if route.dev == link.name and not route.kernel]
    steps = [
        *free_name,
        ip(
            *("link", "set", "dev", link.name, "down"),
            netns=netns,
            undo=restore_link(link, routes, netns, beside=context.guest_state.routes),
            reason=f"put {link.name} aside",
        ),
        ip(
            *("link", "set", "dev", link.name, "name", parked),
            netns=netns,
            undo=[ip("link", "set", "dev", parked, "name", link.name, netns=netns)],
        ),
    ]
    earlier = find_earlier_defaults(context, link, tag)
    steps += [try_route(route, netns) for route in earlier]
    guest_state = remove_link(context, link, tag)
    after = ip("link", "delete", "dev", parked, netns=netns, reason=f"give up the former {link.name}")
    return Replacement(
        context=context._replace(guest_state=guest_state), before=Plan(steps=tuple(steps)), after=Plan(commit=(after,))
    )


def wants_name_of(context: Context, peer: Link | None) -> bool:
    """Whether the request wants the name that `peer`, the host's end of what it replaces, has still."""
    return peer is not None and context.attachment.host_name == peer.name


def _free_host_name(context: Context, link: Link) -> tuple[Context, list[Command]]:
    """Return the context and the steps that free the name of the host's end, where the request wants the same.

    They come first: a run that is killed after them finds its interface in the guest still, and replaces it.
    """
    peer = find_veth_peer(context, link)
    if peer is None or not wants_name_of(context, peer):
        return context, []
    parked = peer._replace(name=f"pw{peer.ifindex}", up=False)
    raised = [ip("link", "set", "dev", peer.name, "up")] if peer.up else []
    steps = [
        ip("link", "set", "dev", peer.name, "down", undo=raised, reason=f"put {peer.name} aside"),
        ip(
            *("link", "set", "dev", peer.name, "name", parked.name),
            undo=[ip("link", "set", "dev", parked.name, "name", peer.name)],
        ),
    ]
    links = {name: known for name, known in context.host_state.links.items() if name != peer.name}
    host = context.host_state._replace(links={**links, parked.name: parked})
    return context._replace(host_state=host), steps


def _given_up(context: Context, link: Link, tag: Tag) -> Replacement:
    """Restore the earlier default routes while the link still works, then delete it.

    A pair is deleted by its end on the host: where the other end is, and what it is called, the guest decides.
    """
    peer = find_veth_peer(context, link)
    host = {name: other for name, other in context.host_state.links.items() if peer is None or name != peer.name}
    after = ip("link", "delete", "dev", peer.name) if peer is not None else delete_guest_link(context, link.name)
    after = after._replace(reason=f"delete {link.name} of {context.guest.name}")
    return Replacement(
        context=context._replace(
            guest_state=remove_link(context, link, tag), host_state=context.host_state._replace(links=host)
        ),
        before=Plan(steps=restore_defaults(context, link, tag), losses=list_lost_defaults(context, link, tag)),
        after=Plan(commit=(after,)),
    )


def remove_link(context: Context, link: Link, tag: Tag) -> GuestState:
    """Return what is in the guest when the link has gone and the default routes that it replaced are back."""
    return context.guest_state._replace(
        links={name: known for name, known in context.guest_state.links.items() if name != link.name},
        routes=(
            *(route for route in context.guest_state.routes if route.dev != link.name),
            *find_earlier_defaults(context, link, tag),
        ),
    )


def restore_defaults(context: Context, link: Link, tag: Tag) -> tuple[Command, ...]:
    """Return what replaces the link's default routes by the earlier ones, as far as that is possible.

    That one cannot come back is reported, and is no reason to stay attached: its interface may be down or have other
    addresses by now, and the words are the guest's.
    """
    netns, steps = context.guest.netns, []
    for route in find_earlier_defaults(context, link, tag):
        now = context.guest_state.default_route(route.family)
        words = (f"-{route.family}", "route", "delete", route.dst, *route.words)
        undo = restore_route(now, netns) if now is not None else ip(*words, netns=netns)
        steps.append(try_route(route, netns)._replace(undo=(undo._replace(ok_codes=BEST_EFFORT),)))
    return tuple(steps)


def list_lost_defaults(context: Context, link: Link, tag: Tag) -> tuple[str, ...]:
    """Return a sentence for each earlier default route whose own interface has gone."""
    gone = [route.dev for route in _list_wanted(context, link, tag) if not _is_there(context, route)]
    return tuple(f"the earlier default route of {context.guest.name} led through {dev}, which is gone." for dev in gone)


def find_earlier_defaults(context: Context, link: Link, tag: Tag) -> list[Route]:
    """Return the default routes that an attachment replaced, where nobody has set another one since.

    One whose own interface has gone meanwhile went with it.
    """
    return [route for route in _list_wanted(context, link, tag) if _is_there(context, route)]


def _is_there(context: Context, route: Route) -> bool:
    return not route.dev or route.dev in context.guest_state.links


def _list_wanted(context: Context, link: Link, tag: Tag) -> list[Route]:
    now = {family: context.guest_state.default_route(family) for family in (4, 6)}
    return [
        route
        for route in _list_replaced(tag)
        if ((current := now[route.family]) is None or current.dev == link.name) and route.dev != link.name
    ]


def _list_replaced(tag: Tag) -> list[Route]:
    found = []
    for family, word in ((4, tag.gw4), (6, tag.gw6)):
        if word:
            words = route_from(word)
            dev = words[words.index("dev") + 1] if "dev" in words else ""
            metric = 0 if family == 4 else 1024  # noqa: PLR2004 - IPv4
            found.append(Route(dst="default", family=family, dev=dev, metric=metric, words=words))
    return found


def try_route(route: Route, netns: Netns | None) -> Command:
    """Return the command that sets a route as it was read, and whose failure stops nothing."""
    return restore_route(route, netns)._replace(ok_codes=BEST_EFFORT)


def restore_route(route: Route, netns: Netns | None) -> Command:
    """Return the command that sets a route as it was read."""
    return ip(
        *(f"-{route.family}", "route", "replace", route.dst, *route.words),
        netns=netns,
        reason=f"set the earlier {route.dst} route again",
    )


def restore_link(
    link: Link, routes: Iterable[Route], netns: Netns | None, *, beside: Iterable[Route] = ()
) -> list[Command]:
    """Return what restores the state, addresses and routes of a link that was taken down.

    Of `beside`, those of other links stay: a route to the same place is appended, since replacing takes the first one.
    Routes to gateways come after those that lead to these gateways.
    """
    steps = [
        ip(f"-{6 if ':' in address else 4}", "address", "replace", address, "dev", link.name, netns=netns)
        for address in link.addresses
        if not address.startswith("fe80:")
    ]
    if link.up:
        steps.insert(0, ip("link", "set", "dev", link.name, "up", netns=netns))
    there = {_route_key(route) for route in beside if route.dev != link.name and route.dst != "default"}
    straight_first = sorted(routes, key=lambda route: "via" in route.words or "nexthop" in route.words)
    back = ((route, restore_route(route, netns)) for route in straight_first)
    return steps + [_append_route(command) if _route_key(route) in there else command for route, command in back]


def _route_key(route: Route) -> tuple[int, str, int]:
    """Return what identifies a route: `ip route replace` replaces the one with the same."""
    return route.family, route.dst, route.metric


def _append_route(command: Command) -> Command:
    argv = tuple("append" if word == "replace" else word for word in command.argv[:4])
    return command._replace(argv=(*argv, *command.argv[4:]))
