"""`pipework watch` when Docker Engine, the watcher itself, or what lies between them ends at any moment."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from .cutter import SOCKET as CUT
from .cutter import Cutter
from .docker import SOCKET
from .ovs import OpenVSwitch
from .parts import require
from .waiting import eventually
from .watch import BUSY, Watch, run, wait_to_hold, watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .docker import DockerEngine
    from .watch import Holding

NAMES = ("web1", "web2", "web3")
HELD: dict[str, Holding] = {name: {"eth1": [f"192.168.1.{name[-1]}/24"]} for name in NAMES}
MOMENTS = 10


@pytest.fixture
def containers(docker: DockerEngine) -> Iterator[tuple[str, ...]]:
    """Start three containers that always restart, and remove them; nothing of them may stay."""
    for name in NAMES:
        run(docker, name, "--restart", "always", "--label", f"pipework.eth1=br1 192.168.1.{name[-1]}/24")
    yield NAMES
    docker.host.run("docker", "rm", "--force", *NAMES)
    docker.host.pipework("gc")
    wait_to_hold(docker, {}, "nothing is left")


@pytest.mark.usefixtures("containers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
@pytest.mark.parametrize("live", [True, False], ids=["live", "not-live"])
def test_an_engine_that_ends_and_comes_back(docker: DockerEngine, *, live: bool, number: int) -> None:
    words = ("--live-restore",) if live else ()
    docker.end()
    docker.start(*words)
    with watching(docker) as watch:
        wait_to_hold(docker, HELD, "they are there before")
        before = [docker.pid(name) for name in NAMES]
        docker.end(number)
        docker.host.run("kill", "-KILL", str(before[0]), check=False)  # one that dies while nobody looks
        docker.start(*words)
        wait_to_hold(docker, HELD, f"the engine is back, live-restore {live}, signal {number}")
        after = [docker.pid(name) for name in NAMES]
        assert after[0] != before[0]
        assert (after[1:] == before[1:]) == live
        assert not any(watch.said("failed", name) for name in NAMES)


@pytest.mark.usefixtures("containers")
def test_a_reboot(docker: DockerEngine) -> None:
    run(docker, "manual", "--label", "pipework.eth1=br1 192.168.1.9/24")
    with watching(docker):
        wait_to_hold(docker, {**HELD, "manual": {"eth1": ["192.168.1.9/24"]}}, "they are there before")
        docker.host.run("docker", "kill", "manual")
    docker.end()
    docker.host.run("ip", "link", "delete", "br1")
    docker.host.run("sh", "-c", "rm -f /run/pipework*")
    with watching(docker):  # it is up before the engine
        docker.start()
        wait_to_hold(docker, HELD, "a machine has booted")
        docker.host.run("docker", "start", "manual")
        wait_to_hold(docker, {**HELD, "manual": {"eth1": ["192.168.1.9/24"]}}, "the other one was started")
        docker.remove("manual")


@pytest.mark.usefixtures("containers")
def test_a_watcher_that_is_killed_at_any_moment(docker: DockerEngine) -> None:
    require("ovs")
    seed = random.randrange(1000)  # noqa: S311 - nothing secret
    print(f"seed {seed}")
    moments = random.Random(seed)  # noqa: S311 - nothing secret
    with OpenVSwitch(docker.host) as switch:
        switch.add_bridge("sw0")
        asks = ("--label", "pipework.eth1=br1 192.168.1.8/24", "--label", "pipework.eth2=ovs:sw0 192.168.2.8/24")
        run(docker, "both", *asks)
        restarting = docker.host.popen("sh", "-c", f"while :; do docker restart --time 0 both {' '.join(NAMES)}; done")
        for _ in range(MOMENTS):
            watch = Watch(docker)
            time.sleep(moments.uniform(0.2, 1.5))  # any moment of its start, and of its work
            watch.process.kill()
            watch.process.wait(BUSY)
        with watching(docker):
            restarting.terminate()
            restarting.wait(BUSY)
            both = {"both": {"eth1": ["192.168.1.8/24"], "eth2": ["192.168.2.8/24"]}}
            wait_to_hold(docker, {**HELD, **both}, "one watcher more")
            assert eventually(lambda: len(switch.vsctl("list-ports", "sw0").split()) == 1)
            docker.remove("both")
            wait_to_hold(docker, HELD, "one is removed")


@pytest.mark.usefixtures("containers")
def test_connections_that_are_cut_at_any_moment(docker: DockerEngine) -> None:
    seed = random.randrange(1000)  # noqa: S311 - nothing secret
    print(f"seed {seed}")
    with Cutter(docker.host, SOCKET, seed=seed) as cutter, watching(docker, socket=CUT) as watch:
        for _ in range(3):
            docker.host.run("docker", "restart", "--time", "0", *NAMES)
        wait_to_hold(docker, HELD, f"{cutter.count} connections were cut")
        assert cutter.count > 1
        cutter.cuts = False
        docker.host.run("docker", "restart", "--time", "0", *NAMES)
        wait_to_hold(docker, HELD, "nothing is cut any more")
        assert watch.process.poll() is None
