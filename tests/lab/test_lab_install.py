"""The installer of the lab, in a private host whose /usr can be changed, with an apt-get that only takes notes."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .parts import require

if TYPE_CHECKING:
    from .host import PrivateHost

TOOLS = Path(__file__).parents[2] / "tools"
INSTALLER = str(TOOLS / "install-lab.sh")
NOTES = "/run/lab/apt.txt"
POLICY = "/usr/sbin/policy-rc.d"
APT_GET = f"""#!/bin/sh
echo "$@" >>{NOTES}
{POLICY} >/dev/null 2>&1
echo "service $?" >>{NOTES}
[ ! -e /run/lab/apt-fails ]
"""
#: An apt-get that knows a mirror and has the package in /run/lab; it notes which sources it was given.
MIRROR = f"""#!/bin/sh
case "$*" in
indextargets*) echo http://mirror.example/debian/ ;;
*update) echo "$@" >>{NOTES}; cat $TMPDIR/*/sources.list >>{NOTES} ;;
*download*) echo "$@" >>{NOTES}; cp /run/lab/busybox-static_2_all.deb . ;;
esac
"""
CONTROL = """Package: busybox-static
Version: 2
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: for a test
"""


@pytest.fixture
def machine(host: PrivateHost) -> PrivateHost:
    """Provide a host that lacks the kernel lab and lets its tests change /usr."""
    require("root")
    require("uml")
    require("udhcpc6")
    require("habets")
    host.run("mkdir", "-p", "/run/lab/usr", "/run/lab/usr-work")
    layers = "lowerdir=/usr,upperdir=/run/lab/usr,workdir=/run/lab/usr-work"
    host.run("mount", "-t", "overlay", "-o", layers, "overlay", "/usr")
    host.run("rm", "-f", "/usr/bin/linux.uml", POLICY)
    for name, script in (("apt-get", APT_GET), ("apt-cache", "#!/bin/sh\n")):
        host.write(f"/usr/local/sbin/{name}", script)
        host.run("chmod", "755", f"/usr/local/sbin/{name}")
    host.env["PATH"] = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    return host


def exists(host: PrivateHost, path: str) -> bool:
    return host.run("test", "-e", path, check=False).returncode == 0


def test_only_what_is_missing_is_installed_and_no_service_starts(machine: PrivateHost) -> None:
    machine.run(INSTALLER)
    notes = machine.run("cat", NOTES).stdout.splitlines()
    packages = [line for line in notes if " install " in line]
    assert [line.partition(" --no-install-recommends install ")[2] for line in packages] == ["user-mode-linux"]
    assert notes[-1] == "service 101"
    assert not exists(machine, POLICY)


def test_nothing_missing_means_no_apt_get(machine: PrivateHost) -> None:
    machine.run("ln", "-s", "/usr/bin/true", "/usr/bin/linux.uml")
    machine.run(INSTALLER)
    assert not exists(machine, NOTES)


def test_policy_of_the_machine_is_kept(machine: PrivateHost) -> None:
    machine.write(POLICY, "#!/bin/sh\nexit 102\n")
    machine.run("chmod", "755", POLICY)
    machine.run(INSTALLER)
    assert machine.run("cat", NOTES).stdout.splitlines()[-1] == "service 102"
    assert machine.run("cat", POLICY).stdout == "#!/bin/sh\nexit 102\n"


def test_failed_installation_fails_and_cleans_up(machine: PrivateHost) -> None:
    machine.write("/run/lab/apt-fails", "")
    assert machine.run(INSTALLER, check=False).returncode != 0
    assert not exists(machine, POLICY)


def test_without_root_it_says_what_is_missing_and_goes_on(machine: PrivateHost) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
    done = machine.run(*nobody, INSTALLER)
    assert "only root can install" in done.stderr
    assert "user-mode-linux" in done.stderr
    assert "udhcpc6" not in done.stderr
    assert not exists(machine, NOTES)


def test_udhcpc6_comes_from_a_newer_debian_and_leaves_no_trace(machine: PrivateHost) -> None:
    machine.run("ln", "-s", "/usr/bin/true", "/usr/bin/linux.uml")
    own = "/usr/local/lib/pipework-lab"
    # What apt-get downloads is a package made of the busybox that is there.
    machine.run("mkdir", "-p", "/run/lab/deb/DEBIAN", "/run/lab/deb/usr/bin")
    machine.write("/run/lab/deb/DEBIAN/control", CONTROL)
    machine.run("mv", f"{own}/busybox", "/run/lab/deb/usr/bin")
    machine.run("dpkg-deb", "--build", "/run/lab/deb", "/run/lab/busybox-static_2_all.deb")
    machine.run("rm", "-r", own)
    machine.write("/usr/local/sbin/apt-get", MIRROR)
    machine.run("mkdir", "/run/lab/tmp")
    machine.run(INSTALLER, env={"TMPDIR": "/run/lab/tmp"})
    assert "udhcpc6" in machine.run(f"{own}/busybox", "--list").stdout.split()
    assert "Usage: udhcpc6" in machine.run(f"{own}/bin/udhcpc6", "--help").stderr
    assert machine.run("ls", "/run/lab/tmp").stdout == ""
    update, source, download = machine.run("cat", NOTES).stdout.splitlines()
    assert source.endswith(".gpg] http://mirror.example/debian/ trixie main")
    for line in (update, download):
        assert "Dir::Etc::SourceParts=/run/lab/tmp/" in line


def test_udhcpc6_that_cannot_be_had_is_said_and_the_rest_goes_on(machine: PrivateHost) -> None:
    machine.run("ln", "-s", "/usr/bin/true", "/usr/bin/linux.uml")
    machine.run("rm", "-r", "/usr/local/lib/pipework-lab")
    machine.write("/run/lab/apt-fails", "")
    assert "no busybox with udhcpc6 could be had" in machine.run(INSTALLER).stderr
    assert not exists(machine, "/usr/local/lib/pipework-lab")


def test_the_other_arping_lies_apart_and_runs(machine: PrivateHost) -> None:
    machine.run("ln", "-s", "/usr/bin/true", "/usr/bin/linux.uml")
    own = "/usr/local/lib/pipework-lab-arping"
    # What apt-get downloads is a package made of the program that is there.
    machine.run("mkdir", "-p", "/run/lab/deb/DEBIAN")
    machine.write("/run/lab/deb/DEBIAN/control", CONTROL.replace("busybox-static", "arping"))
    machine.run("sh", "-c", f"mv {own}/root/* /run/lab/deb/")
    machine.run("dpkg-deb", "--build", "/run/lab/deb", "/run/lab/busybox-static_2_all.deb")
    machine.run("rm", "-r", own)
    machine.write("/usr/local/sbin/apt-get", MIRROR)
    machine.run("mkdir", "/run/lab/tmp")
    before = machine.run("arping", "-V").stdout
    machine.run(INSTALLER, env={"TMPDIR": "/run/lab/tmp"})
    assert "ARPing 2" in machine.run(f"{own}/arping", "--help", check=False).stdout
    assert machine.run("arping", "-V").stdout == before
    assert machine.run("ls", "/run/lab/tmp").stdout == ""


def test_scripts_are_clean() -> None:
    require("shellcheck")
    scripts = sorted(str(path) for path in TOOLS.glob("*.sh"))
    done = subprocess.run(("shellcheck", *scripts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
