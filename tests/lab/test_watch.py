"""`pipework watch` beside a real Docker Engine: whatever starts or restarts has what it asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .busybox import IMAGE, SLEEP
from .parts import require
from .waiting import eventually
from .watch import ASK, BUSY, Watch, addresses, interfaces, run, watching

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from .docker import DockerEngine

#: Tenths, of ten, by which systemd-analyze(1) counts what a service may do; an unrestricted one has 96.
EXPOSURE = 68


@pytest.fixture
def names(docker: DockerEngine) -> Iterator[list[str]]:
    """Remove the containers that a test names, and what is left of their interfaces."""
    found: list[str] = []
    yield found
    for name in found:
        docker.remove(name)
    docker.host.pipework("gc")


def test_a_container_has_what_its_labels_ask_for_whenever_it_starts(docker: DockerEngine, names: list[str]) -> None:
    names += ["early", "web1"]
    docker.run("early", "--label", "pipework.eth1=br1 192.168.1.9/24")
    with watching(docker) as watch:
        assert eventually(lambda: addresses(docker, "early") == ["192.168.1.9/24"])
        docker.run("web1", *ASK, "--label", "pipework.eth2=br2 10.2.0.1/24")
        assert eventually(lambda: addresses(docker, "web1", "eth2") == ["10.2.0.1/24"])
        for _ in range(3):
            docker.host.run("docker", "restart", "--time", "0", "web1")
            assert eventually(lambda: addresses(docker, "web1") == ["192.168.1.1/24"])
            assert eventually(lambda: addresses(docker, "web1", "eth2") == ["10.2.0.1/24"])
        assert len(watch.said("attached", "web1")) == 8
        assert not watch.said("failed", "web1")
        docker.remove("web1")
        assert eventually(lambda: "br2" not in docker.host.run("ip", "-brief", "link").stdout)
    assert addresses(docker, "early") == ["192.168.1.9/24"]


def test_a_watcher_that_was_killed_serves_what_started_meanwhile(docker: DockerEngine, names: list[str]) -> None:
    names += ["web1", "web2"]
    first = Watch(docker)
    docker.run("web1", *ASK)
    assert eventually(lambda: addresses(docker, "web1") == ["192.168.1.1/24"])
    first.process.kill()
    first.process.wait(BUSY)
    docker.run("web2", "--label", "pipework.eth1=br1 192.168.1.2/24")
    with watching(docker) as watch:
        assert eventually(lambda: addresses(docker, "web2") == ["192.168.1.2/24"])
        assert eventually(lambda: bool(watch.said("unchanged", "web1")))
        assert not watch.said("attached", "web1")


def test_an_engine_that_was_stopped_is_watched_again(docker: DockerEngine, names: list[str]) -> None:
    names.append("web1")
    with watching(docker):
        run(docker, "web1", *ASK)
        assert eventually(lambda: addresses(docker, "web1") == ["192.168.1.1/24"])
        docker.end()
        docker.start()
        docker.host.run("docker", "start", "web1")
        assert eventually(lambda: addresses(docker, "web1") == ["192.168.1.1/24"])


def test_what_may_not_be_asked_for_attaches_nothing_and_is_said_once(docker: DockerEngine, names: list[str]) -> None:
    names += ["bad1", "bad2", "image1"]
    harm = "pipework.eth2=br1; touch /run/pwned $(touch /run/pwned) 10.0.0.1/24"
    with watching(docker) as watch:
        docker.run("bad1", *ASK, "--label", "pipework.eth2=phys:eth0 10.0.0.1/24")
        assert eventually(lambda: bool(watch.said("refused", "bad1")))
        docker.host.run("docker", "restart", "--time", "0", "bad1")
        docker.run("bad2", "--label", harm)
        assert eventually(lambda: bool(watch.said("failed", "bad2")))
        docker.host.run("docker", "commit", "--change", 'LABEL pipework.eth1="br1 10.0.0.7/24"', "bad2", "labelled")
        docker.host.run(
            *("docker", "run", "--detach", "--name", "image1", "--network", "none"),
            *("--label", "pipework.eth2=br1 10.0.0.8/24", "labelled", "sleep", "1000"),
        )
        assert eventually(lambda: addresses(docker, "image1", "eth2") == ["10.0.0.8/24"])
        assert addresses(docker, "image1") == []
        assert len(watch.said("refused", "bad1")) == 1
        assert addresses(docker, "bad1") == []
    assert docker.host.run("ls", "/run/pwned", check=False).returncode != 0


def test_a_container_without_a_server_holds_up_nobody(docker: DockerEngine, names: list[str]) -> None:
    wanted = {f"many{number}": {"eth1": [f"192.168.1.{number}/24"]} for number in range(1, 20)}
    names += ["slow", *wanted]
    for name, held in wanted.items():
        create = ("docker", "create", "--name", name, "--network", "none", "--stop-signal", "KILL")
        docker.host.run(*create, "--label", f"pipework.eth1=br1 {held['eth1'][0]}", IMAGE, *SLEEP)
    with watching(docker) as watch:
        docker.run("slow", "--label", "pipework.eth1=br8 udhcpc")
        assert eventually(lambda: docker.host.run("pgrep", "udhcpc", check=False).returncode == 0)
        docker.host.run("xargs", "-n", "1", "-P", "20", "docker", "start", input="\n".join(wanted))
        assert eventually(lambda: all(watch.said("attached", name) for name in wanted))
        delays = sorted(told["seconds"] for told in watch.events() if told["interface"] == "eth1")
        print(f"19 containers at once: median {delays[9]:.2f} s, last {delays[-1]:.2f} s")
        # It still asks, so none of them has waited for it.
        assert docker.host.run("pgrep", "udhcpc", check=False).returncode == 0
        assert not watch.said("failed", "slow")
        assert {name: interfaces(docker, name) for name in wanted} == wanted


def test_once_tells_by_its_exit_code(docker: DockerEngine, names: list[str]) -> None:
    names += ["good1", "bad1", "bad2"]

    def once(*words: str) -> subprocess.CompletedProcess[str]:
        return docker.host.pipework("watch", "--once", *words, check=False)

    docker.run("good1", *ASK)
    dry = once("--dry-run")
    assert (dry.returncode, "ip link add" in dry.stdout, addresses(docker, "good1")) == (0, True, [])
    assert once().returncode == 0
    assert addresses(docker, "good1") == ["192.168.1.1/24"]
    docker.run("bad1", "--label", "pipework.eth1=phys:eth0 0/0")
    assert once().returncode == 3
    docker.run("bad2", "--label", "pipework.eth1=br1 nonsense")
    assert once().returncode == 1
    assert once("--filter", "name=good1").returncode == 0


def test_variables_of_dreamcat4_are_served_when_asked_for(docker: DockerEngine, names: list[str]) -> None:
    names.append("shop_web_7")
    variable = "pipework_cmd=br1 @CONTAINER_NAME@ 192.168.101.@INSTANCE@/24"
    docker.run("shop_web_7", "--env", variable)
    docker.host.pipework("watch", "--once")
    assert addresses(docker, "shop_web_7") == []
    docker.host.pipework("watch", "--once", "--env")
    assert addresses(docker, "shop_web_7") == ["192.168.101.7/24"]


def test_a_policy_says_who_may_have_what_and_is_read_again(docker: DockerEngine, names: list[str]) -> None:
    names += ["shop1", "other1"]
    rule = "  - {match: {label: app=shop}, hosts: [br1], create: yes, addresses: [10.5.0.0/24]}"
    docker.host.write("/run/policy.yaml", f"version: 1\ncontainers:\n{rule}\n")
    with watching(docker, "--policy", "/run/policy.yaml") as watch:
        docker.run("shop1", "--label", "app=shop", "--label", "pipework.eth1=br1 10.5.0.1/24")
        docker.run("other1", "--label", "pipework.eth1=br1 10.5.0.2/24")
        assert eventually(lambda: addresses(docker, "shop1") == ["10.5.0.1/24"])
        assert eventually(lambda: bool(watch.said("refused", "other1")))
        docker.host.write("/run/policy.yaml", "version: 1\ncontainers: [")
        watch.process.send_signal(1)
        assert eventually(lambda: any("policy and file stay as they were" in told["text"] for told in watch.events()))


def test_the_unit_is_one_and_may_do_little(docker: DockerEngine) -> None:
    require("systemd")
    host = docker.host
    host.write("/run/pipework-watch.service", host.pipework("watch", "--unit").stdout)
    checked = host.run("systemd-analyze", "verify", "--man=no", "/run/pipework-watch.service", check=False)
    assert checked.returncode == 0, checked.stderr
    measure = ("systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={EXPOSURE}")
    measured = host.run(*measure, "/run/pipework-watch.service", check=False)
    assert measured.returncode == 0, measured.stdout


def test_a_file_is_kept_true(docker: DockerEngine, names: list[str]) -> None:
    host = docker.host
    names += ["web1", "web2"]
    docker.run("web1")
    links = ("br1 docker:web1 10.6.0.1/24", "br1 docker:web2 10.6.0.2/24", "br1 netns:late 10.6.0.9/24")
    host.write("/run/pipework.yaml", "version: 1\nlinks:\n" + "".join(f"  - {line}\n" for line in links))

    def late() -> str:
        return host.run("ip", "-n", "late", "-brief", "address", "show", "dev", "eth1", check=False).stdout

    with watching(docker, "-f", "/run/pipework.yaml"):
        assert eventually(lambda: addresses(docker, "web1") == ["10.6.0.1/24"])
        docker.run("web2")
        assert eventually(lambda: addresses(docker, "web2") == ["10.6.0.2/24"])
        host.run("docker", "restart", "--time", "0", "web1")
        assert eventually(lambda: addresses(docker, "web1") == ["10.6.0.1/24"])
        host.run("ip", "netns", "add", "late")
        assert eventually(lambda: "10.6.0.9/24" in late())
        host.run("ip", "netns", "delete", "late")
        host.run("ip", "netns", "add", "late")
        assert eventually(lambda: "10.6.0.9/24" in late())
    host.run("ip", "netns", "delete", "late")


def test_docker_calls_before_the_first_instruction(docker: DockerEngine) -> None:
    host = docker.host
    program = host.pipework("runtime", "install", "docker").stdout
    host.write("/run/lab/runc", program)
    host.run("chmod", "755", "/run/lab/runc")
    host.write("/etc/docker/daemon.json", json.dumps({"runtimes": {"pipework": {"path": "/run/lab/runc"}}}))
    host.run("sh", "-c", "kill -HUP $(cat /run/dockerd.pid)")
    assert eventually(lambda: "pipework" in host.run("docker", "info", "--format", "{{.Runtimes}}").stdout)
    start = ("docker", "run", "--rm", "--runtime", "pipework", "--network", "none")
    look = (IMAGE, "ip", "-o", "address", "show")
    seen = host.run(*start, "--env", "pipework_cmd=br1 @CONTAINER_ID@ 10.8.0.9/24", *look)
    assert "10.8.0.9/24" in seen.stdout
    assert "eth1" not in host.run(*start, *look).stdout
    bad = host.run(*start, "--env", "pipework_cmd=phys:eth0 @CONTAINER_ID@ 0/0", *look, check=False)
    assert bad.returncode != 0
    assert "NIC of the host is not a container's to take" in bad.stderr
