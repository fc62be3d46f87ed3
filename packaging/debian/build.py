"""Build pipework's package for Debian: python packaging/debian/build.py WHEEL SOURCE FOLDER.

SOURCE is this repository or a copy of it, FOLDER gets the package. It takes debhelper, dh-python and python3-pluggy,
but no network; nothing is written into SOURCE.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

HERE = Path(__file__).parent
#: What debhelper makes use of beside the wheel.
SOURCES = ("CHANGELOG.md", "LICENSE", "README.md")
CHANGELOG = """\
pipework ({version}-1) unstable; urgency=medium

  * New version; changelog.gz has what is new in it.

 -- The pipework authors <pipework@example.org>  {date}
"""


def main() -> int:
    """Build it, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        tree = Path(work) / "pipework"
        prepare_tree(tree, given.wheel, given.source)
        done = subprocess.run(
            ("dpkg-buildpackage", "--build=binary", "--no-sign"),  # noqa: S607 - as PATH has it
            cwd=tree,
            env=os.environ | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},  # the Python of Debian, not of an environment
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            print(done.stdout, file=sys.stderr)
            return 1
        for package in Path(work).glob("*.deb"):
            print(shutil.copy(package, given.folder))
    return 0


def prepare_tree(tree: Path, wheel: Path, source: Path) -> None:
    """Make the tree that Debian's tools build: what is packaged, and debian/ with this folder's files."""
    debian = tree / "debian"
    shutil.copytree(HERE, debian, ignore=shutil.ignore_patterns("__pycache__", "build.py", "source-format"))
    for name in SOURCES:
        shutil.copy(source / name, tree / name)
    (debian / "wheel").mkdir()
    shutil.copy(wheel, debian / "wheel")
    (debian / "source").mkdir()
    shutil.copy(HERE / "source-format", debian / "source" / "format")
    version = wheel.name.split("-")[1]
    date = formatdate(float(os.environ.get("SOURCE_DATE_EPOCH", time.time())), localtime=False)
    (debian / "changelog").write_text(CHANGELOG.format(version=version, date=date))


if __name__ == "__main__":
    sys.exit(main())
