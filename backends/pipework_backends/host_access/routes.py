"""Routes of the host in the words that people see and `ip route` takes, and what leads them through another interface.

`ip -json` leaves out which metrics are locked, what a tunnel's header is, and more (seen with iproute2 6.1).
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from pipework_core.model.errors import HostError
from pipework_core.model.link import Route
from pipework_core.model.plan import Command
from pipework_core.toolkit.iproute import ip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network

QUERY = Command(argv=("ip", "-details", "route", "show", "table", "all"), reason="read the routes of the host as words")
#: Every destination, in words that show the family.
ANY = {4: "0.0.0.0/0", 6: "::/0"}
_IPV6 = 6
#: Who sets routes that come and go by themselves: the kernel with an address, and what routers advertise
#: (linux/rtnetlink.h, RTPROT_*).
_BY_THEMSELVES = frozenset({"kernel", "ra", "redirect"})
#: What is said of a route when it is shown, and is none of its words.
_STATES = frozenset({"dead", "linkdown", "offload", "trap", "rt_offload", "rt_trap", "rt_offload_failed", "unresolved"})
#: What `ip` takes for said when nothing else is.
_USUAL = frozenset({("table", "main"), ("proto", "boot"), ("pref", "medium")})
#: What words cannot lead through another interface: a next hop that is an object of its own, and a tunnel's header.
_BOUND = ("nhid", "encap")
#: With one of these a route leads to somewhere beyond its interface.
_FAR = frozenset({"via", "nexthop"})


def list_through(said: str, name: str) -> tuple[Route, ...]:
    """Return the routes of all tables through the interface, in an order in which they can be set.

    `said` answers QUERY. Those that come and go by themselves are left out. Raises HostError for one that could not
    be led through another interface and back.
    """
    known = tuple(_parse_routes(said))
    found = [route for route in known if not route.kernel and _uses_link(route, name)]
    for route in found:
        reason = next((word for word in _BOUND if word in route.words), "")
        if not reason and sum(_find_position(route) == _find_position(other) for other in known) > 1:
            reason = "there is another one to there, which might be replaced in its place"
        if reason:
            raise HostError(f"the route to {route.dst} through {name} could not be moved: {reason}.", hint=_HINT)
    return tuple(sorted(found, key=lambda route: not _FAR.isdisjoint(route.words)))


_HINT = "delete it first, and set it again when the host takes part"


def list_stale(routes: Iterable[Route], networks: Iterable[Network]) -> list[Route]:
    """Return the routes by a gateway that is in none of these networks, and that no other of the routes leads to."""
    every = list(routes)
    straight = [route for route in every if _FAR.isdisjoint(route.words)]
    near = [*networks, *(ip_network(list_words(route)[1 if route.special else 0]) for route in straight)]
    return [route for route in every if _is_plain(route) and not _is_near(route.via, near)]


def _is_plain(route: Route) -> bool:
    """Whether it has one gateway, which the kernel looks for before it takes the route."""
    return bool(route.via) and "onlink" not in route.words and "nexthop" not in route.words


def _is_near(gateway: str, networks: Iterable[Network]) -> bool:
    address = ip_address(gateway)
    return address.is_link_local or any(address in network for network in networks)


def lead_through(route: Route, old: str, new: str) -> Command:
    """Return what leads a route through another interface, or through the same one again."""
    return ip("route", "replace", *list_words(route, (old, new)), reason=f"lead {route.dst} through {new}")


def list_words(route: Route, dev: tuple[str, str] = ("", "")) -> tuple[str, ...]:
    """Return type, destination and words of a route, with one device in the place of another, for any batch.

    Without -4 or -6, which would stand for a whole batch, the family must show in the destination.
    """
    old, new = dev
    found = list(route.words)
    for at, word in enumerate(found[:-1]):
        if word == "dev" and found[at + 1] == old:
            found[at + 1] = new
    kind = (route.special,) if route.special else ()
    return (*kind, ANY[route.family] if route.dst == "default" else route.dst, *found)


def is_default(route: Route) -> bool:
    """Whether it is a default route, of any table."""
    return route.dst == "default"


def list_gateways(routes: Iterable[Route]) -> list[str]:
    """Return the gateways of default routes of table main."""
    return [route.via for route in routes if is_default(route) and route.via and "table" not in route.words]


def _parse_routes(said: str) -> Iterator[Route]:
    """Yield all routes; the next hops of one that has several stand on lines of their own, indented."""
    rows: list[list[str]] = []
    for line in said.split("\n"):
        # No other white space can be relied on: names of interfaces may hold what Python takes for it.
        found = [word for word in line.replace("\t", " ").split(" ") if word]
        if line.startswith("\t") and rows:
            rows[-1] += found
        elif found:
            rows.append(found)
    for kind, dst, *rest in rows:
        yield _make_route("" if kind == "unicast" else kind, dst, rest)


def _make_route(kind: str, dst: str, said: Sequence[str]) -> Route:
    family = _IPV6 if "pref" in said else 4
    far = not _FAR.isdisjoint(said)
    scope = "global" if far or family == _IPV6 else "link"
    usual = _USUAL if kind else _USUAL | {("scope", scope)}
    found = tuple(_list_needed_words(said, usual))
    via = _format_value(found, "via")
    proto = _format_value(found, "proto")
    return Route(
        dst=dst,
        family=family,
        dev=_format_value(found, "dev"),
        via=found[found.index("via") + 2] if via == "inet6" else via,
        metric=int(_format_value(found, "metric") or 0),
        kernel=proto in _BY_THEMSELVES and not (proto == "kernel" and far),
        special=kind,
        words=found,
    )


def _list_needed_words(said: Sequence[str], usual: frozenset[tuple[str, str]]) -> Iterator[str]:
    """Yield what must be said to have the same route again."""
    todo = list(said)
    while todo:
        word, value = todo.pop(0), todo[0] if todo else ""
        if word == "dev":  # an interface may be called like any of these words
            yield from (word, todo.pop(0))
        elif (word, value) in usual:
            del todo[0]
        elif (word, value) == ("rto_min", "lock"):  # it always is; `ip` shows the word, and does not read it
            yield word
            del todo[0]
        elif word == "expires":
            yield from (word, todo.pop(0).removesuffix("sec"))
        elif word not in _STATES:
            yield word


def _format_value(found: Sequence[str], key: str) -> str:
    """Return the word after the first `key` that is no interface's name; empty when there is none."""
    places = (at for at, word in enumerate(found[:-1]) if word == key and (not at or found[at - 1] != "dev"))
    return next((found[at + 1] for at in places), "")


def _uses_link(route: Route, name: str) -> bool:
    return any(pair == ("dev", name) for pair in zip(route.words, route.words[1:], strict=False))


def _find_position(route: Route) -> tuple[object, ...]:
    """Return what the kernel tells routes apart by when one is to be replaced."""
    return (
        route.family,
        route.dst,
        route.metric,
        *(_format_value(route.words, word) for word in ("table", "tos", "from")),
    )
