"""The wheel as the quick start installs it: in a fresh virtual environment, with an extra."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from .host import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from .host import PrivateHost

FILE = """\
version: 1
links:
  - br1 netns:web1 10.1.0.1/24
"""


@pytest.fixture(scope="module")
def program(pipework_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install the wheel with an extra, as people do, from the index that this machine uses; return the command."""
    place = tmp_path_factory.mktemp("opt") / "pipework"
    for argv in (
        (os.path.realpath(sys.executable), "-m", "venv", str(place)),
        (str(place / "bin/pip"), "install", "-q", "--disable-pip-version-check", f"{pipework_wheel}[watch]"),
    ):
        done = subprocess.run(argv, env=clean_environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return str(place / "bin/pipework")


def test_it_has_everything_that_is_no_module(pipework_wheel: Path) -> None:
    names = zipfile.ZipFile(pipework_wheel).namelist()
    for file in ("pipework_core/watch/pipework-watch.service", "pipework_core/demo/demo.yaml"):
        assert file in names
    assert len([name for name in names if name.startswith("pipework_backends/scripts/")]) > 10
    assert "pipework_drivers/ssh/remote_shell.sh" in names


def test_a_guest_is_attached_and_a_file_goes_up(host: PrivateHost, program: str) -> None:
    host.netns("web1")
    before = host.state(["web1"])
    host.run(program, "br1", "web1", "10.1.0.1/24")
    host.write("/run/lab.yaml", FILE)
    assert "1 unchanged" in host.run(program, "up", "-f", "/run/lab.yaml").stderr
    host.run(program, "down", "-f", "/run/lab.yaml")
    assert host.state(["web1"]) == before


def test_the_watcher_misses_no_library(host: PrivateHost, program: str) -> None:
    watched = host.run(program, "watch", "--once", check=False)
    assert "pip install" not in watched.stdout + watched.stderr
    assert f"ExecStart={os.path.dirname(program)}/python" in host.run(program, "watch", "--unit").stdout
