"""`pipework gc` and DHCP clients in containers that were to stay with their guests, on real engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .busybox import IMAGE, SLEEP
from .dhcp import DhcpServer, Offer
from .docker import DockerEngine
from .host import PrivateHost
from .parts import require
from .podman import Podman
from .test_dhcp_busybox import Lab
from .test_gc import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["docker", "podman"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    require("dhcp")
    require(request.param)
    kind = {"docker": DockerEngine, "podman": Podman}[request.param]
    with PrivateHost() as host, kind(host) as engine, DhcpServer(host) as dhcp:
        yield Lab(engine, dhcp)


def watcher_of(lab: Lab, guest: int) -> str:
    """Return the process that would end the client with its guest."""
    lines = [line.split(None, 1) for line in lab.host.run("ps", "-eo", "pid,args").stdout.splitlines()]
    wanted = f"guest=/proc/{guest}/ns/net"
    (found,) = (pid for pid, args in lines if "lease_container.sh watch" in args and wanted in args)
    return found


def test_a_client_in_a_container_goes_that_has_outlived_its_guest(lab: Lab) -> None:
    host, pids = lab.host, {name: lab.engine.run(name) for name in ("dead", "alive")}
    lab.dhcp.restart(Offer(ipv6=False))
    for name in pids:
        host.pipework("lan0", name, "dhcp:-f")
    # A container of somebody else's, in the network of one that lives: none of gc's business.
    image = (IMAGE, *SLEEP)
    host.run(lab.runtime, "run", "--detach", "--name", "aside", "--network", "container:alive", *image)
    assert len(lab.containers()) == 2
    assert host.pipework("ls", "--format", "{state} {dhcp}").stdout.splitlines() == ["up dhcp-f"] * 2
    assert host.pipework("gc").stdout == ""
    before = host.state([pids["alive"]])[str(pids["alive"])]
    host.run("kill", "-KILL", watcher_of(lab, pids["dead"]))
    lab.engine.stop("dead")
    until(lambda: host.pipework("ls").stdout.count("orphan") == 1)
    rows = host.pipework("ls").stdout.splitlines()[1:]
    (orphan,) = (row.split() for row in rows if "orphan" in row)
    assert orphan[0].startswith("pid:"), "the client's container is nobody's guest"
    assert [row.split()[0] for row in rows if "orphan" not in row] == [f"{lab.runtime}:alive"]
    assert "rm --force" in host.pipework("gc", "--dry-run").stdout
    assert len(lab.containers()) == 2
    removed = json.loads(host.pipework("gc", "--json").stdout)["removed"]
    assert [command["argv"][:3] for command in removed] == [[lab.runtime, "rm", "--force"]]
    (left,) = lab.containers()
    assert host.state([pids["alive"]])[str(pids["alive"])] == before
    until(lambda: len(host.pipework("ls").stdout.splitlines()) == 2)
    assert host.pipework("ls", "alive").stdout.count("dhcp-f") == 1
    assert "(dead)" not in host.pipework("ls").stdout
    assert host.pipework("gc").stdout == ""
    assert lab.containers() == [left]
