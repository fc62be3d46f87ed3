"""What the host and the guest look like: fact commands, and pure parsers of what they print.

One `ip -details -json link` answers kind, bridge, parent, MTU, MAC, alias and link layer of every host interface; one
`ip -batch` in the guest answers its links, addresses and routes of both families.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import HostError
from pipework_core.model.link import LOCKABLE, GuestState, Link, Route
from pipework_core.model.plan import Command
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.model.plan import Netns

HOST_LINKS = Command(argv=("ip", "-details", "-json", "link", "show"), reason="read the host's interfaces")
HOST_ADDRESSES = Command(
    argv=("ip", "-details", "-json", "address", "show"), reason="read the host's interfaces and their addresses"
)
#: Those that are shown in milliseconds, and read in other units when none is given.
_TIMES = frozenset({"rtt", "rttvar", "rto_min"})


def ipv6_query(netns: Netns) -> Command:
    """Return the command that reads whether new interfaces of a guest have IPv6; Docker turns it off in most of its."""
    return Command(
        argv=("cat", "/proc/sys/net/ipv6/conf/default/disable_ipv6"),
        netns=netns,
        ok_codes=frozenset({0, 1}),
        reason="read whether the guest has IPv6",
    )


def guest_query(netns: Netns) -> Command:
    """Return the one command that reads a guest's links, addresses and routes."""
    return Command(
        argv=("ip", "-details", "-json", "-batch", "-"),
        netns=netns,
        stdin="address show\nroute show table all\n",
        reason="read the guest's interfaces and routes",
    )


def locks_query(netns: Netns, guest: GuestState) -> Command | None:
    """Return the command that reads which metrics of a guest's default routes are locked; None when there are none.

    `ip -json` leaves that word out (seen with iproute2 6.1), so it is read as it is shown to people.
    """
    if not any(route.dst == "default" and not LOCKABLE.isdisjoint(route.words) for route in guest.routes):
        return None
    return Command(
        argv=("ip", "-details", "route", "show", "table", "all", "default"),
        netns=netns,
        reason="read which metrics of the guest's default routes are locked",
    )


def links_query(netns: Netns) -> Command:
    """Return the command that reads a guest's links and addresses alone; the guest may have ended meanwhile."""
    return Command(
        argv=("ip", "-details", "-json", "address", "show"),
        netns=netns,
        ok_codes=frozenset({0, 1, 255}),
        reason="read the guest's interfaces",
    )


def bare_links_query(netns: Netns) -> Command:
    """Return the command that reads a guest's links without addresses; the guest may have ended meanwhile."""
    return links_query(netns)._replace(argv=HOST_LINKS.argv)


def parse_json(text: str) -> Any:  # noqa: ANN401 - whatever the tool says
    """Parse what iproute2 prints, which leaves control characters of an alias as they are (RFC 8259 forbids it).

    Raises HostError for what is no JSON all the same: a guest's root can choose its aliases.
    """
    try:
        return json.loads(text, strict=False)
    except ValueError as error:
        raise HostError(
            f"iproute2 gave an answer that cannot be read ({error}).", hint="look for odd aliases"
        ) from None


def json_lines(text: str) -> list[str]:
    """Return the documents of an answer that has one a line; other ends of a line may be part of an alias."""
    return [line for line in text.split("\n") if line.strip()]


@parser_of("ip")
def parse_links(text: str) -> dict[str, Link]:
    """Parse `ip -details -json link show` or `… address show` into links by name."""
    return {link.name: link for link in map(_parse_link, parse_json(text or "[]")) if link.name}


@parser_of("ip")
def parse_guest(text: str) -> GuestState:
    """Parse the two documents, a line each, that `guest_query` prints."""
    documents = json_lines(text)
    links = parse_links(documents[0]) if documents else {}
    routes = _parse_routes(documents[1]) if len(documents) > 1 else ()
    return GuestState(links=links, routes=routes)


def with_locks(guest: GuestState, text: str) -> GuestState:
    """Return the guest with the word `lock` after those metrics of default routes where `locks_query` printed it."""
    lines = [line.split() for line in text.split("\n")]
    return guest._replace(routes=tuple(_add_locks(route, lines) for route in guest.routes))


def _add_locks(route: Route, lines: list[list[str]]) -> Route:
    shown = [words for words in lines if _is_about(words, route)]
    locked = {key for words in shown for key, word in pairwise(words) if word == "lock"} & LOCKABLE
    words: list[str] = []
    for word in route.words:
        named = bool(words) and words[-1] == "dev"  # an interface may be called like a metric
        words += [word, "lock"] if word in locked and not named else [word]
    return route._replace(words=tuple(words))


def _is_about(words: list[str], route: Route) -> bool:
    """Whether a line is about this route; one with several next hops has the devices in lines of their own."""
    said = dict(pairwise(words))
    return (
        route.dst == "default"
        and words[1:2] == ["default"]
        and said.get("table") == "main"
        and ("pref" in said) == (route.family == 6)  # noqa: PLR2004 - IPv6
        and said.get("metric", "0") == str(route.metric)
        and said.get("dev", route.dev) == route.dev
    )


def parse_names(text: str) -> frozenset[str]:
    """Parse one name a line."""
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def _parse_link(entry: dict[str, Any]) -> Link:
    info = entry.get("linkinfo", {})
    # A parent or peer in this namespace is told by name ("link"), one in another by ifindex and namespace id.
    return Link(
        name=entry.get("ifname", ""),
        ifindex=entry.get("ifindex", 0),
        kind=info.get("info_kind", ""),
        layer=entry.get("link_type", "ether"),
        mac=entry.get("address", ""),
        mtu=entry.get("mtu", 1500),
        up="UP" in entry.get("flags", ()),
        master=entry.get("master", ""),
        alias=entry.get("ifalias", ""),
        group=str(entry.get("group", "default")),
        peer=entry.get("link_index") or 0,
        parent=entry.get("link") or "",
        peer_elsewhere="link_netnsid" in entry,
        data=info.get("info_data", {}),
        port=info.get("info_slave_kind", ""),
        addresses=tuple(_list_assigned(entry)),
        unsettled=tuple(_list_assigned(entry, "tentative")),
        leased=tuple(_list_leased(entry)),
        port_state=str(info.get("info_slave_data", {}).get("state", "")),
        altnames=tuple(entry.get("altnames", ())),
    )


def _list_assigned(entry: dict[str, Any], flag: str = "") -> list[str]:
    """Return what somebody assigned, and not what an advertisement brought; with a flag, those that have it.

    An address that somebody else on the link turned out to have (`dadfailed`) stays `tentative`.
    """
    return [
        f"{info['local']}/{info.get('prefixlen', 0)}"
        for info in entry.get("addr_info", ())
        if info.get("local") and not info.get("dynamic") and (not flag or info.get(flag))
    ]


def _list_leased(entry: dict[str, Any]) -> list[str]:
    found = (info for info in entry.get("addr_info", ()) if info.get("local") and info.get("dynamic"))
    return [f"{info['local']}/{info.get('prefixlen', 0)}" for info in found]


_ROUTE_WORDS = {"dev": "dev", "prefsrc": "src", "metric": "metric", "protocol": "proto"}


def _parse_routes(text: str) -> tuple[Route, ...]:
    entries = [entry for entry in parse_json(text) if entry.get("table", "main") == "main"]
    return tuple(parse_route_entries(entries))


def parse_route_entries(entries: Iterable[dict[str, Any]]) -> Iterator[Route]:
    """Yield routes from entries as `ip -json route` has them, whatever table they are in."""
    return (_parse_route(entry) for entry in entries if _is_replaceable(entry))


def _parse_route(entry: dict[str, Any]) -> Route:
    first = entry.get("nexthops", [entry])[0]
    # iproute2 prints no family; IPv6 routes alone carry a router preference ("pref", RFC 4191).
    return Route(
        dst=entry["dst"],
        family=6 if "pref" in entry else 4,
        dev=first.get("dev", ""),
        via=_list_gateway_words(first)[-1] if _list_gateway_words(first) else "",
        metric=entry.get("metric", 0),
        kernel=entry.get("protocol") == "kernel",
        special=_name_speciality(entry),
        words=tuple(_list_words(entry)),
    )


def _is_replaceable(entry: dict[str, Any]) -> bool:
    """Whether a route of table main matters: those for a type of service of their own are never replaced by ours."""
    return (entry.get("type") == "unicast" or entry.get("dst") == "default") and "tos" not in entry


def _name_speciality(entry: dict[str, Any]) -> str:
    if entry.get("type", "unicast") != "unicast":
        return str(entry["type"])
    return next((word for word in ("nhid", "realm", "realms", "encap") if word in entry), "")


def _list_gateway_words(hop: dict[str, Any]) -> list[str]:
    if "gateway" in hop:
        return ["via", hop["gateway"]]
    if "via" in hop:  # an IPv4 route through an IPv6 router, RFC 5549
        return ["via", hop["via"]["family"], hop["via"]["host"]]
    return []


def _list_words(entry: dict[str, Any]) -> list[str]:
    """Return the words after the destination with which `ip route replace` puts this very route back."""
    words = _list_gateway_words(entry)
    for key, word in _ROUTE_WORDS.items():
        if entry.get(key) not in {None, ""}:
            words += [word, str(entry[key])]
    if "onlink" in entry.get("flags", ()):
        words.append("onlink")
    if entry.get("pref", "medium") != "medium":
        words += ["pref", entry["pref"]]
    for metrics in entry.get("metrics", ()):
        for key, value in metrics.items():
            words += [key, f"{value}ms" if key in _TIMES else str(value)]
    for hop in entry.get("nexthops", ()):
        words += ["nexthop", *_list_gateway_words(hop), "dev", hop["dev"], "weight", str(hop.get("weight", 1))]
    return words
