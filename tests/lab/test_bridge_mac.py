"""A bridge that we made keeps its MAC, whichever ports come and go: the gateway that others know stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .host import PrivateHost
    from .ovs import OpenVSwitch


def mac_of(host: PrivateHost, name: str) -> str:
    return str(json.loads(host.run("ip", "-json", "link", "show", "dev", name).stdout)[0]["address"])


def test_no_port_changes_it(host: PrivateHost) -> None:
    host.pipework("host", "br1", "10.0.0.254/24")
    first = mac_of(host, "br1")
    for name in ("a", "b"):
        host.netns(name)
        host.pipework("br1", "-l", f"port-{name}", f"netns:{name}", "10.0.0.1/24" if name == "a" else "10.0.0.2/24")
    host.run("ip", "link", "set", "port-a", "address", "00:00:00:00:00:02")
    assert mac_of(host, "br1") == first
    host.pipework("detach", "netns:a")
    assert mac_of(host, "br1") == first
    host.pipework("detach", "netns:b")
    host.pipework("host", "--remove", "br1")
    host.pipework("br1", "netns:a", "10.0.0.1/24")
    assert mac_of(host, "br1") == first, "and made again it has the same"


def test_no_port_of_a_switch_changes_it_either(ovs: OpenVSwitch) -> None:
    host = ovs.host
    for name in ("a", "b"):
        host.netns(name)
        host.pipework("ovsbr9", "-l", f"port-{name}", f"netns:{name}", "0/0", "-o", "datapath=netdev")
    first = mac_of(host, "ovsbr9")
    assert first == ovs.vsctl("get", "bridge", "ovsbr9", "other_config:hwaddr").strip().strip('"')
    host.run("ip", "link", "set", "port-a", "address", "00:00:00:00:00:02")
    host.pipework("detach", "netns:b")
    assert mac_of(host, "ovsbr9") == first
