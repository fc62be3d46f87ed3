"""`pipework ls` on real hosts: attachments of runs long gone, of the shell version, of Docker containers and ports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .busybox import IMAGE, SLEEP
from .test_demo import NOBODY, packages, python_for_everybody
from .test_gc import shell_veth, until

if TYPE_CHECKING:
    from .docker import DockerEngine
    from .host import PrivateHost
    from .lxc import Lxc
    from .ovs import OpenVSwitch
    from .podman import Podman


def listed(host: PrivateHost, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(host.pipework("ls", "--json", *words).stdout)["attachments"]
    return found


def without_process(entry: dict[str, Any]) -> dict[str, Any]:
    """Leave out the guest's process: an announcement is one for a while, where there is no other."""
    return entry | {"guest": entry["guest"] | {"pid": None, "netns": None}}


def test_attachments_are_read_off_the_kernel_alone(host: PrivateHost) -> None:
    blue, process = host.netns("blue"), host.process_guest()
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.pipework("br1", blue, "10.0.0.1/24,fd00::1/64", "02:00:00:00:00:01", "--mtu", "1400", "-l", "hostapp1")
    host.pipework("eth0", blue, "10.1.0.1/24", "-i", "eth2")
    host.pipework("br2", f"pid:{process}", "0/0")
    host.run("ip", "link", "set", "hostapp1", "down")
    first, second, third = listed(host)
    assert first | {"guest": None} == {
        "machine": None, "guest": None, "interface": "eth1", "host_interface": "hostapp1", "kind": "bridge",
        "on": "br1", "addresses": ["10.0.0.1/24", "fd00::1/64"], "mac": "02:00:00:00:00:01", "vlan": None, "mtu": 1400,
        "state": "down", "adopted": False, "dhcp": None,
    }  # fmt: skip
    assert (first["guest"]["runtime"], first["guest"]["name"]) == ("netns", "blue")
    assert (second["interface"], second["kind"], second["on"], second["state"]) == ("eth2", "macvlan", "eth0", "up")
    assert (third["guest"]["pid"], third["on"]) == (process, "br2")
    assert list(map(without_process, listed(host, "blue"))) == list(map(without_process, [first, second]))
    table = host.pipework("ls", f"pid:{process}").stdout.splitlines()
    assert [line.split()[:5] for line in table] == [
        ["GUEST", "INTERFACE", "STATE", "KIND", "ON"],
        [f"pid:{process}", "eth1", "up", "bridge", "br2"],
    ]


def test_the_host_s_own_parts_are_shown(host: PrivateHost) -> None:
    blue = host.netns("blue")
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    host.run("ip", "address", "add", "10.1.1.123/24", "dev", "eth0")
    host.pipework("host", "eth0", "10.1.1.123/24,fd01::1/64")
    host.pipework("host", "br1", "192.168.1.254/24")
    host.pipework("eth0", blue, "10.1.1.7/24")
    guest, bridge, sibling = listed(host)
    assert (guest["guest"]["name"], guest["kind"], guest["on"]) == ("blue", "macvlan", "eth0")
    assert (bridge["guest"]["runtime"], bridge["interface"], bridge["on"]) == ("host", "br1", "br1")
    assert (bridge["kind"], bridge["addresses"]) == ("bridge", ["192.168.1.254/24"])
    assert (sibling["guest"]["runtime"], sibling["interface"], sibling["on"]) == ("host", "eth0-host", "eth0")
    assert (sibling["kind"], sibling["state"]) == ("macvlan", "up")
    assert sibling["addresses"] == ["10.1.1.123/24", "fd01::1/64"]
    rows = [line.split()[:2] for line in host.pipework("ls").stdout.splitlines()[1:]]
    assert rows == [["netns:blue", "eth1"], ["(host)", "br1"], ["(host)", "eth0-host"]]
    assert [entry["interface"] for entry in listed(host, "blue")] == ["eth1"]
    host.pipework("host", "--remove", "eth0")
    host.pipework("host", "--remove", "br1")
    assert [entry["interface"] for entry in listed(host)] == ["eth1"]


def test_nothing_attached_is_no_failure(host: PrivateHost) -> None:
    done = host.pipework("ls")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing is attached" in done.stderr
    assert listed(host) == []
    host.netns("blue")
    assert host.pipework("ls", "blue").stderr == "pipework: nothing is attached to blue\n"
    unknown = host.pipework("ls", "nobody", check=False)
    assert unknown.returncode == 1
    assert "'nobody'" in unknown.stderr


def test_a_guest_forges_in_vain(host: PrivateHost) -> None:
    for name in ("blue", "red"):
        host.pipework("br1", host.netns(name), "0/0")
    host.run("ip", "-n", "red", "link", "add", "eth9", "type", "veth", "peer", "name", "x")
    alias = "pipework:1/kind:=bridge/on:=br1/vlan:=99"
    host.run("ip", "-n", "red", "link", "set", "eth9", "alias", alias)
    host.run("ip", "-n", "red", "link", "set", "x", "alias", "pipework:1/kind:=veth/netns:=1")
    (forged,) = (entry for entry in listed(host) if entry["interface"] == "eth9")
    assert (forged["on"], forged["vlan"], forged["state"]) == (None, None, "elsewhere")


def test_what_the_shell_version_left_is_adopted(host: PrivateHost) -> None:
    guest = host.process_guest()
    shell_veth(host, guest, "br9")
    (entry,) = listed(host)
    assert (entry["interface"], entry["on"], entry["adopted"]) == ("eth1", "br9", True)
    assert (entry["guest"]["pid"], entry["host_interface"]) == (guest, f"veth1pl{guest}")


def test_who_is_not_root_is_told(host: PrivateHost) -> None:
    if host.user:
        pytest.skip("nobody else is in a user namespace of one user")
    python = (python_for_everybody(packages()), "-P", "-m", "pipework_core")
    done = host.run(*NOBODY, *python, "ls", env={"PYTHONPATH": packages()}, check=False)
    assert done.returncode == 1
    assert "only root" in done.stderr
    assert "Traceback" not in done.stderr


def test_containers_have_their_names(docker: DockerEngine) -> None:
    host = docker.host
    docker.run("web1")
    host.run("docker", "run", "--detach", "--name", "side", "--network", "container:web1", IMAGE, *SLEEP)
    host.pipework("br1", "web1", "10.0.0.1/24")
    (entry,) = listed(host, "web1")
    assert (entry["guest"]["runtime"], entry["guest"]["name"]) == ("docker", "web1")
    assert host.pipework("ls").stdout.splitlines()[1].startswith("docker:web1  eth1 ")


def rows(host: PrivateHost, *words: str) -> list[list[str]]:
    """Return guest and interface of all that the table shows."""
    return [line.split()[:2] for line in host.pipework("ls", *words).stdout.splitlines()[1:]]


def test_containers_of_podman_have_their_names(podman: Podman) -> None:
    """One that has another's network takes nothing from its name, whichever of them is younger; nor do those apart."""
    host = podman.host
    pid = podman.run("web1")
    for name, network in (("aside", "container:web1"), ("zside", "container:web1"), ("onhost", "host")):
        podman.run(name, network=network)
    podman.run("stopped")
    podman.run("paused")
    for name, address in (("web1", 1), ("stopped", 2), ("paused", 3)):
        host.pipework("br1", name, f"10.0.0.{address}/24")
    podman.stop("stopped")
    until(lambda: rows(host) == [["podman:paused", "eth1"], ["podman:web1", "eth1"]])
    (entry,) = listed(host, "podman:web1")
    told = entry["guest"]
    assert (told["runtime"], told["name"], told["pid"], len(told["id"])) == ("podman", "web1", pid, 64)
    # By whichever name it is asked for, it is the same network, and has one owner.
    assert listed(host, "aside") == listed(host, told["id"][:12]) == [entry]
    ended = host.pipework("ls", "stopped", check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "'stopped'" in ended.stderr
    podman.stop("web1")
    (left,) = listed(host, "zside")
    assert left["guest"]["name"] in {"aside", "zside"}


def test_containers_of_lxc_have_their_names(lxc: Lxc) -> None:
    host = lxc.host
    pid = lxc.run("box1")
    lxc.run("stopped")
    lxc.run("onhost", network="none")
    host.run("lxc-create", "--name", "aside", "--template", "busybox")
    config = host.run("cat", "/var/lib/lxc/aside/config").stdout.replace("lxc.net.0.type", "#")
    host.write("/var/lib/lxc/aside/config", f"{config}\nlxc.namespace.share.net = box1\n")
    lxc.start("aside")
    for name, address in (("box1", 1), ("stopped", 2)):
        host.pipework("br1", name, f"10.0.0.{address}/24")
    assert rows(host) == [["lxc:box1", "eth1"], ["lxc:stopped", "eth1"]]
    lxc.stop("stopped")
    until(lambda: rows(host) == [["lxc:box1", "eth1"]])
    (entry,) = listed(host, "lxc:box1")
    assert (entry["guest"]["runtime"], entry["guest"]["name"], entry["guest"]["pid"]) == ("lxc", "box1", pid)
    assert listed(host, "aside") == [entry]
    ended = host.pipework("ls", "stopped", check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "'stopped'" in ended.stderr


def test_ports_of_a_switch(ovs: OpenVSwitch) -> None:
    host = ovs.host
    guest, shell = host.netns("ported"), host.process_guest()
    host.pipework("ovsbr0", guest, "10.0.0.1/24", "@10", "-o", "datapath=netdev")
    shell_veth(host, shell, "", "hostapp1")
    told = ("external-ids:pipework.interface=hostapp1", f"external-ids:pipework.nspid={shell}")
    ovs.vsctl("add-port", "ovsbr0", "hostapp1", "tag=20", "--", "set", "interface", "hostapp1", *told)
    mine, theirs = listed(host)
    assert (mine["kind"], mine["on"], mine["vlan"], mine["adopted"]) == ("ovs", "ovsbr0", "10", False)
    assert (theirs["kind"], theirs["on"], theirs["vlan"], theirs["adopted"]) == ("ovs", "ovsbr0", "20", True)
    assert (mine["state"], theirs["guest"]["pid"]) == ("up", shell)
