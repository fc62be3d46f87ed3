"""`pipework graph` of real hosts: every form, names that are hostile, and a whole host of Docker containers."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from .test_ls import without_process

if TYPE_CHECKING:
    from .docker import DockerEngine
    from .host import PrivateHost
    from .ovs import OpenVSwitch


def read_graph(host: PrivateHost) -> dict[str, Any]:
    graph: dict[str, Any] = json.loads(host.pipework("graph", "--json").stdout)
    return graph


def list_ends(graph: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Return host's side, guest and interface of every attachment."""
    names = {node["id"]: node["name"] for node in graph["nodes"]}
    return {(names[link["from"]], names[link["to"]], link["interface"]) for link in graph["links"] if link["interface"]}


def test_the_host_is_drawn_as_it_is(host: PrivateHost) -> None:
    blue, red = host.netns("blue"), host.netns("red")
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.run("ip", "link", "add", "unused0", "type", "bridge")
    host.pipework("br1", blue, "10.0.0.1/24,fd00::1/64")
    host.pipework("br1", red, "10.0.0.2/24")
    host.pipework("eth0", red, "10.1.0.2/24", "-i", "eth2")
    host.pipework("host", "br1", "10.0.0.254/24")
    host.run("ip", "-n", blue, "link", "set", "eth1", "down")
    graph = read_graph(host)
    assert list_ends(graph) == {
        ("br1", "blue", "eth1"), ("br1", "red", "eth1"), ("eth0", "red", "eth2"), ("br1", "this host", "br1"),
    }  # fmt: skip
    assert {node["name"] for node in graph["nodes"] if node["side"] == "host"} == {"br1", "eth0", "unused0"}
    states = {(link["to"], link["interface"]): (link["state"], link["words"]) for link in graph["links"]}
    assert states["guest:netns:blue", "eth1"] == ("down", "the interface is down")
    listed = json.loads(host.pipework("ls", "--json").stdout)["attachments"]
    drawn = [link["detail"] for link in graph["links"]]
    assert sorted(str(without_process(one)) for one in drawn) == sorted(str(without_process(one)) for one in listed)


def test_names_of_namespaces_are_no_markup(host: PrivateHost) -> None:
    name = "<script>alert(1)<"
    host.run("ip", "netns", "add", name)
    host.pipework("br1", f"netns:{name}", "10.0.0.1/24", "-i", "<b>\"'&;")
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            del attrs
            tags.add(tag)

    Tags().feed(host.pipework("graph", "--format", "html").stdout)
    assert "b" not in tags
    svg = host.pipework("graph", "--format", "svg").stdout
    texts = ["".join(element.itertext()) for element in ET.fromstring(svg).iter()]  # noqa: S314 - our own
    assert f"netns:{name}" in texts
    assert list_ends(read_graph(host)) == {("br1", name, "<b>\"'&;")}


def test_what_has_gone_wrong_says_so(docker: DockerEngine) -> None:
    host = docker.host
    docker.run("graph1")
    host.pipework("br1", "graph1", "10.0.0.1/24")
    drawn = host.pipework("graph").stdout
    assert "docker:graph1  eth1  up  10.0.0.1/24" in drawn
    assert "docker0  (bridge" in drawn
    host.run("ip", "link", "set", "br1", "down")
    assert "br1  (bridge, down)" in host.pipework("graph").stdout
    # A pair whose tag names a namespace that nobody has.
    host.run("ip", "link", "add", "vgone", "type", "veth", "peer", "name", "vpeer")
    host.run("ip", "link", "set", "vgone", "alias", "pipework:1/kind:=veth/netns:=7", "master", "br1")
    (orphan,) = (link for link in read_graph(host)["links"] if link["state"] == "orphan")
    assert orphan["words"] == "its guest is gone: pipework gc takes it away"
    assert orphan["from"] == "host:br1"


def test_an_open_vswitch_is_a_switch_with_its_vlans(ovs: OpenVSwitch) -> None:
    host = ovs.host
    guest = host.netns("ovsguest")
    host.pipework("ovsgraph", guest, "10.3.0.1/24", "@7", "-o", "datapath=netdev")
    graph = read_graph(host)
    (switch,) = (node for node in graph["nodes"] if node["name"] == "ovsgraph")
    (link,) = (link for link in graph["links"] if link["from"] == switch["id"])
    assert (switch["kind"], switch["side"]) == ("ovs", "host")
    assert (link["to"], link["vlan"], link["kind"]) == ("guest:netns:ovsguest", "7", "ovs")
