"""The files that people install, built from this source tree, and a host whose Python has no packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .host import clean_environment
from .wheel import pip

if TYPE_CHECKING:
    from .host import PrivateHost

ROOT = Path(__file__).parents[2]
#: Where the host finds what is installed in it; nothing else is there.
BIN = "/run/lab/bin"
_SOURCES = (
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "pyproject.toml",
    "pipework_core",
    "backends",
    "drivers",
    "packaging",
)


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this source tree, from a copy; nothing is downloaded."""
    source = copy_source(folder / "source")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    (wheel,) = folder.glob("pipework-*.whl")
    return wheel


def copy_source(target: Path) -> Path:
    """Copy what packages are built from, without what running it has left there."""
    target.mkdir()
    for name in _SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / name)
    return target


def run_builder(script: str, *words: str) -> str:
    """Run a script of packaging/ and return what it says."""
    argv = (sys.executable, "-P", str(ROOT / "packaging" / script), *words)
    done = subprocess.run(argv, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def base_python() -> str:
    """Return the Python below the virtual environment of the tests."""
    return os.path.realpath(sys.executable)


def empty_python(host: PrivateHost) -> tuple[str, ...]:
    """Take all packages from the Python below ours, in that host; return its folders for packages, which are empty."""
    python = base_python()
    folders = host.run(python, "-c", "import site; print(*site.getsitepackages(), sep='\\n')").stdout.splitlines()
    there = tuple(folder for folder in folders if Path(folder).is_dir())
    for folder in there:
        host.run("mount", "-t", "tmpfs", "packages", folder)
    return there
