"""The picture of a live host: what is shown of it, and where attachments hang."""

from __future__ import annotations

import json

from pipework_core.engine import report_json
from pipework_core.engine.attachments import THIS_HOST
from pipework_core.graph.live import build_graph
from pipework_core.model.link import Link
from pipework_core.model.snapshot import SwitchPort

from .pictures import HOSTILE, make_entry, make_host, make_many


def names(links: tuple[Link, ...] = (), *entries: object) -> list[str]:
    """Return the names on the host's side beside `eth0` and `br1`."""
    graph = build_graph(make_host(*entries, links=links))
    return [node.name for node in graph.side("host") if node.name not in {"eth0", "br1"}]


def test_a_guest_hangs_on_its_bridge_with_all_that_ls_knows() -> None:
    graph = build_graph(make_host(make_entry("web1", 1, vlan="10")))
    bridge, nic = graph.side("host")
    (guest,) = graph.side("guest")
    (link,) = graph.links
    assert (bridge.name, bridge.kind, bridge.state, bridge.addresses) == ("br1", "bridge", "up", ("10.0.0.254/16",))
    assert (nic.name, nic.kind, nic.addresses) == ("eth0", "nic", ("192.0.2.5/24",))
    assert (guest.kind, guest.name, guest.state) == ("docker", "web1", "up")
    assert (link.start, link.end, link.interface) == (bridge.id, guest.id, "eth1")
    assert (link.addresses, link.mac, link.vlan, link.state) == (("10.0.0.2/16",), "02:00:00:00:00:01", "10", "up")
    assert link.detail["host_interface"] == "veth1pl1"
    assert link.detail["guest"]["runtime"] == "docker"


def test_what_belongs_to_attachments_or_to_the_kernel_is_not_shown() -> None:
    links = (
        Link(name="veth7", ifindex=70, kind="veth"),
        Link(name="sit0", ifindex=71, kind="sit"),
        Link(name="ovs-system", ifindex=72, kind="openvswitch"),
        Link(name="eth1", ifindex=73),
        Link(name="docker0", ifindex=74, kind="bridge"),
        Link(name="bond0", ifindex=75, kind="bond"),
    )
    assert names(links) == ["bond0", "docker0", "eth1"]


def test_a_pair_is_shown_where_a_guest_hangs_on_it_and_its_other_end_is_not() -> None:
    links = (
        Link(name="wire", ifindex=70, kind="veth", parent="far"),
        Link(name="far", ifindex=71, kind="veth", parent="wire"),
    )
    assert names(links, make_entry("web1", 1, kind="macvlan", parent="wire", host_end="")) == ["wire"]


def test_what_was_left_on_the_host_is_drawn_as_what_it_is_and_not_twice() -> None:
    left = make_entry("", 0, "dummy9", kind="dummy", parent="", host_end="", state="orphan")._replace(guest=None)
    links = (Link(name="dummy9", ifindex=70, kind="dummy"), Link(name="dummy8", ifindex=71, kind="dummy"))
    assert names(links, left) == ["dummy8", "connected to nothing"]


def test_interfaces_hang_on_what_they_lie_on() -> None:
    links = (
        Link(name="eth0.10", ifindex=70, kind="vlan", parent="eth0", up=True, data={"id": 10}),
        Link(name="br10", ifindex=71, kind="bridge"),
        Link(name="eth3", ifindex=72, master="br10"),
        Link(name="tun9", ifindex=73, kind="tun"),
        Link(name="tun9.4", ifindex=74, kind="vlan", parent="tun9", data={"id": 4}),
    )
    graph = build_graph(make_host(links=links))
    found = {(link.start, link.end): (link.kind, link.vlan) for link in graph.links}
    assert found == {
        ("host:eth0", "host:eth0.10"): ("vlan", "10"),
        ("host:eth3", "host:br10"): ("port", ""),
        ("host:tun9", "host:tun9.4"): ("vlan", "4"),
    }
    depths = {node.name: node.depth for node in graph.nodes}
    assert (depths["eth0"], depths["eth0.10"], depths["br10"]) == (0, 1, 1)


def test_a_guest_in_a_vlan_hangs_on_the_vlan_s_interface() -> None:
    links = (Link(name="eth0.10", ifindex=70, kind="vlan", parent="eth0", data={"id": 10}),)
    entry = make_entry("web1", 1, kind="macvlan", parent="eth0", vlan="10", host_end="")
    assert build_graph(make_host(entry, links=links)).links[-1].start == "host:eth0.10"
    assert build_graph(make_host(entry._replace(vlan="11"), links=links)).links[-1].start == "host:eth0"


def test_switches_of_open_vswitch_are_known_with_and_without_the_kernel_s_datapath() -> None:
    links = (
        Link(name="ovs0", ifindex=70, kind="openvswitch", up=True),
        Link(name="ovs1", ifindex=71, kind="tun", up=True),
        Link(name="eth5", ifindex=72, master="ovs-system"),
    )
    ports = {"eth5": SwitchPort("eth5", "ovs1", vlan="7", kind="ovs")}
    host = make_host(make_entry("web1", 1, kind="ovs", parent="ovs1"), links=links)._replace(ports=ports)
    graph = build_graph(host)
    kinds = {node.name: node.kind for node in graph.side("host")}
    assert (kinds["ovs0"], kinds["ovs1"]) == ("ovs", "ovs")
    assert [(link.start, link.vlan) for link in graph.links if link.end == "host:ovs1"] == [("host:eth5", "7")]


def test_a_logical_switch_is_no_interface_of_the_host() -> None:
    links = (Link(name="br-int", ifindex=70, kind="tun", up=True), Link(name="blue", ifindex=71, kind="dummy"))
    ports = {"veth1": SwitchPort("veth1", "blue", kind="ovn"), "p": SwitchPort("p", "br-int", kind="ovs")}
    entry = make_entry("web1", 1, kind="ovn", parent="blue", host_end="veth1")
    graph = build_graph(make_host(entry, links=links)._replace(ports=ports))
    kinds = {node.id: node.kind for node in graph.side("host")}
    assert kinds["ovn:blue"] == "ovn"
    assert kinds["host:blue"] == "dummy"
    assert kinds["host:br-int"] == "ovs"
    assert [link.start for link in graph.links] == ["ovn:blue"]


def test_the_host_s_own_part_is_like_a_guest_and_its_interface_is_drawn_once() -> None:
    part = make_entry("", 0, "eth0-host", kind="macvlan", parent="eth0", host_end="")
    links = (Link(name="eth0-host", ifindex=70, kind="macvlan", parent="eth0", up=True),)
    bridge = make_entry("", 0, "br1", host_end="")
    own = [entry._replace(guest=THIS_HOST) for entry in (part, bridge)]
    graph = build_graph(make_host(*own, links=links))
    assert [node.name for node in graph.side("host")] == ["br1", "eth0"]
    assert [(node.name, node.kind) for node in graph.side("guest")] == [("this host", "host")]
    assert {(link.start, link.interface) for link in graph.links} == {("host:br1", "br1"), ("host:eth0", "eth0-host")}


def test_what_is_named_and_not_there_says_so() -> None:
    entries = (
        make_entry("a", 1, parent="br9"),
        make_entry("b", 2, kind="phys", parent="eth9", host_end=""),
        make_entry("c", 3, kind="dummy", parent="", host_end=""),
        make_entry("d", 4, kind="macvlan", parent="", host_end="", state="elsewhere"),
    )
    nodes = {node.name: (node.kind, node.state) for node in build_graph(make_host(*entries)).side("host")}
    assert nodes["br9"] == ("bridge", "missing")
    assert nodes["eth9"] == ("nic", "up")
    assert nodes["connected to nothing"] == ("dummy", "unknown")
    assert nodes["not known"] == ("macvlan", "unknown")


def test_guests_without_a_name_are_told_apart_and_the_worst_state_of_a_guest_is_its_own() -> None:
    lost = [make_entry("", number)._replace(guest=None) for number in (7, 8)]
    gone = [make_entry("", 0, "", host_end=f"ve{n}", state="orphan")._replace(guest=None) for n in (1, 2)]
    both = [make_entry("web1", 9), make_entry("web1", 9, "eth2", state="expired")]
    guests = {node.name: node.state for node in build_graph(make_host(*lost, *gone, *both)).side("guest")}
    assert guests == {
        "network namespace 7": "up", "network namespace 8": "up", "unknown guest": "orphan", "web1": "expired",
    }  # fmt: skip
    assert len(build_graph(make_host(*lost, *gone, *both)).side("guest")) == 5


def test_each_thing_has_an_id_of_its_own_whatever_it_is_called() -> None:
    hostile = make_host(*(make_entry(name, n + 1, interface=name[:15]) for n, name in enumerate(HOSTILE)))
    for host in (make_many(100), hostile):
        graph = build_graph(host)
        known = {node.id for node in graph.nodes}
        assert len(known) == len(graph.nodes)
        assert len({link.id for link in graph.links}) == len(graph.links)
        assert {end for link in graph.links for end in (link.start, link.end)} <= known


def test_the_document_has_the_keys_that_users_parse() -> None:
    document = report_json.encode_graph(build_graph(make_host(make_entry("web1", 1, mac=""), warnings=("a warning",))))
    assert set(document) == {"version", "nodes", "links", "warnings"}
    assert (document["version"], document["warnings"]) == (1, ["a warning"])
    bridge, nic, guest = document["nodes"]
    keys = {"id", "kind", "name", "side", "state", "depth", "addresses", "detail"}
    assert set(bridge) == set(nic) == set(guest) == keys
    assert (bridge["side"], guest["side"]) == ("host", "guest")
    assert set(bridge["detail"]) == {
        "interface", "kind", "addresses", "mac", "mtu", "vlan", "on", "port_of", "vlan_filtering",
    }  # fmt: skip
    (link,) = document["links"]
    assert link | {"detail": None} == {
        "id": "guest:docker:web1/eth1", "from": "host:br1", "to": "guest:docker:web1", "interface": "eth1",
        "kind": "bridge", "addresses": ["10.0.0.2/16"], "mac": None, "vlan": None, "state": "up",
        "words": "the interface is up", "detail": None,
    }  # fmt: skip
    assert link["detail"] == report_json.encode_status(make_entry("web1", 1, mac=""))
    json.dumps(document)
