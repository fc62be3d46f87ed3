"""What backends share, a third party's as well: making a link in the guest, veth pairs, MTU, parking what is replaced.

All of it is pure: facts in, commands out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipework_core.contract import Clearing, Leftover
from pipework_core.errors import ConflictError, HostError, UsageError
from pipework_core.facts import Route
from pipework_core.marks import BIRTH_GROUP, FILTERING, RAISED, Mark, changed, group_for, newborn, read, route_from
from pipework_core.names import host_name
from pipework_core.plan import Command, Plan
from pipework_core.request import has_broadcast

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pipework_core.contract import Scene
    from pipework_core.facts import GuestFacts, HostFacts, Link
    from pipework_core.plan import Netns
    from pipework_core.request import Address, Attachment


def ip(
    *words: str,
    netns: Netns | None = None,
    undo: Iterable[Command] = (),
    unless: Command | None = None,
    shared: bool = False,
    why: str = "",
) -> Command:
    """Return one `ip` command."""
    return Command(argv=("ip", *words), netns=netns, undo=tuple(undo), unless=unless, shared=shared, why=why)


class Switch(NamedTuple):
    """A switch of the kernel's for one interface, a file (ip-sysctl.rst).

    The file is the guest's own: /proc/sys/net is that of the namespace of whoever opens it. `before` is what it
    holds; empty when nobody needs that back.
    """

    path: str
    value: str
    before: str = ""


def switch(scene: Scene, switches: Iterable[Switch]) -> list[Command]:
    """Return what writes the switches of the guest's interface: one process for all that get the same value."""
    found: dict[str, list[Switch]] = {}
    for one in switches:
        found.setdefault(one.value, []).append(one)
    return [_write(scene, value, group) for value, group in found.items()]


def _write(scene: Scene, value: str, switches: Sequence[Switch]) -> Command:
    netns, names = scene.guest.netns, ", ".join(one.path.rpartition("/")[2] for one in switches)
    undo = [Command(argv=("tee", one.path), netns=netns, stdin=one.before) for one in switches if one.before]
    return Command(
        argv=("tee", *(one.path for one in switches)),
        netns=netns,
        stdin=value,
        undo=tuple(undo),
        why=f"set {names} of {scene.attachment.interface} to {value}",
    )


def switched_on(attachment: Attachment, key: str) -> bool:
    """Whether `-o KEY=1` is given; raise UsageError for anything but 0 and 1."""
    value = attachment.option(key, "0")
    if value not in {"0", "1"}:
        raise UsageError(f"-o {key}={value!r} is neither 0 nor 1.", hint=f"write -o {key}=1, or leave it out")
    return value == "1"


def unfinished(scene: Scene) -> bool:
    """Whether the interface is new, or was left by a run that did not get as far as marking it."""
    return scene.existing is None or newborn(scene.existing)


def raise_shared(link: Link) -> Command:
    """Return the command that raises a bridge or parent on the host, which others may use as soon as it is up."""
    words = ("link", "set", "dev", link.name)
    undo = [ip(*words, "down", *noted(link, 0), shared=True)]
    return ip(*words, "up", *noted(link, RAISED), undo=undo, why=f"raise {link.name}")


def noted(link: Link, bits: int) -> tuple[str, ...]:
    """Return the words that note in the link's group what is changed on it now, where nobody else uses the group."""
    before = changed(link)
    return ("group", group_for(before | bits)) if before or link.group == "default" else ()


def lowered(host: HostFacts, name: str, *, without: Collection[str] = ()) -> tuple[Leftover, ...]:
    """Return what lowers a parent again that we raised, unless the host uses it for something but `without`."""
    link = host.links.get(name)
    if link is None or not changed(link) & RAISED or has_use(host, link, without=without):
        return ()
    words = ("down", "group", group_for(changed(link) & FILTERING))
    remove = ip("link", "set", "dev", name, *words, why=f"lower {name} again, which nobody uses")
    return (Leftover(name=name, remove=remove, hidden=True),)


def parent_link(scene: Scene) -> Link:
    """Return the host interface the request names; raise HostError when there is none."""
    name = scene.attachment.host
    link = scene.host.links.get(name)
    if link is None:
        raise HostError(f"the host has no interface {name!r}.", hint="`ip link` shows those it has")
    return link


def chosen_mtu(scene: Scene, parent: Link | None) -> int:
    """Return the MTU in bytes: the asked one, else the parent's; raise HostError for more than the parent carries."""
    asked = scene.attachment.mtu
    if parent is None:
        return asked or 1500
    if asked is not None and asked > parent.mtu:
        raise HostError(
            f"an MTU of {asked} does not fit through {parent.name}, which has {parent.mtu}.",
            hint=f"ask for {parent.mtu} or less, or raise it: ip link set dev {parent.name} mtu {asked}",
        )
    return asked or parent.mtu


def in_guest(scene: Scene, *words: str) -> tuple[str, ...]:
    """Return the words that make a link under its final name in the guest, born with our group."""
    attachment = scene.attachment
    mac = ("address", attachment.mac) if attachment.mac else ()
    return ("name", attachment.interface, *mac, *words, "group", BIRTH_GROUP, "netns", scene.guest.netns.path)


def delete_in_guest(scene: Scene, name: str = "") -> Command:
    """Return the command that deletes a link in the guest, which takes its veth peer along."""
    return ip("link", "delete", "dev", name or scene.attachment.interface, netns=scene.guest.netns)


def veth_name(scene: Scene) -> str:
    """Return the name of the host's end; a second choice while a link that is being replaced still has the first."""
    attachment, guest = scene.attachment, scene.guest
    if attachment.host_name:
        return attachment.host_name
    number = guest.pid or guest.inode
    name = host_name(attachment.interface, number)
    if name in scene.host.links and attachment.replace and scene.existing is None:
        return host_name(f"{attachment.interface}{attachment.host}", number * 2 + 1)
    return name


def veth_peer(scene: Scene, link: Link) -> Link | None:
    """Return the host's end of the guest's veth `link`.

    That the two name each other by ifindex proves nothing: a guest's root can make a pair with any two numbers. The
    mark on the host's end, which no guest can write, must name the guest's namespace.
    """
    if link.kind != "veth" or not link.peer_elsewhere:
        return None
    other = scene.host.by_index(link.peer)
    if other is None or other.kind != "veth" or other.peer != link.ifindex:
        return None
    mark = read(other)
    ours = mark.netns == str(scene.guest.inode) if mark else newborn(other)
    return other if ours else None


def make_veth(scene: Scene, *, mtu: int, master: str = "", up: bool = True) -> tuple[str, Plan]:
    """Return the host's end and the plan that makes a veth pair, one end in the guest, in a single netlink message.

    Raise ConflictError when the host's name is taken.
    """
    name = veth_name(scene)
    if name in scene.host.links:
        raise ConflictError(
            f"the host has an interface {name} already.", hint="choose another name for the host's end with -l"
        )
    attachment = scene.attachment
    near = ("name", name, "mtu", str(mtu), *(("master", master) if master else ()), *(("up",) if up else ()))
    far = in_guest(scene, "mtu", str(mtu))
    command = ip(
        *("link", "add", *near, "group", BIRTH_GROUP, "type", "veth", "peer", *far),
        undo=[ip("link", "delete", "dev", name)],
        why=f"make {attachment.interface} in {scene.guest.name}, with {name} on the host",
    )
    return name, Plan(steps=(command, own_veth(scene, name)))


def own_veth(scene: Scene, name: str) -> Command:
    """Return the command that turns the birth mark of a host's end into an alias."""
    alias = Mark(kind="veth", netns=str(scene.guest.inode)).alias
    return ip("link", "set", "dev", name, "group", "default", "alias", alias, why=f"mark {name} as pipework's")


def made_by_us(link: Link, kind: str) -> bool:
    """Whether the mark of a bridge or VLAN on the host says that pipework made it, or a killed run left it so."""
    mark = read(link)
    return (mark is not None and mark.kind == kind) or (mark is None and newborn(link) and link.kind == kind)


def has_use(host: HostFacts, link: Link, *, without: Collection[str] = ()) -> bool:
    """Whether the host itself uses the link: by an address on it, a link on top of it, as somebody's port or bridge.

    Those of `without` do not count, nor do the addresses that the kernel makes by itself: link-local ones, and those
    of router advertisements, which are /64 (RFC 4862), while one from DHCPv6 is /128.
    """
    leased = [address for address in link.leased if ":" not in address or address.endswith("/128")]
    addresses = [address for address in link.addresses if not address.startswith("fe80:")]
    others = [other for other in host.links.values() if other.name not in without]
    # What the other end of a veth pair names as its parent is its peer.
    around = any(link.name in {other.master, other.kind != "veth" and other.parent} for other in others)
    return bool(addresses or leased or link.master or around)


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


def broadcast(address: Address) -> tuple[str, ...]:
    """Return the words for a broadcast address, which iproute2 sets only when told to (RFC 919; none in RFC 3021)."""
    return ("broadcast", "+") if has_broadcast(address) else ()
