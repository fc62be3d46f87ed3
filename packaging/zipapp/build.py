"""Build `pipework.pyz`, the single file: python packaging/zipapp/build.py WHEEL OUTPUT [--every].

Its content is the wheel, and the libraries of its extras as they are installed beside this Python. With --every the
library that exists in C alone is fetched for other Pythons and machines as well. The same content makes the same file.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import distribution  # noqa: TID253 - a tool, not a start-up
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).parent
EXTRAS = ("ssh", "up", "watch")
#: Without this one there are no topology files; the others do without their part in C.
IN_C = "msgspec"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("manylinux2014_x86_64", "manylinux2014_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64")
#: What pip wrote about its own work.
_LEFT_OUT = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")

Files = dict[str, bytes]


def main() -> int:
    """Build the file, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--every", action="store_true", help="for other Pythons and machines as well")
    given = parser.parse_args()
    files = read_wheel(given.wheel)
    for name in list_libraries(files):
        files |= read_installed(name)
    if given.every:
        for python in PYTHONS:
            for platform in PLATFORMS:
                files |= fetch_library(python, platform)
    write_archive(files, given.output)
    print(f"{given.output}: {given.output.stat().st_size >> 10} KiB; {IN_C} for:")
    for name in sorted(name for name in files if name.startswith(f"{IN_C}/") and name.endswith(".so")):
        print(f"  {name.partition('.')[2]}")
    return 0


def read_wheel(path: Path) -> Files:
    """Return the files in a wheel by their names."""
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith(("/", *_LEFT_OUT))}


def list_libraries(files: Files) -> list[str]:
    """Return the distributions that the wheel needs with its extras, and those that they need."""
    (metadata,) = (text.decode() for name, text in files.items() if name.endswith(".dist-info/METADATA"))
    lines = metadata.partition("\n\n")[0].splitlines()
    waiting = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ")]
    extras: tuple[str, ...] = EXTRAS
    found: dict[str, None] = {}
    while waiting:
        needed = [Requirement(line) for line in waiting]
        names = [one.name for one in needed if counts(one, extras) and one.name not in found]
        found |= dict.fromkeys(names)
        waiting = [line for name in names for line in distribution(name).requires or ()]
        extras = ("",)
    return list(found)


def counts(needed: Requirement, extras: tuple[str, ...]) -> bool:
    """Tell whether a requirement holds with one of these extras."""
    return needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras)


def read_installed(name: str) -> Files:
    """Return the files of a distribution that is installed here, without its programs.

    A library in C that only makes a module of Python faster is left out: it may need more than its Python does.
    """
    listed = {str(file): file for file in distribution(name).files or ()}
    return {
        path: file.read_binary()
        for path, file in listed.items()
        if not ({"..", "__pycache__"} & set(file.parts) or file.name in _LEFT_OUT)
        and not (file.suffix == ".so" and f"{path.partition('.')[0]}.py" in listed)
    }


def fetch_library(python: str, platform: str) -> Files:
    """Return the library that is in C for another Python; nothing, and a line, when the index has none."""
    version = distribution(IN_C).version
    wanted = ("--python-version", python, "--platform", platform, "--only-binary=:all:", "--no-deps")
    with tempfile.TemporaryDirectory() as folder:
        argv = (sys.executable, "-m", "pip", "download", "-q", *wanted, "-d", folder, f"{IN_C}=={version}")
        if subprocess.run(argv, stderr=subprocess.DEVNULL, check=False).returncode != 0:  # noqa: S603 - no shell
            print(f"there is no {IN_C} for Python {python} on {platform}")
            return {}
        (wheel,) = Path(folder).glob("*.whl")
        return {name: data for name, data in read_wheel(wheel).items() if name.endswith(".so")}


def write_archive(files: Files, output: Path) -> None:
    """Write the file. All that is unpacked is one file in it, since Python reads the list of its files in every run.

    The digest names the folder into which it is unpacked.
    """
    site = io.BytesIO()
    with zipfile.ZipFile(site, "w") as archive:
        for name, data in sorted(files.items()):
            add_file(archive, name, data)
    with output.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w") as archive:
            add_file(archive, "__main__.py", (HERE / "__main__.py").read_bytes())
            add_file(archive, "digest", hashlib.sha256(site.getvalue()).hexdigest()[:16].encode())
            add_file(archive, "site.zip", site.getvalue(), zipfile.ZIP_STORED)
    output.chmod(0o755)


def add_file(archive: zipfile.ZipFile, name: str, data: bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
    """Add a file without a date (that of a new ZipInfo is the same each time)."""
    archive.writestr(zipfile.ZipInfo(name), data, how)


if __name__ == "__main__":
    sys.exit(main())
