"""What an interface has on the host, and the commands that restore it after the interface was away.

A move between namespaces takes addresses, routes and the master away (dev_change_net_namespace in net/core/dev.c); the
MAC, the MTU, the group and the alias go along. Queueing disciplines, neighbours and the sysctls of the interface are
lost for good, as they are when a NIC is unplugged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.model.plan import Command
from pipework_core.state import facts
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import restore_route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.link import Link, Route

#: Of all interfaces: the name of one may hold characters that the batch syntax would split.
QUERY = Command(
    argv=("ip", "-details", "-json", "-batch", "-"),
    stdin="address show\nroute show table all\n",
    reason="read the addresses and routes of the host",
)


def find_default_route(answer: str, name: str) -> Route | None:
    """Return the host's default route, of either family, that goes through the interface."""
    routes = facts.parse_guest(answer).routes
    return next((route for route in routes if route.dst == "default" and _leads_through(route, name)), None)


def _leads_through(route: Route, name: str) -> bool:
    return name in {route.words[at + 1] for at, word in enumerate(route.words) if word == "dev"}


def restore_settings(link: Link, answer: str) -> list[Command]:
    """Return what gives `link` on the host its master, state, addresses and routes, as the answer to QUERY has them.

    The master comes first, because a bond takes no port that is up; routes come last, because they need addresses.
    """
    name = link.name
    steps = [ip("link", "set", "dev", name, "master", link.master)] if link.master else []
    if link.up:
        steps.append(ip("link", "set", "dev", name, "up"))
    documents = [facts.parse_json(line) for line in facts.json_lines(answer)]
    addresses, others = [*documents, [], []][:2]
    for entry in addresses:
        if entry.get("ifname") == name:
            steps += [restore_address(info, name) for info in entry.get("addr_info", ()) if is_assigned(info)]
    return steps + [restore_route(route, None) for route in parse_routes_through(others, name)]


def is_assigned(info: dict[str, Any]) -> bool:
    """Whether somebody assigned the address; the kernel itself makes link-local and advertised ones."""
    made = info.get("scope") == "link" and info.get("family") == "inet6"
    return not (made or "mngtmpaddr" in info or info.get("temporary") or info.get("protocol") == "kernel_ra")


def restore_address(info: dict[str, Any], name: str) -> Command:
    """Return what gives the interface an address as it was read."""
    words = [info["local"]]
    if "address" in info:  # a peer, and the prefix length is that of the peer
        words += ["peer", info["address"]]
    words[-1] += f"/{info['prefixlen']}"
    if "broadcast" in info:
        words += ["broadcast", info["broadcast"]]
    words += ["dev", name, "scope", str(info.get("scope", "global"))]
    if info.get("label", name) != name:
        words += ["label", info["label"]]
    if info.get("dynamic"):  # from DHCP: it keeps the rest of its lifetime, and the client renews it
        words += ["valid_lft", str(info["valid_life_time"]), "preferred_lft", str(info["preferred_life_time"])]
    words += [flag for flag in ("home", "nodad", "noprefixroute", "autojoin") if info.get(flag)]
    if "metric" in info:  # that of the route to its network
        words += ["metric", str(info["metric"])]
    if info.get("deprecated") and not info.get("dynamic"):  # no new connection uses it
        words += ["valid_lft", "forever", "preferred_lft", "0"]
    family = "-6" if info.get("family") == "inet6" else "-4"
    return ip(family, "address", "replace", *words)


def parse_routes_through(entries: list[dict[str, Any]], name: str) -> Iterator[Route]:
    """Yield the routes through the interface, of all tables; not those that the kernel sets with an address."""
    for entry in entries:
        if entry.get("protocol") in {"kernel", "ra"}:
            continue
        table = str(entry.get("table", "main"))
        for route in facts.parse_route_entries([entry]):
            if _leads_through(route, name):
                yield route if table == "main" else route._replace(words=("table", table, *route.words))
