"""A container image with this machine's Python and network tools, for want of a registry."""

from __future__ import annotations

import functools
import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from .busybox import binary

#: What an image of Debian with these packages would have; the rest are applets of busybox.
PROGRAMS = ("ip", "bridge", "tc", "nsenter", "unshare", "flock", "lsns", "setpriv", "ethtool", "iptables", "docker")
APPLETS = (
    "sh",
    "cat",
    "sleep",
    "grep",
    "sed",
    "tr",
    "env",
    "mkdir",
    "rm",
    "ls",
    "stat",
    "readlink",
    "arping",
    "udhcpc",
)
APPLETS += ("setsid", "timeout", "mount", "umount", "kill", "id", "cp", "mv", "cut", "cksum", "head", "tail", "mkfifo")
PYTHON = "/usr/bin/python3"
_FOLDERS = ("bin", "etc", "proc", "sys", "dev", "tmp", "run", "root", "var", "var/cache", "usr", "usr/bin", "usr/local")
_LIBRARY = re.compile(r"(/\S+) \(0x")


@functools.cache
def archive() -> bytes:
    """Return a root file system (tar)."""
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w", dereference=True) as tar:
        for folder in (*_FOLDERS, "usr/local/bin"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _add_link(tar, "var/run", "/run")
        programs = [path for name in PROGRAMS if (path := shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin"))]
        library, modules = _find_python()
        for path in sorted({PYTHON, *programs, *_list_libraries([PYTHON, *programs, *modules])}):
            tar.add(path, f"usr/bin/{Path(path).name}" if path in {PYTHON, *programs} else path.lstrip("/"))
        tar.add(library, library.lstrip("/"), filter=_leave_out)
        tar.add(binary(), "bin/busybox")
        _add_link(tar, "usr/bin/env", "/bin/busybox")
        for applet in APPLETS:
            _add_link(tar, f"bin/{applet}", "busybox")
    return image.getvalue()


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def _find_python() -> tuple[str, list[str]]:
    """Return the folder with the modules of Python, and those of them that are libraries in C."""
    code = "import sysconfig, os; print(os.path.realpath(sysconfig.get_path('stdlib')))"
    library = subprocess.run((PYTHON, "-IS", "-c", code), capture_output=True, text=True, check=True).stdout.strip()
    return library, [str(path) for path in Path(library, "lib-dynload").glob("*.so")]


def _list_libraries(paths: list[str]) -> set[str]:
    """Return the libraries that programs need, the loader among them."""
    said = subprocess.run(("ldd", *paths), capture_output=True, text=True, check=False).stdout
    return set(_LIBRARY.findall(said))


def _leave_out(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what compiled modules and the tests of Python would cost."""
    parts = Path(entry.name).parts
    return None if {"__pycache__", "test", "ensurepip", "idlelib"} & set(parts) else entry
