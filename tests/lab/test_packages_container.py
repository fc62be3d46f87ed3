"""pipework in a container, built from the Dockerfile: it serves the containers beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .container_base import archive
from .dhcp import wait_until
from .package_files import ROOT
from .parts import require
from .test_watch import addresses

if TYPE_CHECKING:
    from .docker import DockerEngine

FOLDER = "/run/lab/image"
DOCKERFILE = ROOT / "packaging/container/Dockerfile"


def read_run_command() -> list[str]:
    """Return the words of `docker run` that the Dockerfile tells people, but for what is about restarts."""
    text = DOCKERFILE.read_text().partition("docker run ")[2].partition("\n#\n")[0]
    words = text.replace("\\\n#", "").replace("--restart always", "").split()
    assert (words[0], words[-1]) == ("-d", "pipework")
    return words


@pytest.fixture(scope="module")
def watcher(docker: DockerEngine, pyz: str) -> DockerEngine:
    """Build the image, and run the watcher from it."""
    require("deb")  # a Python of the distribution that is new enough
    host = docker.host
    host.run("mkdir", FOLDER)
    host.write(f"{FOLDER}/base.tar", archive())
    host.run("docker", "import", f"{FOLDER}/base.tar", "base:latest")
    host.run("rm", f"{FOLDER}/base.tar")
    host.write(f"{FOLDER}/pipework.pyz", Path(pyz).read_bytes())
    host.run("chmod", "755", f"{FOLDER}/pipework.pyz")
    host.write(f"{FOLDER}/Dockerfile", DOCKERFILE.read_bytes())
    host.run("docker", "build", "--network", "none", "--build-arg", "BASE=base", "-t", "pipework", FOLDER)
    host.run("docker", "run", *read_run_command())
    return docker


def said(docker: DockerEngine) -> str:
    done = docker.host.run("docker", "logs", "pipework")
    return done.stdout + done.stderr


def test_a_container_gets_its_interface_from_the_one_that_watches(watcher: DockerEngine) -> None:
    watcher.run("web1", "--label", "pipework.eth1=br1 192.168.1.1/24")
    wait_until(lambda: "web1" in said(watcher), "the watcher tells of web1")
    assert "attached" in said(watcher)
    wait_until(lambda: addresses(watcher, "web1") == ["192.168.1.1/24"], "web1 has its address")
    watcher.host.run("docker", "restart", "--time", "0", "web1")
    wait_until(lambda: addresses(watcher, "web1") == ["192.168.1.1/24"], "it has it again")
    assert "Traceback" not in said(watcher)


def test_the_host_sees_what_it_attached(watcher: DockerEngine) -> None:
    assert Path(f"/proc/{watcher.host.pid}/root/sys/class/net/br1").exists()
    assert "docker:web1" in watcher.host.pipework("ls").stdout
    assert "docker:web1" in watcher.host.run("docker", "exec", "pipework", "pipework", "ls").stdout


def test_stopping_it_takes_nothing_from_anybody(watcher: DockerEngine) -> None:
    watcher.host.run("docker", "stop", "pipework")
    assert watcher.host.run("docker", "inspect", "-f", "{{.State.ExitCode}}", "pipework").stdout.strip() == "0"
    assert addresses(watcher, "web1") == ["192.168.1.1/24"]
