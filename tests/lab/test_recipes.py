"""docs/recipes.md: each recipe is followed on a real kernel, as it stands; see also `kernel/test_recipes_kernel.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .docker import DockerEngine
from .ovs import OpenVSwitch
from .parts import require
from .recipes import DHCP, DOCKER, PLAIN, SWITCH, follow, prepare_guests, prepare_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .dhcp import DhcpServer
    from .host import PrivateHost


@pytest.mark.parametrize("name", PLAIN)
def test_on_interfaces(host: PrivateHost, name: str) -> None:
    prepare_guests(host)
    prepare_network(host)
    follow(host, name)


@pytest.fixture(scope="module")
def engine(docker_host: PrivateHost) -> Iterator[DockerEngine]:
    """Provide an engine as it is on a fresh machine: its firewall drops what passes on bridges of others."""
    with DockerEngine(docker_host, ip_forward=False) as engine:
        yield engine


@pytest.mark.parametrize("name", DOCKER)
def test_on_docker(engine: DockerEngine, name: str) -> None:
    # The first of these recipes opens the firewall itself.
    opened = () if name == DOCKER[0] else ("-i", "br1", "-o", "br1")
    engine.host.run("iptables", "-F", "DOCKER-USER")
    engine.host.run("iptables", "-A", "DOCKER-USER", *opened, "-j", "ACCEPT" if opened else "RETURN")
    try:
        follow(engine.host, name)
    finally:
        engine.host.run("sh", "-c", "docker rm --force $(docker ps --all --quiet)")
        engine.host.pipework("gc")


@pytest.mark.parametrize("name", SWITCH)
def test_on_open_vswitch(host: PrivateHost, name: str) -> None:
    require("ovs")
    prepare_guests(host)
    with OpenVSwitch(host) as switch:
        switch.add_bridge("ovsbr0")
        follow(host, name)


@pytest.mark.parametrize("name", DHCP)
def test_with_a_server(dhcp: DhcpServer, name: str) -> None:
    host = dhcp.host
    prepare_guests(host)
    host.run("sh", "-ec", "ip link set nic0 down; ip link set nic0 name eth0 up")
    follow(host, name)
