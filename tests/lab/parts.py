"""Which parts of the lab this machine has, and what a missing one means for the run."""

from __future__ import annotations

import functools
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipework_core.testing.announcing import announce_missing

from .busybox import has_udhcpc6
from .host import clean_environment, is_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Programs that each part needs; the first missing one is named.
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "root": (),
    "userns": (),
    "docker": ("dockerd", "containerd", "runc", "docker", "iptables", "busybox"),
    "compose": ("docker-compose",),
    "systemd": ("systemd-analyze",),
    "ovs": ("ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovsdb-tool"),
    "ovn": (
        *("ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovsdb-tool", "ovsdb-client", "ethtool"),
        *("ovn-northd", "ovn-controller", "ovn-nbctl", "ovn-sbctl", "sshd", "ssh", "ssh-keygen", "ss"),
    ),
    "lxc": ("lxc-create", "lxc-start", "lxc-info", "busybox"),
    "podman": ("podman", "runc", "conmon", "busybox"),
    "dhcp": ("dnsmasq", "dhclient", "udhcpc", "dhcpcd", "arping"),
    "udhcpc6": (),
    "habets": ("/usr/local/lib/pipework-lab-arping/arping",),
    "uml": ("linux.uml", "modprobe", "taskset"),
    "shellcheck": ("shellcheck",),
    "ssh": ("sshd", "ssh", "ssh-keygen", "ss"),
    "vxlan": (),
    "deb": ("dpkg-buildpackage", "dh", "dh_python3", "lintian", "py3compile"),
    "browser": ("chromium", "bash"),
    "serve": ("curl", "setpriv"),
    "bash": ("bash",),
    "zsh": ("zsh",),
    "fish": ("fish",),
    "man": ("man", "groff"),
}
#: Programs that every private host needs.
HOST_PROGRAMS = ("unshare", "nsenter", "ip", "bridge", "tc", "sysctl", "busybox")


def absent_program(names: tuple[str, ...]) -> str | None:
    """Say which of these programs is not installed, or None."""
    path = clean_environment()["PATH"]
    for name in names:
        if shutil.which(name, path=path) is None:
            return f"the program {name} is not installed (tools/install-lab.sh installs it)"
    return None


@functools.cache
def refused_unshare(*options: str) -> str | None:
    """Say why the kernel refuses new namespaces with these options of unshare(1), or None."""
    command = ("unshare", *options, "--net", "--mount", "--pid", "--fork", "--mount-proc", "true")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


def no_root() -> str | None:
    """Say why private hosts of root cannot be had, or None."""
    return refused_unshare() if is_root() else "the tests do not run as root"


def no_userns() -> str | None:
    """Say why private hosts without root cannot be had, or None."""
    return refused_unshare("--user", "--map-root-user")


def no_private_host() -> str | None:
    """Say why no private host of any kind can be had, or None."""
    return no_root() if is_root() else no_userns()


def no_tun() -> str | None:
    """Say that Open vSwitch's userspace datapath has no /dev/net/tun, or None."""
    return None if Path("/dev/net/tun").exists() else "there is no /dev/net/tun"


@functools.cache
def no_vxlan() -> str | None:
    """Say that this kernel makes no VXLAN devices, or None; root's modprobe has its chance at the module."""
    make = ("ip", "link", "add", "v", "type", "vxlan", "id", "1", "dstport", "4789")
    command = ("unshare", *(() if is_root() else ("--user", "--map-root-user")), "--net", *make)
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"this kernel makes no VXLAN device: {done.stderr.strip()}"


def no_uml_modules() -> str | None:
    """Say that the kernel that runs as a process has no modules, or None."""
    folders = Path("/usr/lib/uml/modules")
    return None if folders.is_dir() else f"there is no {folders}"


def no_udhcpc6() -> str | None:
    """Say that there is no busybox with a client for DHCPv6, or None."""
    return None if has_udhcpc6() else "no busybox with udhcpc6 is installed (tools/install-lab.sh installs it)"


def no_system_python() -> str | None:
    """Say that the Python of the distribution is too old for pipework or lacks pluggy, or None."""
    code = "import sys, pluggy; sys.exit(sys.version_info < (3, 11))"
    done = subprocess.run(("/usr/bin/python3", "-c", code), capture_output=True, check=False)
    return None if done.returncode == 0 else "/usr/bin/python3 is older than 3.11, or python3-pluggy is not installed"


def no_sh_library() -> str | None:
    """Say that the ssh driver lacks its library, or None."""
    return None if find_spec("sh") else "the Python package sh is not installed (the test group has it)"


#: What must hold for each part besides its programs.
CHECKS: Mapping[str, tuple[Callable[[], str | None], ...]] = {
    "root": (no_root,),
    "userns": (no_userns,),
    "docker": (no_root,),
    "ovs": (no_root, no_tun),
    "ovn": (no_root, no_tun, no_sh_library),
    "lxc": (no_root,),
    "podman": (no_root,),
    "ssh": (no_root, no_sh_library),
    "serve": (no_root,),
    "dhcp": (no_private_host,),
    "udhcpc6": (no_udhcpc6,),
    "uml": (no_uml_modules, no_private_host),
    "vxlan": (no_root, no_vxlan),
    "deb": (no_root, no_system_python),
    "browser": (no_private_host,),
}


def why_missing(part: str) -> str | None:
    """Say why a part of the lab is not there, or None; raise KeyError for an unknown part."""
    absent = absent_program(HOST_PROGRAMS + PROGRAMS[part])
    reasons = (check() for check in CHECKS.get(part, ()))
    return absent or next((reason for reason in reasons if reason), None)


def require(part: str) -> None:
    """Go on if the machine has this part; else skip loudly, or fail with PIPEWORK_LAB=required."""
    reason = why_missing(part)
    if reason is None:
        return
    announce_missing(f"{part}: {reason}")
