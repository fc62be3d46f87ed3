"""The picture in the language of Mermaid, which Markdown pages of GitHub and GitLab draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.graph import labels
from pipework_core.model.graph import GUEST_SIDE, HOST_SIDE
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.graph import Graph

#: What stands in a label as it is; everything else is written as a number, which Mermaid takes for that character.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .:/,_-")


def format_mermaid(graph: Graph) -> str:
    """Return a flowchart from left to right."""
    numbers = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for side, title in ((HOST_SIDE, "host"), (GUEST_SIDE, "guests")):
        lines.append(f'  subgraph {side}["{title}"]')
        lines += [
            f'    {numbers[node.id]}["{_quote((labels.name_node(node), labels.describe_node(node)))}"]'
            for node in graph.side(side)
        ]
        lines.append("  end")
    for link in graph.links:
        texts = (escape_text(link.interface), labels.describe_addresses(link), labels.describe_link(link), link.state)
        lines.append(f'  {numbers[link.start]} ---|"{_quote(texts)}"| {numbers[link.end]}')
    return "".join(f"{line}\n" for line in lines)


def _quote(texts: Iterable[str]) -> str:
    """Return lines of a label; `#` and a number stand for a character (Mermaid, "Entity codes to escape")."""
    quoted = ("".join(char if char in _PLAIN else f"#{ord(char)};" for char in text) for text in texts if text)
    return "<br>".join(quoted)
