from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..ovs import OpenVSwitch  # noqa: TID252 (as in conftest.py)
from ..test_lab_host import address, make_bridge, wire  # noqa: TID252
from ..test_lab_ovs import add_port  # noqa: TID252

if TYPE_CHECKING:
    from ..host import PrivateHost  # noqa: TID252


def make_dummy(host: PrivateHost, name: str) -> None:
    """Make a dummy interface, which stands for a NIC, and raise it."""
    host.run("ip", "link", "add", name, "type", "dummy")
    host.run("ip", "link", "set", name, "up")


def add_child(host: PrivateHost, parent: str, guest: int, kind: str, mode: str) -> None:
    """Make a child of an interface straight in a guest, as eth1."""
    place = ("name", "eth1", "netns", f"/proc/{guest}/ns/net")
    host.run("ip", "link", "add", "link", parent, *place, "type", kind, "mode", mode)


def test_this_is_the_kernel_of_the_lab() -> None:
    assert "User Mode Linux" in Path("/proc/cpuinfo").read_text()
    assert os.getpid() != 1


def test_file_system_of_the_machine_is_read_only() -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        Path("/usr/pipework-lab-was-here").touch()


def test_dummy_is_made_in_the_guest_at_once(host: PrivateHost) -> None:
    guest = host.process_guest()
    place = ("name", "eth1", "address", "02:00:00:00:00:07", "mtu", "1400", "netns", f"/proc/{guest}/ns/net")
    host.run("ip", "link", "add", *place, "type", "dummy")
    link = host.state([guest])[str(guest)]["links"][0]
    assert (link["kind"], link["mac"], link["mtu"]) == ("dummy", "02:00:00:00:00:07", 1400)


@pytest.mark.parametrize(
    ("kind", "mode"), [("macvlan", "bridge"), ("ipvlan", "l2"), ("ipvlan", "l3"), ("ipvlan", "l3s")]
)
def test_children_of_one_parent_reach_each_other(host: PrivateHost, kind: str, mode: str) -> None:
    make_dummy(host, "nic0")
    guests = [host.process_guest(), host.process_guest()]
    for number, guest in enumerate(guests, start=1):
        add_child(host, "nic0", guest, kind, mode)
        address(host, guest, number)
    assert host.ping(guests[0], "10.9.0.2")
    assert host.ping(guests[1], "fd00:9::1")


def test_macvlan_on_vlan_devices_keeps_vlans_apart(host: PrivateHost) -> None:
    make_dummy(host, "nic0")
    guests = [host.process_guest() for _ in range(3)]
    for number, (guest, vlan) in enumerate(zip(guests, (10, 10, 20), strict=True), start=1):
        name = f"nic0.{vlan}"
        if number != 2:
            host.run("ip", "link", "add", "link", "nic0", "name", name, "up", "type", "vlan", "id", str(vlan))
        add_child(host, name, guest, "macvlan", "bridge")
        address(host, guest, number)
    assert host.ping(guests[0], "10.9.0.2")
    assert not host.ping(guests[0], "10.9.0.3", within=0)
    details = {link["name"]: link["details"].get("id") for link in host.state()["host"]["links"]}
    assert details["nic0.20"] == 20


def test_bridge_filters_vlans(host: PrivateHost) -> None:
    make_bridge(host, "br1")
    host.run("ip", "link", "set", "br1", "type", "bridge", "vlan_filtering", "1")
    guests = [host.process_guest() for _ in range(3)]
    for number, (guest, vlan) in enumerate(zip(guests, ("10", "10", "20"), strict=True), start=1):
        wire(host, "br1", guest, number)
        port = f"port{number}"
        host.run("bridge", "vlan", "del", "dev", port, "vid", "1")
        host.run("bridge", "vlan", "add", "dev", port, "vid", vlan, "pvid", "untagged")
    vlans = host.state()["host"]["vlans"]
    assert [line for line in vlans if line.startswith("port3")] == ["port3 20-20 Egress Untagged,PVID"]
    assert host.ping(guests[0], "10.9.0.2")
    assert not host.ping(guests[0], "10.9.0.3", within=0)


def test_netem_delays(host: PrivateHost) -> None:
    guest = host.process_guest()
    make_bridge(host, "br1")
    wire(host, "br1", guest, 1)
    host.run("ip", "address", "add", "10.9.0.254/24", "dev", "br1")
    host.run(*host.enter(guest), "tc", "qdisc", "add", "dev", "eth1", "root", "netem", "delay", "200ms")
    assert host.ping(None, "10.9.0.1")
    slow = host.run("busybox", "ping", "-c", "1", "-W", "5", "10.9.0.1").stdout
    milliseconds = float(slow.partition("time=")[2].split()[0])
    assert milliseconds >= 190
    assert any("netem" in queue for queue in host.state([guest])[str(guest)]["queues"])


def test_open_vswitch_uses_the_kernel_datapath(host: PrivateHost) -> None:
    with OpenVSwitch(host, datapath="system") as ovs:
        ovs.add_bridge("ovsbr0")
        guests = [host.process_guest() for _ in range(3)]
        for number, (guest, tag) in enumerate(zip(guests, (10, 10, 20), strict=True), start=1):
            add_port(host, "ovsbr0", guest, number, f"tag={tag}")
        assert host.ping(guests[0], "10.9.0.2")
        assert not host.ping(guests[0], "10.9.0.3", within=0)
        assert "system@ovs-system" in host.run("ovs-appctl", "dpif/show").stdout


def test_private_host_of_an_ordinary_user(user_host: PrivateHost) -> None:
    make_dummy(user_host, "nic0")
    assert [link["name"] for link in user_host.state()["host"]["links"]] == ["lo", "nic0"]
