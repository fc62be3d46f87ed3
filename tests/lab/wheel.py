"""A distribution of the examples as a stranger would have it: built into a wheel, and installed from that."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .host import clean_environment

EXAMPLES = Path(__file__).parents[2] / "examples"


def installed(name: str, folder: Path) -> Path:
    """Build the wheel of an example below `folder` and return the folder in which it is installed.

    Nothing is downloaded: hatchling is one of the test dependencies. Put the returned folder on PYTHONPATH.
    """
    source, wheels, target = folder / "source", folder / "wheels", folder / "site-packages"
    shutil.copytree(EXAMPLES / name, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source))
    (wheel,) = wheels.glob("*.whl")
    pip("install", "--no-deps", "--target", str(target), str(wheel))
    return target


def run_its_own_tests(name: str, target: Path) -> None:
    """Run an example's tests as its authors would: in its folder, by its settings, beside an installed pipework."""
    example = str(EXAMPLES / name)
    argv = (sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", example, example)
    env = clean_environment() | {"PYTHONPATH": str(target)}
    done = subprocess.run(argv, cwd="/", env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def pip(command: str, *words: str) -> None:
    """Run pip of this environment, without an index."""
    argv = (sys.executable, "-m", "pip", command, "--quiet", "--no-index", "--disable-pip-version-check", *words)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
