"""The picture as a tree for a terminal: what the host has, and below each interface the guests that hang on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.graph import labels
from pipework_core.model.graph import GUEST_SIDE, HOST_SIDE
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.graph import Graph, GraphLink, Node

#: A cell that is longer moves the rest of its own row alone.
_COLUMN_MAX = 40


def format_tree(graph: Graph) -> str:
    """Return the tree, a line for each interface of the host and each link. A guest with two links has two lines."""
    return "".join(f"{line}\n" for line in _Tree(graph).list_lines())


class _Tree:
    """Walks from what lies on nothing to the guests."""

    def __init__(self, graph: Graph) -> None:
        self._nodes: Mapping[str, Node] = {node.id: node for node in graph.nodes}
        self._below = {node.id: [link for link in graph.links if link.start == node.id] for node in graph.nodes}
        self._uppers = {link.end for link in graph.links if self._nodes[link.end].side == HOST_SIDE}
        self._hosts = graph.side(HOST_SIDE)
        self._shown: set[str] = set()

    def list_lines(self) -> Iterator[str]:
        """Yield the lines from top to bottom."""
        for node in self._hosts:
            if node.id not in self._uppers:
                yield from self._list_node(node, "", "")

    def _list_node(self, node: Node, first: str, rest: str) -> Iterator[str]:
        again = node.id in self._shown
        yield f"{first}{labels.name_node(node)}  ({labels.describe_node(node)}{', see above' if again else ''})"
        if again:
            return
        self._shown.add(node.id)
        links = sorted(self._below[node.id], key=lambda link: self._nodes[link.end].side == GUEST_SIDE)
        widths = self._measure(links)
        for link in links:
            is_last = link is links[-1]
            head, tail = rest + ("└─ " if is_last else "├─ "), rest + ("   " if is_last else "│  ")
            upper = self._nodes[link.end]
            if upper.side == HOST_SIDE:
                yield from self._list_node(upper, head, tail)
            else:
                cells = [cell.ljust(width) for cell, width in zip(self._format_link(link), widths, strict=True)]
                yield head + "  ".join(cell for cell in cells if cell).rstrip()

    def _measure(self, links: list[GraphLink]) -> list[int]:
        rows = [self._format_link(link) for link in links if self._nodes[link.end].side == GUEST_SIDE]
        return [min(max(map(len, column)), _COLUMN_MAX) for column in zip(*rows, strict=True)]

    def _format_link(self, link: GraphLink) -> tuple[str, ...]:
        return (
            labels.name_node(self._nodes[link.end]),
            escape_text(link.interface),
            link.state,
            labels.describe_addresses(link),
            labels.describe_link(link),
        )
