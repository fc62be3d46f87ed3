"""The order in which nodes are drawn: interfaces after what they lie on, guests beside what they hang on. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.graph.states import choose_worst
from pipework_core.model.graph import GUEST_SIDE, HOST_SIDE, Graph

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.model.graph import GraphLink, Node

_DIGITS = re.compile(r"([0-9]+)")


def make_graph(nodes: Iterable[Node], links: Iterable[GraphLink], warnings: Iterable[str] = ()) -> Graph:
    """Return the graph with its nodes in order, the depth of those of the host, and the state of the guests."""
    known = {node.id: node for node in nodes}
    given = tuple(links)
    order = _order_hosts(known, given)
    place = {key: number for number, key in enumerate(order)}
    states = {key: [link.state for link in given if link.end == key] for key in known}
    guests = sorted(
        (node._replace(state=choose_worst(states[node.id])) for node in known.values() if node.side == GUEST_SIDE),
        key=lambda node: _rank_guest(node, given, place),
    )
    hosts = [known[key]._replace(depth=depth) for key, depth in order.items()]
    rank = place | {node.id: number + len(place) for number, node in enumerate(guests)}
    ordered = sorted(given, key=lambda link: (rank[link.end], split_digits(link.interface), rank[link.start]))
    return Graph(nodes=(*hosts, *guests), links=tuple(ordered), warnings=tuple(warnings))


def _order_hosts(known: Mapping[str, Node], links: tuple[GraphLink, ...]) -> dict[str, int]:
    """Return the ids of the host's nodes, each after one that it lies on, with their depths."""
    above: dict[str, list[str]] = {node.id: [] for node in known.values() if node.side == HOST_SIDE}
    roots = set(above)
    for link in links:
        if link.end in above:
            above[link.start].append(link.end)
            roots.discard(link.end)
    order: dict[str, int] = {}
    # Rings cannot be made in the kernel; a file that claims one still has each node drawn once.
    for start in (*sorted(roots, key=lambda key: _rank_host(known[key])), *above):
        todo = [(start, 0)]
        while todo:
            key, depth = todo.pop()
            if key not in order:
                order[key] = depth
                todo += [(one, depth + 1) for one in sorted(above[key], key=split_digits, reverse=True)]
    return order


def _rank_host(node: Node) -> tuple[bool, list[tuple[int, str]]]:
    """Order by name, after those what stands for interfaces that hang on nothing."""
    return node.id.startswith("none:"), split_digits(node.name)


def _rank_guest(
    node: Node, links: tuple[GraphLink, ...], place: Mapping[str, int]
) -> tuple[int, float, list[tuple[int, str]]]:
    """Order by the first interface of the host, then those with links further down last, then by name."""
    places = [place[link.start] for link in links if link.end == node.id] or [0]
    return min(places), sum(places) / len(places), split_digits(node.name)


def split_digits(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts n2 before n10."""
    return [(int(part), "") if part.isdecimal() and len(part) < 20 else (-1, part) for part in _DIGITS.split(text)]  # noqa: PLR2004 - digits of a number that costs nothing
