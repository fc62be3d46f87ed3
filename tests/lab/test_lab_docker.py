"""Docker Engine in a private host: containers run, have PIDs, and reach each other by hand."""

from __future__ import annotations

import pytest

from .docker import DockerEngine
from .host import PrivateHost
from .parts import require
from .test_lab_host import make_bridge, wire


def test_containers_on_a_bridge_made_by_hand_ping_each_other(docker: DockerEngine) -> None:
    host = docker.host
    guests = (docker.run("ping1"), docker.run("ping2"))
    make_bridge(host, "br1")
    for number, guest in enumerate(guests, start=1):
        wire(host, "br1", guest, number)
    assert host.ping(guests[0], "10.9.0.2")
    assert "1 packets received" in docker.exec("ping2", "ping", "-c", "1", "fd00:9::1")


def test_plain_docker_finds_the_containers(docker: DockerEngine) -> None:
    pid = docker.run("plain", "--label", "colour=blue")
    inspect = ("docker", "inspect", "--format", "{{.State.Pid}} {{.Config.Labels.colour}}")
    assert docker.host.run(*inspect, "plain").stdout.split() == [str(pid), "blue"]
    # Without DOCKER_HOST as well: the socket lies where clients look first.
    bare = docker.host.run("env", "-u", "DOCKER_HOST", *inspect, "plain")
    assert bare.stdout.split()[0] == str(pid)
    docker.remove("plain")
    assert docker.host.run(*inspect, "plain", check=False).returncode == 1


def test_container_has_the_name_and_a_network_of_its_own(docker: DockerEngine) -> None:
    pid = docker.run("named")
    assert docker.exec("named", "hostname") == "named\n"
    links = docker.host.state([pid])[str(pid)]["links"]
    assert [link["name"] for link in links] == ["lo"]


def test_container_on_the_network_of_docker_or_of_the_host(docker: DockerEngine) -> None:
    bridged = docker.run("bridged", network="bridge")
    assert docker.host.ping(bridged, "172.17.0.1")
    shared = docker.run("shared", network="host")
    network = f"/proc/{shared}/ns/net"
    assert docker.host.run("readlink", network, "/proc/1/ns/net").stdout.split()[0] == (
        docker.host.run("readlink", "/proc/1/ns/net").stdout.strip()
    )


@pytest.mark.parametrize("ip_forward", [True, False])
def test_firewall_depends_on_forwarding_at_start(*, ip_forward: bool) -> None:
    require("docker")
    with PrivateHost() as host, DockerEngine(host, ip_forward=ip_forward) as engine:
        guests = (engine.run("fw1"), engine.run("fw2"))
        make_bridge(host, "br1")
        for number, guest in enumerate(guests, start=1):
            wire(host, "br1", guest, number)
        policy = "ACCEPT" if ip_forward else "DROP"
        assert f"-P FORWARD {policy}" in host.run("iptables", "-S", "FORWARD").stdout
        assert host.ping(guests[0], "10.9.0.2", within=0) == ip_forward
