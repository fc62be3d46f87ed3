"""A distribution of the examples as a stranger would have it: built into a wheel, and installed from that."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

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


def pip(command: str, *words: str) -> None:
    """Run pip of this environment, without an index."""
    argv = (sys.executable, "-m", "pip", command, "--quiet", "--no-index", "--disable-pip-version-check", *words)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
