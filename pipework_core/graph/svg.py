"""The picture as SVG: the host left, guests right with a row for each interface, lines between. No script, no font."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pipework_core.graph import labels
from pipework_core.graph.svg_style import STYLE
from pipework_core.model.graph import GUEST_SIDE, HOST_SIDE
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.graph import Graph, GraphLink

# Lengths are in pixels.
_MARGIN, _GAP, _INDENT = 24, 14, 18
_HOST_WIDTH, _GUEST_WIDTH, _BETWEEN = 260, 420, 150
_HEAD, _ROW, _HOST_HEIGHT = 30, 38, 46
#: How many trunks beside each other are told apart by place.
_PLACES = 7
#: How wide a character is, by the class of its text: 0.6 of the size of the monospaced font, and a little more.
_CHARACTERS: Mapping[str, float] = {"name": 8, "row": 7.4, "state": 7.4, "more": 6.8}
_WIDE = frozenset("WF")


class _Layout(Record):
    """Where things are: the upper edge of each node, and the middle of each link's row in its guest."""

    tops: Mapping[str, float]
    rows: Mapping[str, float]
    width: float
    guests_at: float
    height: float


def format_svg(graph: Graph) -> str:
    """Return a document of its own; it follows the light or dark mode of whoever shows it."""
    layout = _arrange(graph)
    size = f'width="{layout.width:g}" height="{layout.height:g}" viewBox="0 0 {layout.width:g} {layout.height:g}"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Interfaces of the host and guests">',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{layout.width:g}" height="{layout.height:g}"/>',
        *_draw_links(graph, layout),
        *_draw_hosts(graph, layout),
        *_draw_guests(graph, layout),
        "</svg>",
    )
    return "".join(f"{part}\n" for part in parts)


def _arrange(graph: Graph) -> _Layout:
    """Put guests below each other, each interface of the host beside the middle of its links where there is room."""
    tops: dict[str, float] = {}
    rows: dict[str, float] = {}
    y = float(_MARGIN)
    for node in graph.side(GUEST_SIDE):
        tops[node.id] = y
        y += _HEAD
        for link in graph.links_to(node):
            rows[link.id] = y + _ROW / 2
            y += _ROW
        y += _GAP
    below = float(_MARGIN)
    hosts = graph.side(HOST_SIDE)
    for node in hosts:
        mine = [rows[link.id] for link in graph.links if link.start == node.id and link.id in rows]
        wanted = sum(mine) / len(mine) - _HOST_HEIGHT / 2 if mine else below
        tops[node.id] = max(below, wanted)
        below = tops[node.id] + _HOST_HEIGHT + _GAP
    deepest = max((node.depth for node in hosts), default=0)
    guests_at = _MARGIN + deepest * _INDENT + _HOST_WIDTH + _BETWEEN
    height = max(y, below) - _GAP + _MARGIN
    return _Layout(tops, rows, guests_at + _GUEST_WIDTH + _MARGIN, guests_at, height)


def _draw_hosts(graph: Graph, layout: _Layout) -> Iterator[str]:
    for node in graph.side(HOST_SIDE):
        x, y = _MARGIN + node.depth * _INDENT, layout.tops[node.id]
        yield f'<g class="is-{node.state}">{_box(x, y, _HOST_WIDTH, _HOST_HEIGHT)}'
        yield _text(x + 12, y + 19, labels.name_node(node), "name", _HOST_WIDTH - 24)
        yield _text(x + 12, y + 36, labels.describe_node(node), "more", _HOST_WIDTH - 24) + "</g>"


def _draw_guests(graph: Graph, layout: _Layout) -> Iterator[str]:
    x = layout.guests_at
    for node in graph.side(GUEST_SIDE):
        links, y = graph.links_to(node), layout.tops[node.id]
        yield _box(x, y, _GUEST_WIDTH, _HEAD + len(links) * _ROW)
        yield _text(x + 12, y + 20, labels.name_node(node), "name", _GUEST_WIDTH - 24)
        for link in links:
            yield from _draw_row(link, x, layout.rows[link.id])


def _draw_row(link: GraphLink, x: float, middle: float) -> Iterator[str]:
    """Draw what is known of a link: interface and addresses above MAC and VLAN, the state at the end."""
    room = _GUEST_WIDTH - 24 - (len(link.state) + 2) * _CHARACTERS["state"]
    top = f"{escape_text(link.interface)}  {labels.describe_addresses(link)}"
    yield f'<g class="is-{link.state}"><path class="rule" d="M{x:g} {middle - _ROW / 2:g}h{_GUEST_WIDTH}"/>'
    yield _text(x + 12, middle - 3, top, "row", room)
    yield _text(x + 12, middle + 12, labels.describe_link(link), "more", room)
    place = f'x="{x + _GUEST_WIDTH - 12:g}" y="{middle + 4:g}"'
    yield f'<text class="state" {place} text-anchor="end">{link.state}</text></g>'


def _draw_links(graph: Graph, layout: _Layout) -> Iterator[str]:
    """Draw a trunk from each interface of the host, and from it a branch to each row; elbows within the host."""
    nodes = {node.id: node for node in graph.nodes}
    trunks: dict[str, list[GraphLink]] = {}
    for link in graph.links:
        start, end = nodes[link.start], nodes[link.end]
        if end.side == HOST_SIDE:
            left, bottom = _MARGIN + start.depth * _INDENT + 8, layout.tops[start.id] + _HOST_HEIGHT
            path = f"M{left} {bottom:g}V{layout.tops[end.id] + _HOST_HEIGHT / 2:g}H{_MARGIN + end.depth * _INDENT}"
            yield f'<path class="link is-{link.state}" d="{path}"/>'
        else:
            trunks.setdefault(link.start, []).append(link)
    for number, (key, links) in enumerate(trunks.items()):
        middle = layout.tops[key] + _HOST_HEIGHT / 2
        x = layout.guests_at - _BETWEEN * (0.8 - 0.55 * (number % _PLACES) / (_PLACES - 1))
        ys = [middle, *(layout.rows[link.id] for link in links)]
        right = _MARGIN + nodes[key].depth * _INDENT + _HOST_WIDTH
        yield f'<path class="trunk" d="M{right} {middle:g}H{x:g}M{x:g} {min(ys):g}V{max(ys):g}"/>'
        for link in links:
            path = f"M{x:g} {layout.rows[link.id]:g}H{layout.guests_at:g}"
            yield f'<path class="link is-{link.state}" d="{path}"/>'


def _text(x: float, y: float, text: str, style: str, room: float) -> str:
    """Return one line of text, cut where the room ends; what is cut stands whole in its title."""
    shown, width = "", 0.0
    for char in text:
        width += _CHARACTERS[style] * (2 if unicodedata.east_asian_width(char) in _WIDE else 1)
        if width > room:
            shown = f"{shown[:-1]}…"
            break
        shown += char
    title = f"<title>{escape(text)}</title>" if shown != text else ""
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{title}{escape(shown)}</text>'


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'
