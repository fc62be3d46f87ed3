"""docs/recipes.md: each recipe is followed on a real kernel, as it stands; see also `kernel/test_recipes_kernel.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .ovs import OpenVSwitch
from .parts import require
from .recipes import DHCP, DOCKER, PLAIN, SWITCH, follow, prepare_guests, prepare_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .dhcp import DhcpServer
    from .docker import DockerEngine
    from .host import PrivateHost


@pytest.mark.parametrize("name", PLAIN)
def test_on_interfaces(host: PrivateHost, name: str) -> None:
    prepare_guests(host)
    prepare_network(host)
    follow(host, name)


@pytest.fixture
def engine(docker: DockerEngine) -> Iterator[DockerEngine]:
    """Provide an engine without containers, and take away what the recipe leaves."""
    yield docker
    docker.host.run("sh", "-c", "docker rm -f $(docker ps -aq)")
    docker.host.pipework("gc")


@pytest.mark.parametrize("name", DOCKER)
def test_on_docker(engine: DockerEngine, name: str) -> None:
    follow(engine.host, name)


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
