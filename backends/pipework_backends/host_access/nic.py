"""A sibling of a NIC: all that the NIC has moves to it in one `ip -batch`, and back.

The sibling is born in our group, and stays in it until the gateway has answered on it. Until then a guard with a
session of its own (`scripts/host_guard.sh`) gives everything back when nobody says in time that all is well: pipework
may be killed, or the session that it was started from may depend on this very NIC. Link-local addresses, and what
router advertisements bring, are the kernel's, and it has them on both.

Both have the addresses for a moment, so that there is none in which the host has nothing, whenever a run is killed. All
of the move is undone by one list, which hangs on the making of the sibling: routes come back after addresses, whereas
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
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import Command, Plan
from pipework_core.state import facts
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import broadcast_words, ip
from pipework_core.toolkit.shared import raise_link

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pipework_core.model.context import Context
    from pipework_core.model.link import Link, Route

KIND = "host"
#: Seconds that the guard leaves pipework to put things right by itself before it does so.
GRACE = 5
#: Whoever looks while a guard gives everything back sees a part of it.
GUARDS = Command(argv=("sh", script("guards.sh")), reason="read whether addresses are just being given back")
_IPV6 = 6


def sibling_name(context: Context) -> str:
    """Return what the NIC's sibling is called: what it is called already, or `eth0-host` in at most 15 bytes."""
    name = context.attachment.host
    there = find_sibling(context)
    if there is not None:
        return there.name
    usual = f"{name}-host"
    if len(usual.encode()) <= NAME_MAX:
        return usual
    return f"pw{zlib.crc32(name.encode('utf-8', 'surrogateescape')):08x}-host"


def find_sibling(context: Context) -> Link | None:
    """Return the sibling that an earlier run made, finished or not: by its mark, or by where it was born."""
    nic = context.host_state.links.get(context.attachment.host)
    for link in context.host_state.links.values():
        if nic is None or link.kind != "macvlan" or link.peer_elsewhere or link.parent != nic.name:
            continue
        tag = ownership.read_tag(link)
        if (tag is not None and tag.kind == KIND) or (tag is None and ownership.is_pending(link)):
            return link
    return None


def list_queries(context: Context) -> dict[str, Command]:
    """Read routes and rules of the host, and which packets it drops as not from where it would answer (rp_filter)."""
    paths = [f"/proc/sys/net/ipv4/conf/{name}/rp_filter" for name in ("all", context.attachment.host)]
    ok = frozenset({0, 1})
    return {
        "routes": host_routes.QUERY,
        "strict": Command(argv=("cat", *paths), ok_codes=ok, reason="read whether the NIC drops detours"),
        **{key: _make_rules_query(key) for key in _RULES},
    }


#: Keys of answers, and the options of `ip` for them.
_RULES = {"rules4": "-4", "rules6": "-6"}


def _make_rules_query(key: str) -> Command:
    argv = ("ip", _RULES[key], "-json", "rule", "show")
    return Command(argv=argv, ok_codes=frozenset({0, 1, 2}), reason="read which rules name the NIC")


def find_half(context: Context) -> str:
    """Say `asking` of a sibling that is not confirmed, `broken` of one that lacks what it should have."""
    link = find_sibling(context)
    if link is None:
        return ""
    if ownership.is_pending(link):
        return "asking" if link.alias else "broken"  # the guard comes before the alias, and the move after it
    tag = ownership.read_tag(link)
    if tag is None or tag.req != request_digest(context.attachment):
        return ""
    has = {str(ip_interface(address)) for address in link.addresses}
    whole = all(str(address) in has for address in context.attachment.addresses)
    vias = {route.via for route in context.guest_state.routes if route.dst == "default" and route.dev == link.name}
    return "" if whole and all(str(gateway) in vias for gateway in context.attachment.gateways) else "broken"


def plan_sibling(context: Context, *, confirm: int) -> Plan:
    """Return what makes the sibling and moves the NIC's addresses and routes to it."""
    nic, name = _find_nic(context), context.attachment.interface
    there = find_sibling(context)
    if there is not None:
        return _plan_existing(context, there)
    if name in context.host_state.links:
        raise ConflictError(f"the host has an interface {name} that is not pipework's.", hint="rename it")
    held = addresses.held_by(context, nic.name)
    _refuse_leased(context, nic, held)
    defaults = new_defaults(context, nic.name, name)
    missing = _find_missing(context, nic)
    back = addresses.add_addresses(held, nic.name, nic.name)
    tag = _make_tag(context, missing, [via for via, _ in defaults])
    vias = [*host_routes.list_gateways(held.routes), *(via for via, _ in defaults)]
    steps = [raise_link(nic)] if not nic.up else []
    steps += [
        ip(
            *("link", "add", "link", nic.name, "name", name, "group", PENDING_GROUP),
            *("type", "macvlan", "mode", "bridge"),
            undo=[ip("link", "delete", "dev", name), *back],
            reason=f"make {name} on top of {nic.name}",
        ),
        _tell_neighbours(name, ipv6=any(":" in addresses.format_address(info) for info in held.addresses)),
        ip("link", "set", "dev", name, "alias", tag.alias, "up", reason=f"mark {name} as pipework's"),
    ]
    if confirm and back:
        steps.insert(-1, _start_guard(confirm, name, steps[-3].undo))
    steps += addresses.add_addresses(held, nic.name, name)
    steps += [
        ip("address", "add", str(a), *broadcast_words(a), "dev", name, reason=f"give the host the address {a}")
        for a in missing
    ]
    steps += [addresses.remove_address(info, nic.name) for info in reversed(held.addresses)]
    steps += [step._replace(undo=()) for _, step in defaults]
    if confirm and vias:
        steps.append(ask_gateways(confirm, name, vias))
    commit = ip("link", "set", "dev", name, "group", "default", reason=f"settle: all of it works on {name}")
    return Plan(
        steps=tuple(steps),
        commit=(commit,),
        announce=(Command(argv=("sh", script("announce.sh"), name), reason="tell the neighbours"),),
        warnings=(
            *_warn_of_strictness(context, nic),
            *_list_staying(context, nic),
            *_list_unled(held, nic.name, "stays there"),
        ),
    )


def plan_withdrawal(context: Context, *, arping: bool) -> tuple[Plan, Context]:
    """Return what moves everything back but for what the sibling was given beyond, and deletes it."""
    nic, link = _find_nic(context), find_sibling(context)
    if link is None:
        return Plan(notes=(f"{nic.name} has no sibling of pipework's",)), context
    tag, held = ownership.read_tag(link) or Tag(kind=KIND), addresses.held_by(context, link.name)
    added = set(ownership.added_from(tag.new))
    moving = addresses.Held(
        addresses=tuple(info for info in held.addresses if addresses.format_address(info) not in added),
        routes=tuple(route for route in held.routes if not (host_routes.is_default(route) and route.via in added)),
    )
    steps: list[Command] = []
    for info in moving.addresses:
        undo = (
            []
            if addresses.format_address(info) in nic.addresses
            else [ip("address", "delete", *addresses.find_position(info), "dev", nic.name)]
        )
        first, *rest = addresses.address_steps(addresses.change_label(info, link.name, nic.name), nic.name)
        steps += [first._replace(undo=tuple(undo)), *rest]
    for route in moving.routes:
        undo = [ip("route", "replace", *host_routes.list_words(route))]
        steps.append(host_routes.lead_through(route, link.name, nic.name)._replace(undo=tuple(undo)))
    steps += _restore_defaults(context, tag, moving.routes, nic)
    commit = ip("link", "delete", "dev", link.name, reason=f"delete {link.name}")
    four = [str(info["local"]) for info in moving.addresses if info.get("family") == "inet"]
    told = Command(argv=("sh", script("announce.sh"), nic.name, *four), reason="tell the neighbours")
    links = {key: other for key, other in context.host_state.links.items() if key != link.name}
    links[nic.name] = nic._replace(addresses=(*nic.addresses, *map(addresses.format_address, moving.addresses)))
    return (
        Plan(
            steps=tuple(steps),
            commit=(commit,),
            announce=(told,) if four and arping else (),
            warnings=tuple(_list_unled(held, link.name, "goes with it")),
        ),
        context._replace(host_state=context.host_state._replace(links=links)),
    )


def ask_gateways(confirm: int, name: str, gateways: Sequence[str]) -> Command:
    """Return the question to the gateways, which takes as long as it takes them to answer."""
    argv = ("sh", script("host_ask.sh"), str(confirm), name, *dict.fromkeys(gateways))
    listed = ", ".join(dict.fromkeys(gateways))
    return Command(argv=argv, timeout=float(confirm), reason=f"reach {listed} through {name}")


def new_defaults(context: Context, before: str, name: str) -> list[tuple[str, Command]]:
    """Return the default routes that are asked for and not there, by gateway; they are to lead through `name`.

    Raise ConflictError where the host has another one, through `before` or elsewhere: that would be taken away.
    """
    found = []
    for gateway in context.attachment.gateways:
        family = gateway.version
        defaults = [r for r in context.guest_state.routes if r.dst == "default" and r.family == family]
        if any(route.dev == before and route.via == str(gateway) for route in defaults):
            continue
        other = context.guest_state.default_route(family)
        if other is not None and "ra" not in other.words:
            way = f"{other.via} and {other.dev}" if other.via else other.dev
            raise ConflictError(
                f"the host's IPv{family} default route goes through {way} already.",
                hint=f"leave @{gateway} out, or delete that route first",
            )
        words = (host_routes.ANY[family], "via", str(gateway), "dev", name)
        undo = [ip("route", "delete", *words)]
        found.append(
            (str(gateway), ip("route", "add", *words, undo=undo, reason=f"make {gateway} the default gateway"))
        )
    return found


def refuse_elsewhere(context: Context, but: Collection[str]) -> None:
    """Raise ConflictError for an address that another interface of the host has."""
    asked = {address.ip for address in context.attachment.addresses}
    for link in context.host_state.links.values():
        for known in (*link.addresses, *link.leased):
            if link.name not in but and ip_interface(known).ip in asked:
                raise ConflictError(f"{link.name} has {known} already.", hint="choose another address")


def _find_nic(context: Context) -> Link:
    """Return the NIC; raise for one that cannot have a sibling."""
    nic = iproute.find_parent(context)
    tag = ownership.read_tag(nic)
    if nic.layer != "ether":
        raise HostError(
            f"{nic.name} is no Ethernet interface ({nic.layer}), which macvlan needs.", hint="name another interface"
        )
    if nic.master:
        raise HostError(
            f"{nic.name} is a port of {nic.master}, which has the host's addresses.",
            hint=f"write pipework host {nic.master} …",
        )
    if tag is not None and tag.kind in {KIND, "veth"}:
        raise HostError(
            f"{nic.name} is pipework's own.", hint=f"name the NIC: {tag.parent}" if tag.parent else "name a NIC"
        )
    return nic


def _plan_existing(context: Context, link: Link) -> Plan:
    tag = ownership.read_tag(link)
    if tag is None or tag.req != request_digest(context.attachment):
        raise ConflictError(
            f"{link.name} was made for another request already, with {', '.join(link.addresses) or 'no address'}.",
            hint=f"take that back first: pipework host --remove {context.attachment.host}",
        )
    return Plan(notes=(f"the host takes part in the network of {context.attachment.host} by {link.name}",))


def _refuse_leased(context: Context, nic: Link, held: addresses.Held) -> None:
    for info in held.addresses:
        if info.get("dynamic"):
            raise HostError(
                f"{nic.name} has {addresses.format_address(info)} from DHCP, and its client would put it back there.",
                hint=f"give {nic.name} a static address, or let the client run on a macvlan of your own",
            )
        label = info.get("label", nic.name)
        if len(addresses.label_on(label, nic.name, context.attachment.interface).encode()) > NAME_MAX:
            raise HostError(
                f"the address {addresses.format_address(info)} has the label {label}, too long for a sibling of "
                f"{nic.name}.",
                hint=f"give {nic.name} that address without a label",
            )


def _find_missing(context: Context, nic: Link) -> list[Any]:
    """Return the asked addresses that the NIC does not have; raise ConflictError for one with another length."""
    refuse_elsewhere(context, {nic.name})
    has = {ip_interface(known) for known in nic.addresses}
    missing = [address for address in context.attachment.addresses if address not in has]
    for address in missing:
        other = next((known for known in has if known.ip == address.ip), None)
        if other is not None:
            raise ConflictError(f"{nic.name} has {other}, not {address}.", hint=f"write {other}")
    return missing


def _make_tag(context: Context, missing: Iterable[Any], gateways: Sequence[str]) -> Tag:
    """Return what the sibling remembers: what it was given beyond, and the default routes in case they get lost."""
    tag = Tag(
        kind=KIND,
        parent=context.attachment.host,
        req=request_digest(context.attachment),
        new=ownership.added_words(map(str, missing), gateways),
    )
    guest_state = facts.with_locks(context.guest_state, context.answers["routes"].stdout)
    for route in guest_state.routes:
        if route.dst == "default" and route.dev == tag.parent and not route.special and "ra" not in route.words:
            more = tag._replace(**{f"gw{route.family}": ownership.route_words(route)})
            if not getattr(tag, f"gw{route.family}") and ownership.fits_alias(more):
                tag = more
    return tag


def _restore_defaults(context: Context, tag: Tag, routes: Iterable[Route], nic: Link) -> list[Command]:
    """Put a default route back that the NIC had and that got lost since, unless the host has another one."""
    steps = []
    for family, word in ((4, tag.gw4), (_IPV6, tag.gw6)):
        words = ownership.route_from(word)
        there = [
            r for r in context.guest_state.routes if r.dst == "default" and r.family == family and "ra" not in r.words
        ]
        moved = any(host_routes.is_default(route) and route.family == family for route in routes)
        if words and not there and not moved:
            steps.append(
                ip(
                    "route",
                    "replace",
                    host_routes.ANY[family],
                    *words,
                    reason=f"give {nic.name} its default route back",
                )
            )
    return steps


def _tell_neighbours(name: str, *, ipv6: bool) -> Command:
    paths = [f"/proc/sys/net/ipv4/conf/{name}/arp_notify"]
    paths += [f"/proc/sys/net/ipv6/conf/{name}/ndisc_notify"] if ipv6 else []
    return Command(argv=("tee", *paths), stdin="1", reason=f"let {name} announce its addresses")


def _start_guard(confirm: int, name: str, back: Iterable[Command]) -> Command:
    lines = "".join(f"{shlex.join(command.argv)}\n" for command in back)
    argv = ("sh", script("host_guard.sh"), str(confirm + GRACE), name, PENDING_GROUP)
    return Command(argv=argv, stdin=lines, reason=f"have it all put back unless {name} is settled in time")


def _warn_of_strictness(context: Context, nic: Link) -> tuple[str, ...]:
    answer = context.answers.get("strict")
    if answer is None or "1" not in answer.stdout.split() or "2" in answer.stdout.split():
        return ()
    said = f"{nic.name} drops packets that the host would answer through another interface (rp_filter is 1), such as"
    return (f"{said} its sibling; 2 lets them through.",)


def _list_staying(context: Context, nic: Link) -> Iterator[str]:
    """Say what is not moved: what the kernel makes for each interface, and the rules that name the NIC."""
    name = context.attachment.interface
    kept = addresses.list_advertised(context, nic.name)
    if kept:
        yield (
            f"{nic.name} keeps {', '.join(kept)}, which routers advertised: {name} makes addresses of its own of that, "
            f"and macvlan guests reach the host by those alone."
        )
    rules = [rule for key in _RULES for rule in facts.parse_json(context.answers[key].stdout or "[]")]
    if any(nic.name in {rule.get("iif"), rule.get("oif")} for rule in rules):
        yield f"there are rules for {nic.name}, which do not hold for {name}; `ip rule` shows them."


def _list_unled(held: addresses.Held, name: str, what: str) -> Iterator[str]:
    for route in held.stale:
        yield f"the route to {route.dst} by {route.via} through {name} {what}: nothing that moves leads to {route.via}."
