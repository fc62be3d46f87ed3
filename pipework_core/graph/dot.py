"""The picture in the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.graph import labels
from pipework_core.model.graph import GUEST_SIDE
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.graph import Graph


def format_dot(graph: Graph) -> str:
    """Return an undirected graph from left to right."""
    numbers = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["graph pipework {", "  rankdir=LR; node [shape=box, fontname=sans]; edge [fontname=sans, fontsize=10];"]
    for node in graph.nodes:
        style = ", style=rounded" if node.side == GUEST_SIDE else ""
        texts = (labels.name_node(node), labels.describe_node(node))
        lines.append(f'  {numbers[node.id]} [label="{_quote(texts)}"{style}];')
    for link in graph.links:
        words = (escape_text(link.interface), labels.describe_addresses(link), labels.describe_link(link), link.state)
        lines.append(f'  {numbers[link.start]} -- {numbers[link.end]} [label="{_quote(words)}"];')
    return "".join(f"{line}\n" for line in (*lines, "}"))


def _quote(texts: Iterable[str]) -> str:
    r"""Return lines of a label: a backslash begins an escape there (`\N`, `\G`), `&` an entity of HTML."""
    quoted = (text.replace("\\", "\\\\").replace("&", "&amp;").replace('"', '\\"') for text in texts if text)
    return r"\n".join(quoted)
