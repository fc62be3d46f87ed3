"""Completion in real shells at a terminal, with the guests and interfaces of a real host; what man(1) prints."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import completion

from . import terminal
from .host import clean_environment
from .parts import require

if TYPE_CHECKING:
    from .docker import DockerEngine
    from .host import PrivateHost

#: How each shell is told of the script.
SETUPS = {
    "bash": "source <(pipework completion bash)",
    "zsh": "autoload -U compinit; compinit -D -u; source <(pipework completion zsh)",
    "fish": "pipework completion fish | source",
}
SCRIPTS = Path(completion.__file__).parent / "shells"
#: Milliseconds that completion may take beyond the start of Python.
MOST = 50


def complete(host: PrivateHost, shell: str, home: Path, *lines: str) -> list[str]:
    """Return what a shell makes of each line when Tab is pressed at its end."""
    bin_folder = str(Path(sys.executable).parent)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "HOME": str(home), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    done = host.run(sys.executable, terminal.__file__, shell, SETUPS[shell], *lines, env=env, timeout=110)
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", SETUPS)
def test_a_shell_completes_what_there_is(host: PrivateHost, shell: str, tmp_path: Path) -> None:
    require(shell)
    host.netns("blue")
    host.netns("$(touch pwned)")
    host.run("ip", "link", "add", "lan0", "type", "bridge")
    host.run("ip", "link", "add", "nic7", "type", "veth", "peer", "name", "wire7")
    (tmp_path / "labor.yaml").write_text("version: 1\n")
    typed = {
        "pipework det": "pipework detach",
        "pipework lan": "pipework lan0",
        "pipework lan0 bl": "pipework lan0 blue",
        "pipework lan0 netns:b": "pipework lan0 netns:blue",
        "pipework macvlan:n": "pipework macvlan:nic7",
        "pipework lan0 blue aut": "pipework lan0 blue auto",
        "pipework -i eth2 lan0 bl": "pipework -i eth2 lan0 blue",
        "pipework detach --al": "pipework detach --all",
        "pipework --driver=li": "pipework --driver=live",
        f"pipework up -f {tmp_path}/lab": f"pipework up -f {tmp_path}/labor.yaml",
        "pipework runtime install p": "pipework runtime install podman",
        "pipework ipvlan:nic7 -o mod": "pipework ipvlan:nic7 -o mode=",
        "pipework lan0 netns:": "pipework lan0 netns:blue",
        "pipework ipvl\tnic7 bl": "pipework ipvlan:nic7 blue",
    }
    assert complete(host, shell, tmp_path, *typed) == list(typed.values())


def test_the_scripts_are_clean() -> None:
    require("shellcheck")
    words = ("shellcheck", "-s", "bash", *SCRIPTS.glob("*.bash"))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_an_interface_that_is_not_attached_is_told_with_those_that_are(host: PrivateHost) -> None:
    blue = host.netns("blue")
    host.pipework("br1", blue, "10.0.0.1/24")
    said = host.pipework("detach", blue, "-i", "eth11").stderr
    assert "blue has no interface 'eth11'; attached is eth1." in said


def test_containers_are_completed(docker: DockerEngine, docker_host: PrivateHost, tmp_path: Path) -> None:
    require("bash")
    docker.run("shop-front")
    lines = ("pipework br1 sho", "pipework ls docker:sh")
    assert complete(docker_host, "bash", tmp_path, *lines) == [
        "pipework br1 shop-front",
        "pipework ls docker:shop-front",
    ]
    refused = docker_host.pipework("br1", "shopfront", "10.0.0.1/24", check=False)
    assert "hint: did you mean shop-front?" in refused.stderr
    refused = docker_host.pipework("shop-front", "br1", "10.0.0.1/24", check=False)
    assert "hint: the guest comes second: pipework br1 shop-front 10.0.0.1/24" in refused.stderr
    docker_host.pipework("br1", "shop-front", "10.0.0.1/255.255.255.0")
    assert "10.0.0.1/24" in docker.exec("shop-front", "ip", "address", "show", "dev", "eth1")
    said = docker_host.pipework("detach", "shopfront", check=False)
    assert "did you mean shop-front?" in said.stderr
    docker.remove("shop-front")


@pytest.mark.parametrize("words", [("",), ("br1", ""), ("ls", "--"), ("help", ""), ("macvlan:lo", "-o", "")])
def test_it_is_quick(docker: DockerEngine, docker_host: PrivateHost, words: tuple[str, ...]) -> None:
    del docker
    bare = min(measure(docker_host, "-c", "pass") for _ in range(15))
    ours = min(
        measure(docker_host, "-P", "-m", "pipework_core", "completion", "reply", "--", *words) for _ in range(15)
    )
    assert ours - bare < MOST, f"{words}: {ours - bare:.1f} ms"


def measure(host: PrivateHost, *words: str) -> float:
    """Return the milliseconds of a processor that Python takes for these words; others may keep the machine busy."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    host.run(sys.executable, *words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def test_man_prints_the_page_without_a_warning(tmp_path: Path) -> None:
    require("man")
    env = clean_environment() | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFOPT": "-ww"}
    made = subprocess.run((sys.executable, "-P", "-m", "pipework_core", "man"), capture_output=True, check=True)
    page = tmp_path / "pipework.8"
    page.write_bytes(made.stdout)
    done = subprocess.run(("man", "--warnings", "-l", str(page)), capture_output=True, text=True, env=env, check=True)
    assert done.stderr == ""
    for line in (
        "NAME",
        "SYNOPSIS",
        "OPTIONS",
        "KINDS",
        "       --dry-run",
        "       pipework detach GUEST [-i IF | --all]",
    ):
        assert f"\n{line}" in done.stdout
