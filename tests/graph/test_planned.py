"""The picture of a topology file, which asks no host."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from pipework_core.graph.planned import build_planned_graph
from pipework_core.graph.svg import format_svg
from pipework_core.topology import parse_topology

HERE = Path(__file__).parent

FILE = """
version: 1
host:
  - br1 192.168.1.254/24
links:
  - br1 web1 192.168.1.1/24@192.168.1.254
  - br1 netns:db dhclient
  - macvlan:eth0 web1 10.0.0.5/24 -i eth2 26:2e:71:98:60:8f@10
  - ovs0 docker:cache 0/0
  - dummy x 10.9.9.9/32
  - phys:eth7 y 10.8.8.8/24
  - mac:00:f3:15:4a:42:c8 z 10.7.7.7/24
  - {host: br1, guest: "app*", address: 192.168.1.0/24}
"""


def test_a_file_is_drawn_with_all_that_it_says() -> None:
    graph = build_planned_graph(parse_topology(FILE))
    hosts = {node.name: node.kind for node in graph.side("host")}
    assert hosts == {
        "br1": "bridge", "eth0": "nic", "ovs0": "ovs", "dummy": "dummy", "eth7": "nic", "mac:00:f3:15:4a:42:c8": "nic",
    }  # fmt: skip
    guests = {node.name: node.kind for node in graph.side("guest")}
    assert guests == {
        "this host": "host", "web1": "guest", "db": "netns", "cache": "docker", "x": "guest", "y": "guest",
        "z": "guest", "app*": "guest",
    }  # fmt: skip
    links = {(link.end, link.interface): link for link in graph.links}
    assert links["guest:web1", "eth1"].addresses == ("192.168.1.1/24",)
    vlan = links["guest:web1", "eth2"]
    assert (vlan.mac, vlan.vlan, vlan.kind, vlan.detail["place"]) == (
        "26:2e:71:98:60:8f", "10", "macvlan", "pipework.yaml:8:5",
    )  # fmt: skip
    assert links["guest:netns:db", "eth1"].addresses == ("dhclient",)
    assert links["guest:app*", "eth1"].addresses == ("one of 192.168.1.0/24",)
    assert links["guest:(host)", "br1"].addresses == ("192.168.1.254/24",)
    assert {link.state for link in graph.links} == {"planned"}
    assert {node.state for node in graph.nodes} == {"planned"}


def test_an_empty_file_is_an_empty_picture() -> None:
    assert build_planned_graph(parse_topology("version: 1\nlinks: []\n")).nodes == ()


def test_the_host_s_part_of_a_nic_is_called_as_it_will_be() -> None:
    graph = build_planned_graph(parse_topology("version: 1\nhost:\n  - eth0 10.0.0.1/24\n"))
    assert [link.interface for link in graph.links] == ["eth0-host"]


def test_the_picture_in_the_documents_is_that_of_the_demo() -> None:
    shown = (HERE.parents[1] / "docs" / "graph.svg").read_text()
    demo = (resources.files("pipework_core.demo") / "demo.yaml").read_text()
    assert shown == format_svg(build_planned_graph(parse_topology(demo)))


MACHINES = """
version: 1
machines: {host1: ssh://host1, host2: ssh://host2}
host: [{host2: br1 10.0.0.254/24}]
links:
  - {on: [host1, host2], guest: web1, host: br1, address: 0/0}
  - {on: [host1, host2], guest: "netns:r*", host: "ovn:blue", address: 0/0}
"""


def test_what_is_on_a_machine_is_drawn_with_its_name_and_a_network_of_all_once() -> None:
    graph = build_planned_graph(parse_topology(MACHINES))
    assert {node.name: node.kind for node in graph.side("host")} == {
        "host1/br1": "bridge", "host2/br1": "bridge", "blue": "ovn",
    }  # fmt: skip
    assert {node.name: node.kind for node in graph.side("guest")} == {
        "host2": "host", "host1/web1": "guest", "host2/web1": "guest", "host1/r*": "netns", "host2/r*": "netns",
    }  # fmt: skip
    assert sorted((link.start, link.end) for link in graph.links) == [
        ("host:host1/br1", "guest:host1/web1"),
        ("host:host2/br1", "guest:host2/(host)"),
        ("host:host2/br1", "guest:host2/web1"),
        ("host:ovn:blue", "guest:host1/netns:r*"),
        ("host:ovn:blue", "guest:host2/netns:r*"),
    ]
    assert {link.detail.get("guest", "host") for link in graph.links} == {
        "host", "host1/web1", "host2/web1", "host1/netns:r*", "host2/netns:r*",
    }  # fmt: skip
