"""`pipework watch` when containers end: nothing works for them any more, and nothing of them stays."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from .dhcp import DhcpServer, wait_until
from .ovs import OpenVSwitch
from .parts import require
from .watch import BUSY, interfaces, run, wait_to_hold, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .docker import DockerEngine
    from .host import PrivateHost
    from .watch import Watch

HELD = {"eth1": ["192.168.1.1/24"]}


@pytest.fixture
def watch(docker: DockerEngine) -> Iterator[Watch]:
    """Provide a watcher that runs."""
    with watching(docker) as watch:
        yield watch


def list_clients(docker: DockerEngine) -> list[str]:
    return docker.host.run("pgrep", "--list-full", "--exact", "udhcpc|busybox", check=False).stdout.splitlines()


def test_a_client_ends_with_its_container_before_a_server_answered(docker: DockerEngine, watch: Watch) -> None:
    run(docker, "asks", "--label", "pipework.eth1=br8 udhcpc")
    wait_until(lambda: bool(list_clients(docker)), "a client asks", within=BUSY)
    docker.host.run("docker", "kill", "asks")
    wait_until(lambda: not list_clients(docker), "the client of a dead container ends", within=BUSY)
    docker.remove("asks")
    wait_to_hold(docker, {}, "nothing of a dead container is left")
    wait_until(lambda: "br8" not in docker.host.run("ip", "-brief", "link").stdout, "its bridge goes", within=BUSY)
    assert not watch.said("attached", "asks") + watch.said("failed", "asks")


def test_a_client_that_keeps_a_lease_ends_with_its_container(docker: DockerEngine, watch: Watch) -> None:
    require("dhcp")
    with DhcpServer(docker.host) as server:
        run(docker, "leased", "--label", "pipework.eth1=lan0 udhcpc-f")
        wait_until(lambda: bool(watch.said("attached", "leased")), "a container has a lease", within=BUSY)
        before = interfaces(docker, "leased")["eth1"]
        assert before == [f"{lease.ip}/24" for lease in server.leases(4)]
        assert list_clients(docker)
        docker.host.run("docker", "restart", "--time", "0", "leased")
        wait_until(lambda: len(watch.said("attached", "leased")) == 2, "it has one again", within=BUSY)
        wait_until(lambda: len(list_clients(docker)) == 1, "one client is left", within=BUSY)
        docker.remove("leased")
        wait_until(lambda: not list_clients(docker), "the client of a dead container ends", within=BUSY)
        wait_until(lambda: "lan0" in docker.host.run("ip", "-brief", "link").stdout, "the bridge stays", within=BUSY)


@pytest.fixture(scope="module")
def switch(docker_host: PrivateHost) -> Iterator[OpenVSwitch]:
    """Provide Open vSwitch beside Docker."""
    require("ovs")
    with OpenVSwitch(docker_host) as switch:
        yield switch


def wait_for_ports(switch: OpenVSwitch, bridge: str, count: int) -> None:
    begun = time.monotonic()
    wait_until(lambda: len(switch.vsctl("list-ports", bridge).split()) == count, f"{count} ports are left", within=BUSY)
    print(f"{count} ports are left: {time.monotonic() - begun:.2f} s")


def test_ports_of_open_vswitch_go_with_their_container(docker: DockerEngine, switch: OpenVSwitch) -> None:
    switch.add_bridge("sw0")
    with watching(docker) as watch:
        run(docker, "port1", "--label", "pipework.eth1=ovs:sw0 192.168.1.1/24")
        wait_to_hold(docker, {"port1": HELD}, "a container has a port")
        docker.host.run("docker", "restart", "--time", "0", "port1")
        wait_to_hold(docker, {"port1": HELD}, "it has another")
        wait_for_ports(switch, "sw0", 1)
        docker.remove("port1")
        wait_for_ports(switch, "sw0", 0)
        assert not watch.said("failed", "port1")


def test_what_ended_while_nobody_listened_leaves_nothing(docker: DockerEngine, switch: OpenVSwitch) -> None:
    switch.add_bridge("sw1")
    with watching(docker):
        run(docker, "port2", "--label", "pipework.eth1=ovs:sw1 192.168.1.1/24")
        wait_to_hold(docker, {"port2": HELD}, "a container has a port")
    docker.remove("port2")
    assert switch.vsctl("list-ports", "sw1")
    with watching(docker):
        wait_for_ports(switch, "sw1", 0)
