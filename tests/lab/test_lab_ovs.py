from __future__ import annotations

from typing import TYPE_CHECKING

from .test_lab_host import address

if TYPE_CHECKING:
    from .host import PrivateHost
    from .ovs import OpenVSwitch


def add_port(host: PrivateHost, bridge: str, guest: int, number: int, *options: str) -> None:
    """Plug a guest into an Open vSwitch bridge by hand: eth1 with 10.9.0.N/24 and fd00:9::N/64."""
    port = f"port{number}"
    peer = ("peer", "name", "eth1", "netns", f"/proc/{guest}/ns/net")
    host.run("ip", "link", "add", "name", port, "up", "type", "veth", *peer)
    host.run("ovs-vsctl", "--timeout=10", "add-port", bridge, port, *options)
    address(host, guest, number)


def test_ports_carry_traffic_within_their_vlan(ovs: OpenVSwitch) -> None:
    host = ovs.host
    ovs.add_bridge("ovsbr0")
    guests = [host.process_guest() for _ in range(3)]
    for number, (guest, tag) in enumerate(zip(guests, (10, 10, 20), strict=True), start=1):
        add_port(host, "ovsbr0", guest, number, f"tag={tag}")
    assert host.ping(guests[0], "10.9.0.2")
    assert host.ping(guests[0], "fd00:9::2")
    assert not host.ping(guests[0], "10.9.0.3", within=0)


def test_switch_reports_a_port_it_cannot_open(ovs: OpenVSwitch) -> None:
    ovs.add_bridge("ovsbr1")
    ovs.host.run("ovs-vsctl", "--timeout=10", "add-port", "ovsbr1", "absent0", check=False)
    assert "absent0" in ovs.vsctl("get", "interface", "absent0", "error")


def test_state_sees_ports_tags_and_notes(ovs: OpenVSwitch) -> None:
    ovs.add_bridge("ovsbr2")
    before = ovs.state()
    assert ovs.state() == before
    ovs.vsctl("set", "port", "ovsbr2", "tag=7")
    tagged = ovs.state()
    assert tagged["Port"] != before["Port"]
    ovs.vsctl("set", "interface", "ovsbr2", "external_ids:pipework.vlan=7")
    assert ovs.state()["Interface"] != tagged["Interface"]
    ovs.vsctl("del-br", "ovsbr2")
    assert "ovsbr2" not in str(ovs.state())
