"""Debian's package: clean by lintian, installed on a host, used there by the Python of Debian, and removed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from .host import PrivateHost
from .package_files import ROOT, run_builder
from .parts import require

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNIT = "pipework-watch.service"
SITE = "/usr/lib/python3/dist-packages"


@pytest.fixture(scope="module")
def deb(pipework_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package."""
    require("deb")
    folder = tmp_path_factory.mktemp("deb")
    run_builder("debian/build.py", str(pipework_wheel), str(ROOT), str(folder))
    (package,) = folder.glob("pipework_*_all.deb")
    return package


@pytest.fixture(scope="module")
def machine(deb: Path) -> Iterator[PrivateHost]:
    """Provide a host on which the package is installed."""
    with PrivateHost() as host:
        host.run("mkdir", "-p", "/run/lab/usr", "/run/lab/usr-work")
        layers = "lowerdir=/usr,upperdir=/run/lab/usr,workdir=/run/lab/usr-work"
        host.run("mount", "-t", "overlay", "-o", layers, "overlay", "/usr")
        host.env["PATH"] = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
        host.run("dpkg", "--install", str(deb))
        yield host


def test_lintian_has_nothing_to_say(deb: Path) -> None:
    argv = ("lintian", "--allow-root", "--fail-on", "error,warning", str(deb))
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_guest_is_attached_by_the_python_of_the_distribution(machine: PrivateHost) -> None:
    machine.netns("web1")
    before = machine.state(["web1"])
    assert machine.run("/usr/bin/pipework", "--version").stdout.startswith("pipework ")
    machine.run("/usr/bin/pipework", "br1", "web1", "192.168.1.1/24")
    assert "192.168.1.1/24" in machine.run("/usr/bin/pipework", "ls", "web1").stdout
    machine.run("/usr/bin/pipework", "detach", "web1", "--all")
    assert machine.state(["web1"]) == before
    plugins = machine.run("/usr/bin/pipework", "plugins")
    assert (plugins.returncode, plugins.stderr) == (0, "")


def test_the_units_are_where_systemd_looks_and_start_what_is_installed(machine: PrivateHost) -> None:
    files = machine.run("dpkg", "--listfiles", "pipework").stdout.split()
    (unit,) = (file for file in files if file.endswith(f"/system/{UNIT}"))
    checked = machine.run("systemd-analyze", "verify", unit)
    assert "pipework" not in checked.stdout + checked.stderr
    assert "ExecStart=/usr/bin/pipework watch" in machine.run("cat", unit).stdout.splitlines()
    # Nobody has said yet that labels of containers are to be served.
    assert machine.run("systemctl", "is-enabled", UNIT, check=False).stdout.strip() in {"disabled", ""}


def test_the_man_page_and_completions_are_installed_as_the_commands_print_them(machine: PrivateHost) -> None:
    listed = machine.run("dpkg", "--listfiles", "pipework").stdout.split()
    files = [file for file in listed if file.startswith("/usr/share/")]
    (page,) = (file for file in files if file.endswith("/man8/pipework.8.gz"))
    assert machine.run("zcat", page).stdout == machine.run("/usr/bin/pipework", "man").stdout
    for shell, name in (("bash", "completions/pipework"), ("zsh", "_pipework"), ("fish", "pipework.fish")):
        (file,) = (file for file in files if file.endswith(f"/{name}"))
        assert machine.run("cat", file).stdout == machine.run("/usr/bin/pipework", "completion", shell).stdout


def test_scripts_are_programs_with_an_interpreter(machine: PrivateHost) -> None:
    asked = machine.run(f"{SITE}/pipework_backends/scripts/probe.py", check=False)
    assert "No such file" not in asked.stderr
    assert machine.run("head", "-n1", f"{SITE}/pipework_backends/scripts/probe.py").stdout.startswith(
        "#!/usr/bin/python3"
    )


def test_removing_it_leaves_nothing(machine: PrivateHost) -> None:
    compiled = machine.run("find", SITE, "-path", "*pipework_core/__pycache__/*.pyc").stdout
    assert compiled
    machine.run("dpkg", "--purge", "pipework")
    assert machine.run("sh", "-c", f"find {SITE} /usr/bin /lib/systemd /usr/share -name '*pipework*'").stdout == ""
