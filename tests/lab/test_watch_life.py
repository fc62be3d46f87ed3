"""`pipework watch` through the lives of containers: crashes, kills, what is no end at all, and shared networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.testing.announcing import announce_missing

from .busybox import IMAGE, SLEEP
from .dhcp import wait_until
from .waiting import eventually
from .watch import ASK, BUSY, interfaces, run, wait_to_hold, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .docker import DockerEngine

HELD = {"eth1": ["192.168.1.1/24"]}


@pytest.fixture
def names(docker: DockerEngine) -> Iterator[list[str]]:
    """Remove the containers that a test names; nothing of them may stay."""
    found: list[str] = []
    yield found
    docker.host.run("docker", "rm", "--force", *found)
    docker.host.pipework("gc")
    wait_to_hold(docker, {}, "nothing is left")


def count_restarts(docker: DockerEngine, name: str) -> int:
    return int(docker.host.run("docker", "inspect", "--format", "{{.RestartCount}}", name).stdout)


def wait_for_restart(docker: DockerEngine, name: str, count: int) -> None:
    wait_until(lambda: count_restarts(docker, name) >= count, f"{name} restarts", within=BUSY)


def test_a_container_whose_first_process_is_killed_has_it_again(docker: DockerEngine, names: list[str]) -> None:
    names.append("web1")
    with watching(docker) as watch:
        run(docker, "web1", *ASK, "--restart", "always")
        for count in range(3):
            wait_for_restart(docker, "web1", count)
            wait_to_hold(docker, {"web1": HELD}, "a container that was killed has it again")
            watch.print_delay("web1")
            docker.host.run("kill", "-KILL", str(docker.pid("web1")))
        wait_for_restart(docker, "web1", 3)
        wait_to_hold(docker, {"web1": HELD}, "it has it in its fourth life")
        assert not watch.said("failed", "web1")


def test_crash_loops_that_end_leave_what_holds_or_nothing(docker: DockerEngine, names: list[str]) -> None:
    names += ["heals", "gives-up"]
    heals = "echo >>/lives; [ $(wc -l </lives) -gt 4 ] && exec sleep 100000; exit 1"
    with watching(docker) as watch:
        run(docker, "heals", *ASK, "--restart", "on-failure", command=("sh", "-c", heals))
        ask = ("--label", "pipework.eth1=br1 192.168.1.2/24", "--restart", "on-failure:3")
        run(docker, "gives-up", *ask, command=("sh", "-c", "exit 1"))
        wait_for_restart(docker, "gives-up", 3)
        wait_for_restart(docker, "heals", 4)
        wait_to_hold(docker, {"heals": HELD, "gives-up": {}}, "crash loops have ended")
        watch.print_delay("heals")
        # A guest that goes while it is served is nobody's mistake.
        assert not watch.said("failed", "heals") + watch.said("failed", "gives-up")


def test_a_container_without_memory_has_it_again(docker: DockerEngine, names: list[str]) -> None:
    if docker.host.run("docker", "info", "--format", "{{.MemoryLimit}}").stdout.strip() != "true":
        announce_missing("docker: the control groups of this host limit no memory")
    names.append("greedy")
    eats = "while ! [ -e /eat ]; do sleep 0.1; done; rm /eat; exec tail /dev/zero"
    with watching(docker) as watch:
        limits = ("--memory", "20m", "--memory-swap", "20m", "--restart", "always")
        run(docker, "greedy", *ASK, *limits, command=("sh", "-c", eats))
        wait_to_hold(docker, {"greedy": HELD}, "it is there before")
        docker.host.run("docker", "exec", "greedy", "touch", "/eat")
        wait_for_restart(docker, "greedy", 1)
        wait_to_hold(docker, {"greedy": HELD}, "a container that ran out of memory has it again")
        watch.print_delay("greedy")
        ended = ("docker", "events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}")
        only = ("--filter", "container=greedy", "--filter", "event=oom")
        assert eventually(lambda: "oom" in docker.host.run(*ended, *only).stdout)  # containerd tells it a moment later


def test_what_is_no_start_and_no_end_changes_nothing(docker: DockerEngine, names: list[str]) -> None:
    names += ["web1", "marker"]
    host = docker.host
    waits = "trap : WINCH; while :; do sleep 0.1; done"
    with watching(docker) as watch:
        run(docker, "web1", *ASK, command=("sh", "-c", waits))
        wait_to_hold(docker, {"web1": HELD}, "it is there before")
        before = docker.pid("web1"), host.state([docker.pid("web1")])
        said = [told for told in watch.events() if told["guest"] == "docker:web1"]
        host.run("docker", "pause", "web1")
        host.run("docker", "unpause", "web1")
        host.run("docker", "exec", "web1", "true")
        host.run("docker", "kill", "--signal", "WINCH", "web1")
        host.run("docker", "update", "--restart", "always", "web1")
        host.run("docker", "rename", "web1", "web2")
        names.append("web2")
        # What comes after all of that was heard after it.
        run(docker, "marker", "--label", "pipework.eth1=br1 192.168.1.9/24")
        wait_to_hold(docker, {"web2": HELD, "marker": {"eth1": ["192.168.1.9/24"]}}, "what came last is there")
        assert [told for told in watch.events() if told["guest"] in {"docker:web1", "docker:web2"}] == said
        docker.remove("marker")
        wait_to_hold(docker, {"web2": HELD}, "the last one is gone")
        assert (docker.pid("web2"), host.state([docker.pid("web2")])) == before
        host.run("docker", "restart", "--time", "0", "web2")
        wait_to_hold(docker, {"web2": HELD}, "a container with another name has it again")


def join(docker: DockerEngine, name: str, network: str, *extra: str) -> None:
    """Start a container in a network that is another's; such a one has no name of its own in it."""
    docker.host.run("docker", "run", "--detach", "--name", name, "--network", network, *extra, IMAGE, *SLEEP)


def test_networks_that_are_shared(docker: DockerEngine, names: list[str]) -> None:
    names += ["owner", "guest", "quiet", "loud", "hosts"]
    second = ("--label", "pipework.eth1=br1 192.168.1.2/24")
    with watching(docker) as watch:
        join(docker, "hosts", "host", "--label", "pipework.eth1=br1 192.168.1.7/24")
        wait_until(lambda: bool(watch.said("refused", "hosts")), "the host's network is refused", within=BUSY)
        # Here its owner asks, there whoever joins.
        run(docker, "owner", *ASK)
        join(docker, "guest", "container:owner")
        run(docker, "quiet")
        join(docker, "loud", "container:quiet", *second)
        wanted = {"owner": HELD, "quiet": {"eth1": ["192.168.1.2/24"]}}
        wait_to_hold(docker, wanted, "shared networks are served once")
        assert interfaces(docker, "guest") == HELD
        assert interfaces(docker, "loud") == wanted["quiet"]
        docker.remove("loud")
        join(docker, "loud", "container:quiet", *second)
        wait_until(lambda: bool(watch.said("unchanged", "loud")), "whoever joins again finds it", within=BUSY)
        wait_to_hold(docker, wanted, "it is there once")
