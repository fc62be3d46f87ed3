"""Containers of Docker on a logical switch of OVN: what the watcher makes of a label, and of a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .conftest import require
from .dhcp import wait_until
from .docker import DockerEngine
from .ovn_state import northbound
from .watch import BUSY, interfaces, run, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .ovn import OvnFleet


@pytest.fixture(scope="module")
def engine(ovn: OvnFleet) -> Iterator[DockerEngine]:
    """Provide a Docker Engine on host1."""
    require("docker")
    with DockerEngine(ovn["host1"]) as docker:
        yield docker


def test_a_container_that_restarts_gets_its_port_and_its_address_again(ovn: OvnFleet, engine: DockerEngine) -> None:
    before = northbound(ovn)
    two = ovn["host2"]
    two.pipework("ovn:blue", two.netns("web2"), "10.1.0.9/24")
    held = {"eth1": ["10.1.0.2/24"]}
    with watching(engine):
        run(engine, "web1", "--label", "pipework.eth1=ovn:blue udhcpc")
        wait_until(lambda: interfaces(engine, "web1") == held, "it has an address from OVN", within=BUSY)
        pid, rows = engine.pid("web1"), len(northbound(ovn)["Logical_Switch_Port"])
        engine.host.run("docker", "restart", "--time", "0", "web1")
        assert engine.pid("web1") != pid
        wait_until(lambda: interfaces(engine, "web1") == held, "it has the same one again", within=BUSY)
        assert len(northbound(ovn)["Logical_Switch_Port"]) == rows
        assert two.ping("web2", "10.1.0.2")
    engine.host.run("docker", "rm", "--force", "web1")
    two.pipework("detach", "web2")
    engine.host.pipework("gc")
    assert northbound(ovn) == before
