"""`pipework plugins` and `--help` beside both examples, installed from their own wheels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from pipework_core import CONTRACT

from .host import clean_environment
from .wheel import EXAMPLES, installed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install both wheels, and return what PYTHONPATH has to be."""
    names = ("pipework-vxlan", "pipework-audit")
    return os.pathsep.join(str(installed(name, tmp_path_factory.mktemp(name))) for name in names)


def pipework(path: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pipework as an ordinary user could: it looks at no host."""
    argv = (sys.executable, "-P", "-m", "pipework_core", *words)
    env = clean_environment() | {"PYTHONPATH": path}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)


def version(example: Path) -> str:
    return str(tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def test_the_examples_are_listed_without_a_problem(path: str) -> None:
    done = pipework(path, "plugins", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = {package["name"]: package for package in json.loads(done.stdout)["plugins"]}
    vxlan, audit = found["pipework-vxlan"], found["pipework-audit"]
    assert [vxlan["version"], audit["version"]] == [version(EXAMPLES / name) for name in (vxlan["name"], audit["name"])]
    assert [vxlan["origin"], audit["origin"]] == path.split(os.pathsep)
    assert [vxlan["contract"], audit["contract"]] == [CONTRACT, CONTRACT]
    assert (vxlan["provides"], vxlan["hooks"]) == ({"backends": ["vxlan"]}, ["pipework_backends"])
    assert list(audit["provides"]) == ["observers"]
    assert "pipework_attached" in audit["hooks"]
    assert vxlan["problems"] == audit["problems"] == []


def test_help_has_the_kind_with_its_options(path: str) -> None:
    done = pipework(path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    assert " vxlan " in text
    assert "(from pipework-vxlan)" in text
    assert "-o remote=VALUE " in text
    assert max(map(len, done.stdout.splitlines())) <= 80
