"""A sibling of a NIC: all that the NIC has moves to it in one `ip -batch`, and back.

The sibling is born in our group, and stays in it until the gateway has answered on it. Until then a guard with a
session of its own (`scripts/host_guard.sh`) gives everything back when nobody says in time that all is well: pipework
may be killed, or the session that it was started from may depend on this very NIC. Link-local addresses, and what
router advertisements bring, are the kernel's, and it has them on both.

Both have the addresses for a moment, so that there is none in which the host has nothing, whenever a run is killed. All
of the move is undone by one list, which hangs on the making of the sibling: routes come back behind addresses, whereas
undoing each step, newest first, would come to the routes first. All of it can be said twice.
"""

from __future__ import annotations

import shlex
import zlib
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

from pipework_backends import script
from pipework_backends.host_access import addresses
from pipework_backends.host_access import routes as host_routes
from pipework_core.model import ownership
from pipework_core.model.attachment import request_digest
from pipework_core.model.errors import ConflictError, HostError
from pipework_core.model.names import NAME_MAX
from pipework_core.model.ownership import BIRTH_GROUP, Mark
from pipework_core.model.plan import Command, Plan
from pipework_core.state import facts
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import broadcast, ip
from pipework_core.toolkit.shared import raise_shared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pipework_core.model.context import Scene
    from pipework_core.model.link import Link, Route

KIND = "host"
#: Seconds that the guard leaves pipework to put things right by itself before it does so.
GRACE = 5
#: Whoever looks while a guard gives everything back sees a part of it.
GUARDS = Command(argv=("sh", script("guards.sh")), why="read whether addresses are just being given back")
_IPV6 = 6


def sibling_name(scene: Scene) -> str:
    """Return what the NIC's sibling is called: what it is called already, or `eth0-host` in at most 15 bytes."""
    name = scene.attachment.host
    there = sibling(scene)
    if there is not None:
        return there.name
    usual = f"{name}-host"
    if len(usual.encode()) <= NAME_MAX:
        return usual
    return f"pw{zlib.crc32(name.encode('utf-8', 'surrogateescape')):08x}-host"


def sibling(scene: Scene) -> Link | None:
    """Return the sibling that an earlier run made, finished or not: by its mark, or by where it was born."""
    nic = scene.host.links.get(scene.attachment.host)
    for link in scene.host.links.values():
        if nic is None or link.kind != "macvlan" or link.peer_elsewhere or link.parent != nic.name:
            continue
        mark = ownership.read(link)
        if (mark is not None and mark.kind == KIND) or (mark is None and ownership.newborn(link)):
            return link
    return None


def reads(scene: Scene) -> dict[str, Command]:
    """Read routes and rules of the host, and which packets it drops as not from where it would answer (rp_filter)."""
    paths = [f"/proc/sys/net/ipv4/conf/{name}/rp_filter" for name in ("all", scene.attachment.host)]
    ok = frozenset({0, 1})
    return {
        "routes": host_routes.QUERY,
        "strict": Command(argv=("cat", *paths), ok_codes=ok, why="read whether the NIC drops detours"),
        **{key: _rules(key) for key in _RULES},
    }


#: Keys of answers, and the options of `ip` for them.
_RULES = {"rules4": "-4", "rules6": "-6"}


def _rules(key: str) -> Command:
    argv = ("ip", _RULES[key], "-json", "rule", "show")
    return Command(argv=argv, ok_codes=frozenset({0, 1, 2}), why="read which rules name the NIC")


def half(scene: Scene) -> str:
    """Say `asking` of a sibling that is not confirmed, `broken` of one that lacks what it should have."""
    link = sibling(scene)
    if link is None:
        return ""
    if ownership.newborn(link):
        return "asking" if link.alias else "broken"  # the guard comes before the alias, and the move behind it
    mark = ownership.read(link)
    if mark is None or mark.req != request_digest(scene.attachment):
        return ""
    has = {str(ip_interface(address)) for address in link.addresses}
    whole = all(str(address) in has for address in scene.attachment.addresses)
    vias = {route.via for route in scene.inside.routes if route.dst == "default" and route.dev == link.name}
    return "" if whole and all(str(gateway) in vias for gateway in scene.attachment.gateways) else "broken"


def plan(scene: Scene, *, confirm: int) -> Plan:
    """Return what makes the sibling and moves the NIC's addresses and routes to it."""
    nic, name = _nic(scene), scene.attachment.interface
    there = sibling(scene)
    if there is not None:
        return _settled(scene, there)
    if name in scene.host.links:
        raise ConflictError(f"the host has an interface {name} that is not pipework's.", hint="rename it")
    held = addresses.held_by(scene, nic.name)
    _refuse_leased(scene, nic, held)
    defaults = new_defaults(scene, nic.name, name)
    missing = _missing(scene, nic)
    back = addresses.given(held, nic.name, nic.name)
    mark = _mark(scene, missing, [via for via, _ in defaults])
    vias = [*host_routes.gateways(held.routes), *(via for via, _ in defaults)]
    steps = [raise_shared(nic)] if not nic.up else []
    steps += [
        ip(
            *("link", "add", "link", nic.name, "name", name, "group", BIRTH_GROUP),
            *("type", "macvlan", "mode", "bridge"),
            undo=[ip("link", "delete", "dev", name), *back],
            why=f"make {name} on top of {nic.name}",
        ),
        _tell_neighbours(name, ipv6=any(":" in addresses.text(info) for info in held.addresses)),
        ip("link", "set", "dev", name, "alias", mark.alias, "up", why=f"mark {name} as pipework's"),
    ]
    if confirm and back:
        steps.insert(-1, _guard(confirm, name, steps[-3].undo))
    steps += addresses.given(held, nic.name, name)
    steps += [
        ip("address", "add", str(a), *broadcast(a), "dev", name, why=f"give the host the address {a}") for a in missing
    ]
    steps += [addresses.taken(info, nic.name) for info in reversed(held.addresses)]
    steps += [step._replace(undo=()) for _, step in defaults]
    if confirm and vias:
        steps.append(ask(confirm, name, vias))
    final = ip("link", "set", "dev", name, "group", "default", why=f"settle: all of it works on {name}")
    return Plan(
        steps=tuple(steps),
        final=(final,),
        announce=(Command(argv=("sh", script("announce.sh"), name), why="tell the neighbours"),),
        warnings=(*_strict(scene, nic), *_staying(scene, nic), *_unled(held, nic.name, "stays there")),
    )


def withdrawal(scene: Scene, *, arping: bool) -> tuple[Plan, Scene]:
    """Return what moves everything back but for what the sibling was given beyond, and deletes it."""
    nic, link = _nic(scene), sibling(scene)
    if link is None:
        return Plan(notes=(f"{nic.name} has no sibling of pipework's",)), scene
    mark, held = ownership.read(link) or Mark(kind=KIND), addresses.held_by(scene, link.name)
    added = set(ownership.added_from(mark.new))
    moving = addresses.Held(
        addresses=tuple(info for info in held.addresses if addresses.text(info) not in added),
        routes=tuple(route for route in held.routes if not (host_routes.is_default(route) and route.via in added)),
    )
    steps: list[Command] = []
    for info in moving.addresses:
        undo = (
            []
            if addresses.text(info) in nic.addresses
            else [ip("address", "delete", *addresses.spot(info), "dev", nic.name)]
        )
        first, *rest = addresses.address_steps(addresses.relabelled(info, link.name, nic.name), nic.name)
        steps += [first._replace(undo=tuple(undo)), *rest]
    for route in moving.routes:
        undo = [ip("route", "replace", *host_routes.words(route))]
        steps.append(host_routes.led(route, link.name, nic.name)._replace(undo=tuple(undo)))
    steps += _lost(scene, mark, moving.routes, nic)
    final = ip("link", "delete", "dev", link.name, why=f"delete {link.name}")
    four = [str(info["local"]) for info in moving.addresses if info.get("family") == "inet"]
    told = Command(argv=("sh", script("announce.sh"), nic.name, *four), why="tell the neighbours")
    links = {key: other for key, other in scene.host.links.items() if key != link.name}
    links[nic.name] = nic._replace(addresses=(*nic.addresses, *map(addresses.text, moving.addresses)))
    return (
        Plan(
            steps=tuple(steps),
            final=(final,),
            announce=(told,) if four and arping else (),
            warnings=tuple(_unled(held, link.name, "goes with it")),
        ),
        scene._replace(host=scene.host._replace(links=links)),
    )


def ask(confirm: int, name: str, gateways: Sequence[str]) -> Command:
    """Return the question to the gateways, which takes as long as it takes them to answer."""
    argv = ("sh", script("host_ask.sh"), str(confirm), name, *dict.fromkeys(gateways))
    listed = ", ".join(dict.fromkeys(gateways))
    return Command(argv=argv, patience=float(confirm), why=f"reach {listed} through {name}")


def new_defaults(scene: Scene, before: str, name: str) -> list[tuple[str, Command]]:
    """Return the default routes that are asked for and not there, by gateway; they are to lead through `name`.

    Raise ConflictError where the host has another one, through `before` or elsewhere: that would be taken away.
    """
    found = []
    for gateway in scene.attachment.gateways:
        family = gateway.version
        defaults = [r for r in scene.inside.routes if r.dst == "default" and r.family == family]
        if any(route.dev == before and route.via == str(gateway) for route in defaults):
            continue
        other = scene.inside.default_route(family)
        if other is not None and "ra" not in other.words:
            way = f"{other.via} and {other.dev}" if other.via else other.dev
            raise ConflictError(
                f"the host's IPv{family} default route goes through {way} already.",
                hint=f"leave @{gateway} out, or delete that route first",
            )
        words = (host_routes.ANY[family], "via", str(gateway), "dev", name)
        undo = [ip("route", "delete", *words)]
        found.append((str(gateway), ip("route", "add", *words, undo=undo, why=f"make {gateway} the default gateway")))
    return found


def refuse_elsewhere(scene: Scene, but: Collection[str]) -> None:
    """Raise ConflictError for an address that another interface of the host has."""
    asked = {address.ip for address in scene.attachment.addresses}
    for link in scene.host.links.values():
        for known in (*link.addresses, *link.leased):
            if link.name not in but and ip_interface(known).ip in asked:
                raise ConflictError(f"{link.name} has {known} already.", hint="choose another address")


def _nic(scene: Scene) -> Link:
    """Return the NIC; raise for one that cannot have a sibling."""
    nic = iproute.parent_link(scene)
    mark = ownership.read(nic)
    if nic.layer != "ether":
        raise HostError(
            f"{nic.name} is no Ethernet interface ({nic.layer}), which macvlan needs.", hint="name another interface"
        )
    if nic.master:
        raise HostError(
            f"{nic.name} is a port of {nic.master}, which has the host's addresses.",
            hint=f"write pipework host {nic.master} …",
        )
    if mark is not None and mark.kind in {KIND, "veth"}:
        raise HostError(f"{nic.name} is pipework's own.", hint=f"name the NIC: {mark.on}" if mark.on else "name a NIC")
    return nic


def _settled(scene: Scene, link: Link) -> Plan:
    mark = ownership.read(link)
    if mark is None or mark.req != request_digest(scene.attachment):
        raise ConflictError(
            f"{link.name} was made for another request already, with {', '.join(link.addresses) or 'no address'}.",
            hint=f"take that back first: pipework host --remove {scene.attachment.host}",
        )
    return Plan(notes=(f"the host takes part in the network of {scene.attachment.host} by {link.name}",))


def _refuse_leased(scene: Scene, nic: Link, held: addresses.Held) -> None:
    for info in held.addresses:
        if info.get("dynamic"):
            raise HostError(
                f"{nic.name} has {addresses.text(info)} from DHCP, and its client would put it back there.",
                hint=f"give {nic.name} a static address, or let the client run on a macvlan of your own",
            )
        label = info.get("label", nic.name)
        if len(addresses.label_on(label, nic.name, scene.attachment.interface).encode()) > NAME_MAX:
            raise HostError(
                f"the address {addresses.text(info)} has the label {label}, too long for a sibling of {nic.name}.",
                hint=f"give {nic.name} that address without a label",
            )


def _missing(scene: Scene, nic: Link) -> list[Any]:
    """Return the asked addresses that the NIC does not have; raise ConflictError for one with another length."""
    refuse_elsewhere(scene, {nic.name})
    has = {ip_interface(known) for known in nic.addresses}
    missing = [address for address in scene.attachment.addresses if address not in has]
    for address in missing:
        other = next((known for known in has if known.ip == address.ip), None)
        if other is not None:
            raise ConflictError(f"{nic.name} has {other}, not {address}.", hint=f"write {other}")
    return missing


def _mark(scene: Scene, missing: Iterable[Any], gateways: Sequence[str]) -> Mark:
    """Return what the sibling remembers: what it was given beyond, and the default routes in case they get lost."""
    mark = Mark(
        kind=KIND,
        on=scene.attachment.host,
        req=request_digest(scene.attachment),
        new=ownership.added_words(map(str, missing), gateways),
    )
    inside = facts.with_locks(scene.inside, scene.answers["routes"].stdout)
    for route in inside.routes:
        if route.dst == "default" and route.dev == mark.on and not route.special and "ra" not in route.words:
            more = mark._replace(**{f"gw{route.family}": ownership.route_words(route)})
            if not getattr(mark, f"gw{route.family}") and ownership.fits(more):
                mark = more
    return mark


def _lost(scene: Scene, mark: Mark, routes: Iterable[Route], nic: Link) -> list[Command]:
    """Put a default route back that the NIC had and that got lost since, unless the host has another one."""
    steps = []
    for family, word in ((4, mark.gw4), (_IPV6, mark.gw6)):
        words = ownership.route_from(word)
        there = [r for r in scene.inside.routes if r.dst == "default" and r.family == family and "ra" not in r.words]
        moved = any(host_routes.is_default(route) and route.family == family for route in routes)
        if words and not there and not moved:
            steps.append(
                ip("route", "replace", host_routes.ANY[family], *words, why=f"give {nic.name} its default route back")
            )
    return steps


def _tell_neighbours(name: str, *, ipv6: bool) -> Command:
    paths = [f"/proc/sys/net/ipv4/conf/{name}/arp_notify"]
    paths += [f"/proc/sys/net/ipv6/conf/{name}/ndisc_notify"] if ipv6 else []
    return Command(argv=("tee", *paths), stdin="1", why=f"let {name} announce its addresses")


def _guard(confirm: int, name: str, back: Iterable[Command]) -> Command:
    lines = "".join(f"{shlex.join(command.argv)}\n" for command in back)
    argv = ("sh", script("host_guard.sh"), str(confirm + GRACE), name, BIRTH_GROUP)
    return Command(argv=argv, stdin=lines, why=f"have it all put back unless {name} is settled in time")


def _strict(scene: Scene, nic: Link) -> tuple[str, ...]:
    answer = scene.answers.get("strict")
    if answer is None or "1" not in answer.stdout.split() or "2" in answer.stdout.split():
        return ()
    said = f"{nic.name} drops packets that the host would answer through another interface (rp_filter is 1), such as"
    return (f"{said} its sibling; 2 lets them through.",)


def _staying(scene: Scene, nic: Link) -> Iterator[str]:
    """Say what is not moved: what the kernel makes for each interface, and the rules that name the NIC."""
    name = scene.attachment.interface
    kept = addresses.left_behind(scene, nic.name)
    if kept:
        yield (
            f"{nic.name} keeps {', '.join(kept)}, which routers advertised: {name} makes addresses of its own of that, "
            f"and macvlan guests reach the host by those alone."
        )
    rules = [rule for key in _RULES for rule in facts.parse_json(scene.answers[key].stdout or "[]")]
    if any(nic.name in {rule.get("iif"), rule.get("oif")} for rule in rules):
        yield f"there are rules for {nic.name}, which do not hold for {name}; `ip rule` shows them."


def _unled(held: addresses.Held, name: str, what: str) -> Iterator[str]:
    for route in held.stale:
        yield f"the route to {route.dst} by {route.via} through {name} {what}: nothing that moves leads to {route.via}."
