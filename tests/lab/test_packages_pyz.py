"""The single file on a host whose Python has no packages: attachments, leases, announcements, topologies."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .capture import capture
from .dhcp import DhcpServer
from .host import PrivateHost
from .package_files import ROOT, base_python, empty_python
from .parts import require
from .wheel import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPOLOGY = """\
version: 1
links:
  - {host: br2, guest: web1, interface: eth2, address: 10.2.0.1/24}
  - {host: br2, guest: web2, interface: eth2, address: 10.2.0.2/24}
"""
#: The older Pythons of this machine; that any could read the file is for tests/test_oldest_python.py to say.
OLDER = [
    path
    for minor in range(6, 11)
    for path in (
        *Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3.{minor}"),
        *Path("/usr/bin").glob(f"python3.{minor}"),
    )
]
CACHE = "/var/cache/pipework"


class Bare:
    """A host with the single file, and a Python without packages."""

    def __init__(self, host: PrivateHost, pyz: str) -> None:
        self.host, self.pyz = host, pyz
        self.packages = empty_python(host)
        assert self.packages
        host.run("rm", "-rf", CACHE)  # of whoever tried the file on this machine
        nothing = host.run(base_python(), "-c", "import pluggy", check=False)
        assert "No module named 'pluggy'" in nothing.stderr

    def pipework(
        self, *words: str, check: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.host.run(base_python(), self.pyz, *words, check=check, env=env)

    def addresses(self, guest: str, interface: str = "eth1") -> list[str]:
        shown = self.host.run("ip", "-n", guest, "-oneline", "-4", "address", "show", "dev", interface, check=False)
        return [line.split()[3] for line in shown.stdout.splitlines()]

    def unpacked(self) -> list[str]:
        return self.host.run("ls", "-A", CACHE).stdout.split()


@pytest.fixture
def bare(pyz: str) -> Iterator[Bare]:
    """Provide such a host, of root."""
    require("root")
    with PrivateHost() as host:
        yield Bare(host, pyz)


def test_a_guest_is_attached_announced_listed_and_detached(bare: Bare) -> None:
    host = bare.host
    for name in ("web1", "web2"):
        host.netns(name)
    before = host.state(["web1", "web2"])
    bare.pipework("br1", "web2", "192.168.1.2/24")
    with capture(host, "br1") as frames:
        bare.pipework("br1", "web1", "192.168.1.1/24@192.168.1.254")
        frames.wait(lambda frame: frame.gratuitous and frame.sender == "192.168.1.1")
    assert bare.addresses("web1") == ["192.168.1.1/24"]
    again = json.loads(bare.pipework("--json", "br1", "web1", "192.168.1.1/24@192.168.1.254").stdout)
    assert not again["changed"]
    assert {row.split()[0] for row in bare.pipework("ls").stdout.splitlines()} >= {"netns:web1", "netns:web2"}
    for name in ("web1", "web2"):
        bare.pipework("detach", name, "--all")
    assert host.state(["web1", "web2"]) == before
    assert len(bare.unpacked()) == 1


def test_a_lease_is_had_kept_and_given_back(bare: Bare) -> None:
    require("dhcp")
    host = bare.host
    with DhcpServer(host) as server:
        for name in ("web1", "web2"):
            host.netns(name)
        bare.pipework("lan0", "web1", "udhcpc")
        assert bare.addresses("web1") == [f"{server.lease('web1').ip}/24"]
        bare.pipework("lan0", "web2", "udhcpc-f")
        assert bare.addresses("web2") == [f"{server.lease('web2').ip}/24"]
        # Whoever removes the file takes no address from guests.
        host.run("rm", "-r", CACHE)
        bare.pipework("detach", "web2", "-i", "eth1")
        assert [lease.hostname for lease in server.leases(4)] == ["web1"]


def test_a_topology_goes_up_and_down(bare: Bare) -> None:
    host = bare.host
    for name in ("web1", "web2"):
        host.netns(name)
    before = host.state(["web1", "web2"])
    host.write("/run/lab.yaml", TOPOLOGY)
    bare.pipework("up", "-f", "/run/lab.yaml")
    assert (bare.addresses("web1", "eth2"), bare.addresses("web2", "eth2")) == (["10.2.0.1/24"], ["10.2.0.2/24"])
    bare.pipework("status", "-f", "/run/lab.yaml")
    bare.pipework("down", "-f", "/run/lab.yaml")
    assert host.state(["web1", "web2"]) == before


def test_the_watcher_and_the_unit_name_the_file(bare: Bare) -> None:
    unit = bare.pipework("watch", "--unit").stdout
    assert f"ExecStart={base_python()} {bare.pyz} watch" in unit.splitlines()
    hook = json.loads(bare.pipework("runtime", "install", "podman").stdout)["hook"]
    assert (hook["path"], hook["args"][1:]) == (base_python(), [bare.pyz, "hook", "oci"])
    # Docker's library is there; its engine is not.
    watched = bare.pipework("watch", "--once", check=False)
    assert "Traceback" not in watched.stderr
    assert "pip install" not in watched.stdout + watched.stderr


def test_plugins_of_others_are_found_where_they_are_installed(bare: Bare, tmp_path: Path) -> None:
    target = installed("pipework-audit", tmp_path)
    shutil.copytree(target, f"/proc/{bare.host.pid}/root{bare.packages[0]}", dirs_exist_ok=True)
    found = {one["name"]: one for one in json.loads(bare.pipework("plugins", "--json").stdout)["plugins"]}
    assert found["pipework-audit"]["problems"] == []
    assert list(found["pipework-audit"]["provides"]) == ["observers"]


def test_nothing_is_compiled_twice(bare: Bare) -> None:
    bare.pipework("--version", env={"PYTHONDONTWRITEBYTECODE": "1"})
    (folder,) = bare.unpacked()
    compiled = bare.host.run("find", f"{CACHE}/{folder}", "-path", "*_core/engine/__pycache__/engine.*.pyc").stdout
    assert len(compiled.splitlines()) == 1


@pytest.mark.parametrize("python", OLDER, ids=lambda path: path.name)
def test_an_older_python_is_told_which_one_is_needed(pyz: str, python: Path) -> None:
    for program in ((pyz,), ("-m", "pipework_core")):
        done = subprocess.run((python, *program, "br1"), cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)
        assert done.stderr.startswith("pipework: error: pipework needs Python 3.11 or newer; this is 3.")


def test_many_first_runs_at_once_unpack_it_once(bare: Bare) -> None:
    with ThreadPoolExecutor(6) as hands:
        done = list(hands.map(lambda _: bare.pipework("--version", check=False), range(6)))
    assert {(one.returncode, one.stderr) for one in done} == {(0, "")}
    assert len(bare.unpacked()) == 1


def test_what_a_killed_run_left_is_unpacked_anew(bare: Bare) -> None:
    bare.pipework("--version")
    (folder,) = bare.unpacked()
    host = bare.host
    host.run("mv", f"{CACHE}/{folder}", f"{CACHE}/{folder}.new")
    host.run("rm", "-r", f"{CACHE}/{folder}.new/pipework_core")
    assert bare.pipework("--version").stdout.startswith("pipework ")
    assert bare.unpacked() == [folder]


def test_a_folder_of_others_is_refused(bare: Bare) -> None:
    host = bare.host
    for number, prepare in enumerate((("chown", "nobody"), ("chmod", "777"))):
        place = f"/run/place{number}"
        host.run("mkdir", place)
        host.run(*prepare, place)
        done = bare.pipework("--version", check=False, env={"PIPEWORK_CACHE": place})
        assert done.returncode == 1
        first, second = done.stderr.splitlines()
        assert first == (f"pipework: error: pipework.pyz cannot be unpacked into {place}: others may write to {place}.")
        assert second.startswith("hint: PIPEWORK_CACHE=")
        assert host.run("ls", "-A", place).stdout == ""


def test_a_folder_that_others_could_put_another_in_the_place_of_is_refused(bare: Bare) -> None:
    host = bare.host
    for number, prepare in enumerate((("chown", "nobody"), ("chmod", "777"))):
        above = f"/run/above{number}"
        host.run("mkdir", above)
        host.run(*prepare, above)
        done = bare.pipework("--version", check=False, env={"PIPEWORK_CACHE": f"{above}/new/cache"})
        assert (done.returncode, f"others may write to {above}.\n" in done.stderr) == (1, True)
        assert host.run("ls", "-A", above).stdout == ""
    # As in /tmp: there, what is root's stays where it is.
    host.run("chmod", "1777", above)
    for _ in range(2):
        assert bare.pipework("--version", env={"PIPEWORK_CACHE": f"{above}/new/cache"}).stderr == ""


def test_a_link_is_followed_once(bare: Bare) -> None:
    """Whoever owns it may let it lead elsewhere between the look at the folder and its use."""
    bare.host.run("mkdir", "-m", "777", "/run/real")
    bare.host.run("ln", "-s", "/run/real", "/run/link")
    done = bare.pipework("--version", check=False, env={"PIPEWORK_CACHE": "/run/link"})
    assert "cannot be unpacked into /run/real: others may write to /run/real.\n" in done.stderr


def test_nobody_else_can_lock_the_folder(bare: Bare) -> None:
    bare.pipework("--version")
    assert bare.host.run("stat", "-c", "%a", CACHE).stdout == "700\n"


@pytest.mark.parametrize("size", ["4k", "1m"])
def test_a_full_disk_is_a_sentence_and_the_next_run_works(bare: Bare, size: str) -> None:
    host = bare.host
    host.run("mkdir", "/run/small")
    host.run("mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "small", "/run/small")
    place = {"PIPEWORK_CACHE": "/run/small/cache"}
    done = bare.pipework("--version", check=False, env=place)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)
    assert "No space left on device" in done.stderr
    host.run("mount", "-o", "remount,size=50m", "/run/small")
    assert bare.pipework("--version", env=place).stderr == ""


def test_a_read_only_host_is_told_what_to_do(bare: Bare) -> None:
    bare.host.run("mount", "-o", "remount,bind,ro", "/var/cache")
    done = bare.pipework("--version", check=False)
    assert (done.returncode, "Read-only file system" in done.stderr) == (1, True)
    assert bare.pipework("--version", env={"PIPEWORK_CACHE": "/run/elsewhere"}).stderr == ""


def test_an_ordinary_user_keeps_it_below_home(bare: Bare) -> None:
    host = bare.host
    host.run("install", "-d", "-o", "nobody", "/run/home")
    host.run("install", "-m", "755", bare.pyz, "/run/pipework.pyz")
    # The capability reaches the Python of whoever runs the tests, wherever that is.
    caps = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    user = ("setpriv", "--reuid=nobody", "--clear-groups", *caps, "env", "HOME=/run/home")
    assert host.run(*user, base_python(), "/run/pipework.pyz", "--version").stdout.startswith("pipework ")
    assert host.run("ls", "/run/home/.cache/pipework").stdout
