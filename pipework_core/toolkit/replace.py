"""An interface gives way to another one, or goes, and the routes that it replaced come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Clearing
from pipework_core.model.link import Route
from pipework_core.model.ownership import Mark, route_from
from pipework_core.model.plan import Command, Plan
from pipework_core.toolkit.iproute import delete_in_guest, ip
from pipework_core.toolkit.veth import veth_peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.context import Scene
    from pipework_core.model.link import GuestFacts, Link
    from pipework_core.model.plan import Netns


def park(scene: Scene, link: Link, mark: Mark) -> Clearing:
    """Put a link that is replaced under another name until its successor stands; undoing gives all of it back.

    The link goes down, because the kernel renames no link that is up; with that its routes and IPv6 addresses go. One
    that nothing replaces stays as it is until it is deleted.
    """
    if scene.leaving:
        return _given_up(scene, link, mark)
    netns, parked = scene.guest.netns, f"pw{link.ifindex}"
    routes = [route for route in scene.inside.routes if route.dev == link.name and not route.kernel]
    steps = [
        ip(
            *("link", "set", "dev", link.name, "down"),
            netns=netns,
            undo=restore(link, routes, netns, beside=scene.inside.routes),
            why=f"put {link.name} aside",
        ),
        ip(
            *("link", "set", "dev", link.name, "name", parked),
            netns=netns,
            undo=[ip("link", "set", "dev", parked, "name", link.name, netns=netns)],
        ),
    ]
    earlier = earlier_defaults(scene, link, mark)
    steps += [put_back(route, netns) for route in earlier]
    inside = without(scene, link, mark)
    after = ip("link", "delete", "dev", parked, netns=netns, why=f"give up the former {link.name}")
    return Clearing(scene=scene._replace(inside=inside), before=Plan(steps=tuple(steps)), after=Plan(final=(after,)))


def _given_up(scene: Scene, link: Link, mark: Mark) -> Clearing:
    """Put the earlier default routes back while the link still works, then delete it."""
    peer = veth_peer(scene, link)
    host = {name: other for name, other in scene.host.links.items() if peer is None or name != peer.name}
    after = delete_in_guest(scene, link.name)._replace(why=f"delete {link.name} of {scene.guest.name}")
    return Clearing(
        scene=scene._replace(inside=without(scene, link, mark), host=scene.host._replace(links=host)),
        before=Plan(steps=given_back(scene, link, mark)),
        after=Plan(final=(after,)),
    )


def without(scene: Scene, link: Link, mark: Mark) -> GuestFacts:
    """Return what is in the guest when the link has gone and the default routes that it replaced are back."""
    return scene.inside._replace(
        links={name: known for name, known in scene.inside.links.items() if name != link.name},
        routes=(
            *(route for route in scene.inside.routes if route.dev != link.name),
            *earlier_defaults(scene, link, mark),
        ),
    )


def given_back(scene: Scene, link: Link, mark: Mark) -> tuple[Command, ...]:
    """Return what puts the earlier default routes in the place of the link's own, while it has them."""
    netns, steps = scene.guest.netns, []
    for route in earlier_defaults(scene, link, mark):
        now = scene.inside.default_route(route.family)
        words = (f"-{route.family}", "route", "delete", route.dst, *route.words)
        undo = put_back(now, netns) if now is not None else ip(*words, netns=netns)
        steps.append(put_back(route, netns)._replace(undo=(undo,)))
    return tuple(steps)


def earlier_defaults(scene: Scene, link: Link, mark: Mark) -> list[Route]:
    """Return the default routes that an attachment replaced, where nobody has set another one since.

    One whose own interface has gone meanwhile went with it.
    """
    now = {family: scene.inside.default_route(family) for family in (4, 6)}
    return [
        route
        for route in _replaced(mark)
        if ((current := now[route.family]) is None or current.dev == link.name)
        and (not route.dev or route.dev in scene.inside.links)
        and route.dev != link.name
    ]


def _replaced(mark: Mark) -> list[Route]:
    found = []
    for family, word in ((4, mark.gw4), (6, mark.gw6)):
        if word:
            words = route_from(word)
            dev = words[words.index("dev") + 1] if "dev" in words else ""
            metric = 0 if family == 4 else 1024  # noqa: PLR2004 - IPv4
            found.append(Route(dst="default", family=family, dev=dev, metric=metric, words=words))
    return found


def put_back(route: Route, netns: Netns | None) -> Command:
    """Return the command that sets a route as it was read."""
    return ip(
        *(f"-{route.family}", "route", "replace", route.dst, *route.words),
        netns=netns,
        why=f"set the earlier {route.dst} route again",
    )


def restore(link: Link, routes: Iterable[Route], netns: Netns | None, *, beside: Iterable[Route] = ()) -> list[Command]:
    """Return what gives a link that was taken down its state, addresses and routes back.

    Of `beside`, those of other links stay: a route to the same place is appended, since replacing takes the first one.
    Routes to gateways come behind those that lead to these.
    """
    steps = [
        ip(f"-{6 if ':' in address else 4}", "address", "replace", address, "dev", link.name, netns=netns)
        for address in link.addresses
        if not address.startswith("fe80:")
    ]
    if link.up:
        steps.insert(0, ip("link", "set", "dev", link.name, "up", netns=netns))
    there = {_way(route) for route in beside if route.dev != link.name and route.dst != "default"}
    straight_first = sorted(routes, key=lambda route: "via" in route.words or "nexthop" in route.words)
    back = ((route, put_back(route, netns)) for route in straight_first)
    return steps + [_appended(command) if _way(route) in there else command for route, command in back]


def _way(route: Route) -> tuple[int, str, int]:
    """Return what a route is replaced by."""
    return route.family, route.dst, route.metric


def _appended(command: Command) -> Command:
    argv = tuple("append" if word == "replace" else word for word in command.argv[:4])
    return command._replace(argv=(*argv, *command.argv[4:]))
