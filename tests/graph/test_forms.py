"""The forms of the picture: what they say, and that no name becomes more than a name in any of them."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipework_core.graph.dot import format_dot
from pipework_core.graph.live import build_graph
from pipework_core.graph.mermaid import format_mermaid
from pipework_core.graph.svg import format_svg
from pipework_core.graph.tree import format_tree
from pipework_core.model.graph import Graph
from pipework_core.model.link import Link
from pipework_core.model.names import escape_text

from .pictures import HOSTILE, make_entry, make_host, make_many

SVG = "{http://www.w3.org/2000/svg}"


def parse_svg(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own


def hostile_graph(names: tuple[str, ...] = HOSTILE) -> Graph:
    """Return a host on which everything that can be named is called so."""
    entries = [
        make_entry(name, number + 1, name, parent=name, kind=name, vlan=name, mac=name, addresses=(name,))
        for number, name in enumerate(names)
    ]
    links = tuple(Link(name=name, ifindex=500 + n, kind=name, addresses=(name,)) for n, name in enumerate(names))
    return build_graph(make_host(*entries, links=links, warnings=names))


def test_the_tree_shows_hosts_guests_addresses_and_states() -> None:
    host = make_host(
        make_entry("web1", 1),
        make_entry(
            "web1", 1, "eth2", kind="macvlan", parent="eth0", vlan="10", addresses=("172.16.0.1/24", "fd00::1/64")
        ),
        make_entry("db", 2, state="down", addresses=()),
        links=(Link(name="eth0.10", ifindex=50, kind="vlan", parent="eth0", up=True, data={"id": 10}),),
    )
    assert format_tree(build_graph(host)) == (
        "br1  (bridge, up, 10.0.0.254/16)\n"
        "├─ docker:db    eth1  down               bridge 02:00:00:00:00:02\n"
        "└─ docker:web1  eth1  up    10.0.0.2/16  bridge 02:00:00:00:00:01\n"
        "eth0  (NIC, up, 192.0.2.5/24)\n"
        "└─ eth0.10  (VLAN, up)\n"
        "   └─ docker:web1  eth2  up  172.16.0.1/24 fd00::1/64  macvlan 02:00:00:00:00:01 VLAN 10\n"
    )


def test_a_bridge_with_two_ports_stands_below_both_and_its_guests_once() -> None:
    links = (Link(name="eth1", ifindex=50, master="br1"), Link(name="eth2", ifindex=51, master="br1"))
    lines = format_tree(build_graph(make_host(make_entry("web1", 1), links=links))).splitlines()
    assert lines[-2:] == ["eth2  (NIC, down)", "└─ br1  (bridge, up, 10.0.0.254/16, see above)"]
    assert sum("web1" in line for line in lines) == 1


def test_nothing_is_an_empty_picture() -> None:
    assert format_tree(Graph()) == ""
    assert parse_svg(format_svg(Graph())).tag == f"{SVG}svg"
    assert format_dot(Graph()).endswith("}\n")
    assert format_mermaid(Graph()).startswith("flowchart LR\n")


def test_mermaid_and_dot_name_each_node_and_link() -> None:
    graph = build_graph(make_host(make_entry("web1", 1)))
    assert format_mermaid(graph) == (
        "flowchart LR\n"
        '  subgraph host["host"]\n'
        '    n0["br1<br>bridge, up, 10.0.0.254/16"]\n'
        '    n1["eth0<br>NIC, up, 192.0.2.5/24"]\n'
        "  end\n"
        '  subgraph guest["guests"]\n'
        '    n2["docker:web1<br>guest"]\n'
        "  end\n"
        '  n0 ---|"eth1<br>10.0.0.2/16<br>bridge 02:00:00:00:00:01<br>up"| n2\n'
    )
    dot = format_dot(graph).splitlines()
    assert '  n2 [label="docker:web1\\nguest", style=rounded];' in dot
    assert '  n0 -- n2 [label="eth1\\n10.0.0.2/16\\nbridge 02:00:00:00:00:01\\nup"];' in dot


def test_svg_shows_every_name_and_a_line_for_each_link() -> None:
    graph = build_graph(make_many(100))
    root = parse_svg(format_svg(graph))
    texts = {"".join(element.itertext()) for element in root.iter(f"{SVG}text")}
    assert {"docker:web1", "docker:web100", "eth0.10", "br-storage", "expired", "old (gone)"} <= texts
    lines = [path for path in root.iter(f"{SVG}path") if path.get("class", "").startswith("link ")]
    assert len(lines) == len(graph.links)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    boxes = [box for box in root.iter(f"{SVG}rect") if box.get("class") == "box"]
    assert all(float(box.get("x", "0")) + float(box.get("width", "0")) <= width for box in boxes)
    assert all(float(box.get("y", "0")) + float(box.get("height", "0")) <= height for box in boxes)


def test_boxes_of_one_side_do_not_overlap() -> None:
    root = parse_svg(format_svg(build_graph(make_many(30))))
    boxes = [box for box in root.iter(f"{SVG}rect") if box.get("class") == "box"]
    hosts = [box for box in boxes if box.get("width") == "260"]
    for side in (hosts, [box for box in boxes if box not in hosts]):
        spans = sorted((float(box.get("y", "0")), float(box.get("height", "0"))) for box in side)
        assert all(y + height < below for (y, height), (below, _) in pairwise(spans))


def check_text(text: str) -> None:
    """Hold that a text has nothing that a terminal or an encoding could stumble over."""
    assert all(char == "\n" or char.isprintable() for char in text)
    text.encode()


def check_all(graph: Graph) -> None:
    tree, mermaid, dot, svg = format_tree(graph), format_mermaid(graph), format_dot(graph), format_svg(graph)
    for text in (tree, mermaid, dot, svg):
        check_text(text)
    allowed = {"svg", "style", "rect", "path", "g", "text", "title"}
    root = parse_svg(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
    keys = {key for element in root.iter() for key in element.attrib}
    assert not {key for key in keys if key.startswith("on") or "href" in key}
    for element in root.iter():
        assert re.fullmatch(r"[a-z -]*", element.get("class", ""))
    # A label is one pair of quotes, and a line holds one label.
    for line in mermaid.splitlines():
        assert re.fullmatch(r'[\w -]*|  subgraph \w+\["\w+"\]|    n\d+\["[^"]*"\]|  n\d+ ---\|"[^"]*"\| n\d+', line)
        label = line.partition('"')[2].rpartition('"')[0].replace("<br>", "")
        assert re.fullmatch(r"(?:[\w .:/,-]|#\d+;)*", label, re.ASCII)
    for line in dot.splitlines()[2:-1]:
        assert re.fullmatch(r'  n\d+( -- n\d+)? \[label="(?:[^"\\]|\\["\\n])*"(, style=rounded)?\];', line)


def test_no_name_is_more_than_a_name() -> None:
    graph = hostile_graph()
    check_all(graph)
    assert len(graph.side("guest")) == len(HOSTILE)


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=3, unique=True))
def test_no_name_that_anybody_could_think_of_is_more_than_a_name(names: list[str]) -> None:
    check_all(hostile_graph(tuple(names)))


@pytest.mark.parametrize("name", HOSTILE)
def test_svg_shows_a_hostile_name_as_it_is_escaped(name: str) -> None:
    root = parse_svg(format_svg(build_graph(make_host(make_entry(name, 1)))))
    texts = [
        "".join(part.text or "" for part in ([*text.iter(f"{SVG}title")] or [text])) for text in root.iter(f"{SVG}text")
    ]
    assert f"docker:{escape_text(name)}" in texts
