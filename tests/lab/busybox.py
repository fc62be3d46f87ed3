"""A container image made of a static busybox of Debian, so that no registry is needed."""

from __future__ import annotations

import functools
import io
import subprocess
import tarfile
from pathlib import Path

#: The name of the image in the engines.
IMAGE = "busybox:latest"
#: What a container does by default: nothing.
SLEEP = ("sleep", "100000")
#: Where tools/install-lab.sh puts a busybox that has `udhcpc6`; that of Debian 12 lacks it.
OWN = Path("/usr/local/lib/pipework-lab")
#: A folder for PATH in which there is `udhcpc6` alone.
UDHCPC6_PATH = str(OWN / "bin")
#: What busybox' udhcpc calls with its lease in variables (udhcpc --help: "Run PROG at DHCP events").
DHCP_SCRIPT = """#!/bin/sh
case "$1" in
bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
        ip route replace default via "$gateway" dev "$interface"
    done
    ;;
deconfig)
    ip address flush dev "$interface"
    ip link set "$interface" up
    ;;
esac
"""


def has_udhcpc6() -> bool:
    """Tell whether the image has a client for DHCPv6."""
    return (OWN / "bin/udhcpc6").exists()


def binary() -> Path:
    """Return the static busybox for the image: the lab's own, else that of busybox-static."""
    # busybox-static installs exactly this file; another busybox on PATH may be dynamic.
    return OWN / "busybox" if has_udhcpc6() else Path("/bin/busybox")


def applets() -> list[str]:
    """Return the names under which the busybox of the image answers, its own left out."""
    listed = subprocess.run((binary(), "--list"), capture_output=True, text=True, check=True)
    return sorted(set(listed.stdout.split()) - {"busybox"})


@functools.cache
def archive() -> bytes:
    """Return a root file system (tar) with busybox, its applets and a script for its DHCP client."""
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w") as tar:
        for folder in ("bin", "etc", "proc", "sys", "dev", "tmp", "run", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        files = {"bin/busybox": binary().read_bytes()}
        files["usr/share/udhcpc/default.script"] = DHCP_SCRIPT.encode()
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
        for applet in applets():
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return image.getvalue()
