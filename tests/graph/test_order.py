"""The order in which nodes are drawn."""

from __future__ import annotations

import pytest

from pipework_core.graph.order import make_graph, split_digits
from pipework_core.graph.states import choose_worst
from pipework_core.model.graph import GraphLink, Node


def host(name: str) -> Node:
    return Node(id=f"host:{name}", kind="nic", name=name)


def guest(name: str) -> Node:
    return Node(id=f"guest:{name}", kind="docker", name=name, side="guest")


def link(start: Node, end: Node) -> GraphLink:
    return GraphLink(id=f"{start.id} {end.id}", start=start.id, end=end.id, kind="x", interface=f"eth{start.name}")


def test_numbers_in_names_count_as_numbers() -> None:
    n1, n2, n10 = map(guest, ("n1", "n2", "n10"))
    bridge = host("br1")
    graph = make_graph([bridge, n10, n2, n1], [link(bridge, one) for one in (n10, n1, n2)])
    assert [node.name for node in graph.nodes] == ["br1", "n1", "n2", "n10"]
    assert [one.end for one in graph.links] == ["guest:n1", "guest:n2", "guest:n10"]


def test_guests_stand_beside_what_they_hang_on_and_those_with_more_links_between() -> None:
    br1, br2 = host("br1"), host("br2")
    a, b, c = map(guest, "abc")
    graph = make_graph([br2, br1, a, b, c], [link(br1, a), link(br2, a), link(br2, b), link(br1, c)])
    assert [node.name for node in graph.side("guest")] == ["c", "a", "b"]


def test_interfaces_come_after_what_they_lie_on() -> None:
    nic, vlan, bridge = host("eth0"), host("eth0.10"), host("a-bridge")
    graph = make_graph([bridge, vlan, nic], [link(nic, vlan), link(vlan, bridge)])
    assert [(node.name, node.depth) for node in graph.nodes] == [("eth0", 0), ("eth0.10", 1), ("a-bridge", 2)]


def test_two_ports_of_one_bridge_and_a_ring_are_drawn_once() -> None:
    one, two, bridge = host("eth1"), host("eth2"), host("br1")
    graph = make_graph([one, two, bridge], [link(one, bridge), link(two, bridge)])
    assert [node.name for node in graph.nodes] == ["eth1", "br1", "eth2"]
    ring = make_graph([one, two], [link(one, two), link(two, one)])
    assert sorted(node.name for node in ring.nodes) == ["eth1", "eth2"]


@pytest.mark.parametrize("name", ["", "9" * 5000, "²", "٣", "n2", "2n", "\udc80"])
def test_any_name_can_be_sorted(name: str) -> None:
    assert sorted([split_digits(name), split_digits("n10"), split_digits("1")])


def test_the_worst_state_wins() -> None:
    assert choose_worst(["up", "orphan", "expired"]) == "orphan"
    assert choose_worst(["down", "up"]) == "down"
    assert choose_worst([]) == "unknown"
