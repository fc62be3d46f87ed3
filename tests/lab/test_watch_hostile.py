"""Containers that were written for dreamcat4/pipework, and hostile ones, beside a real Docker Engine."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from watch.dreamcat4_files import Service, read_compose, read_crane, read_kubernetes
from watch.hostile_values import OTHERS, SHELL, VARIABLES

from .busybox import IMAGE, SLEEP
from .dhcp import NIC, DhcpServer
from .test_watch import addresses, watching
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .docker import DockerEngine

#: Some of the values: each is a container of its own.
SAMPLE, FOREIGN = (*SHELL[::4], *OTHERS[::6]), VARIABLES[::2]
PWNED = "/run/pwned"


@pytest.fixture
def lan(docker: DockerEngine) -> Iterator[DhcpServer]:
    """Provide eth0, a NIC of the host, and a DHCP server on its network."""
    with DhcpServer(docker.host) as server:
        docker.host.run("ip", "link", "set", NIC, "down")
        docker.host.run("ip", "link", "set", NIC, "name", "eth0", "up")
        yield server
    docker.host.run("ip", "link", "delete", "eth0")


def start(docker: DockerEngine, services: Sequence[Service]) -> None:
    for name, variables, project in services:
        words = [word for variable in variables for word in ("--env", variable)]
        label = ("--label", f"com.docker.compose.project={project}") if project else ()
        docker.run(name, *words, *label)


def clear(docker: DockerEngine) -> None:
    """Collect what is left, until the kernel has taken the networks of removed containers apart."""

    def is_clear() -> bool:
        docker.host.pipework("gc")
        return not re.search(r"^(br|veth\d+pl)", docker.host.run("ip", "-brief", "link").stdout, re.MULTILINE)

    assert eventually(is_clear)


def test_dreamcat4_s_examples_are_served_and_again_after_a_restart(docker: DockerEngine, lan: DhcpServer) -> None:
    services = [*read_compose(), *read_crane(), *read_kubernetes()]
    names = [service.name for service in services]
    web, first, second, cache, api = names

    def holds() -> bool:
        return (
            addresses(docker, web) == ["192.168.1.101/24"]
            and addresses(docker, first, "eth2") == ["192.168.101.1/24"]
            and addresses(docker, first, "eth3") == ["192.168.102.1/24"]
            and addresses(docker, second, "eth3") == ["192.168.102.2/24"]
            and addresses(docker, second, "eth2") == ["192.168.101.2/24"]
            and all(addresses(docker, name, "eth0")[0].startswith("10.99.0.") for name in (first, second))
            and (addresses(docker, cache), addresses(docker, cache, "eth2"))
            == (["192.168.1.120/24"], ["192.168.101.120/24"])
            and addresses(docker, api, "int0") == ["192.168.101.130/24"]
        )

    try:
        with watching(docker, "--env") as watch:
            start(docker, services)
            assert eventually(lambda: len(lan.leases()) == 2 and holds())
            assert "0a:00:01:01:01:01" in docker.exec(web, "ip", "link", "show", "eth1")
            docker.host.run("docker", "restart", "--time", "0", *names)
            assert eventually(holds)
            bad = [told["text"] for told in watch.events() if told["event"] in {"failed", "refused"}]
            assert bad == []
    finally:
        docker.host.run("docker", "rm", "--force", *names)
        clear(docker)


def test_hostile_containers_change_nothing_beside_one_that_is_served(docker: DockerEngine) -> None:
    host = docker.host
    every = [f"bad{at}" for at in range(len(SAMPLE))]
    others = [f"env{at}" for at in range(len(FOREIGN))]
    create = ("docker", "create", "--network", "none")
    makes = [
        (*create, "--name", name, "--label", f"pipework.eth1={value}", IMAGE, *SLEEP)
        for name, value in zip(every, SAMPLE, strict=True)
    ] + [
        (*create, "--name", name, "--hostname", "--replace", "--env", f"pipework_cmd={value}", IMAGE, *SLEEP)
        for name, value in zip(others, FOREIGN, strict=True)
    ]
    host.run("sh", "-c", "\n".join(map(shlex.join, makes)))
    docker.run("canary", "--label", "pipework.eth1=br1 10.0.0.7/24")
    before = host.run("ip", "-brief", "link").stdout
    try:
        with watching(docker, "--env") as watch:
            assert eventually(lambda: addresses(docker, "canary") == ["10.0.0.7/24"])
            served = host.run("ip", "-brief", "link").stdout
            host.run("docker", "start", *every, *others)
            said = {f"docker:{name}" for name in (*every, *others)}
            bad = {"failed", "refused"}
            assert eventually(lambda: {told["guest"] for told in watch.events() if told["event"] in bad} == said)
            told = [one for one in watch.events() if one["event"] in bad]
            assert len(told) == len(said)
            assert all(one["text"].isprintable() and one["hint"].isprintable() for one in told)
            assert [one["guest"] for one in watch.events() if one["event"] == "attached"] == ["docker:canary"]
            assert host.run("ip", "-brief", "link").stdout == served
        assert host.run("ls", PWNED, check=False).returncode != 0
    finally:
        host.run("docker", "rm", "--force", "canary", *every, *others)
        clear(docker)
    assert eventually(lambda: host.run("ip", "-brief", "link").stdout == before)
