"""Podman, LXC, processes and named namespaces as guests, and the namespaces that must never be entered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .host import PrivateHost
    from .lxc import Lxc
    from .podman import Podman

ACT_ELSEWHERE = Path(__file__).with_name("swapped.py")


@pytest.mark.parametrize("prefix", ["", "podman:"])
def test_podman(podman: Podman, prefix: str) -> None:
    first, second = f"pod1{len(prefix)}", f"pod2{len(prefix)}"
    pid = podman.run(first)
    podman.run(second)
    podman.host.pipework("br1", f"{prefix}{first}", "10.1.0.1/24")
    podman.host.pipework("br1", f"{prefix}{second}", "10.1.0.2/24")
    assert podman.host.ping(pid, "10.1.0.2")
    podman.remove(first)
    podman.remove(second)


def test_podman_states(podman: Podman) -> None:
    podman.run("gone")
    podman.stop("gone")
    stopped = podman.host.pipework("br1", "podman:gone", "10.1.0.1/24", check=False)
    assert (stopped.returncode, "not running" in stopped.stderr) == (1, True)
    unknown = podman.host.pipework("br1", "podman:nobody", "10.1.0.1/24", check=False)
    assert (unknown.returncode, "podman knows no guest 'nobody'" in unknown.stderr) == (1, True)


@pytest.mark.parametrize("prefix", ["", "lxc:"])
def test_lxc(lxc: Lxc, prefix: str) -> None:
    first, second = f"box1{len(prefix)}", f"box2{len(prefix)}"
    pid = lxc.run(first)
    lxc.run(second)
    lxc.host.pipework("br1", f"{prefix}{first}", "10.1.0.1/24")
    lxc.host.pipework("br1", f"{prefix}{second}", "10.1.0.2/24")
    assert lxc.host.ping(pid, "10.1.0.2")
    lxc.remove(first)
    lxc.remove(second)


def test_lxc_states(lxc: Lxc) -> None:
    lxc.run("gone")
    lxc.stop("gone")
    stopped = lxc.host.pipework("br1", "lxc:gone", "10.1.0.1/24", check=False)
    assert (stopped.returncode, "not running (stopped)" in stopped.stderr) == (1, True)
    unknown = lxc.host.pipework("br1", "lxc:nobody", "10.1.0.1/24", check=False)
    assert (unknown.returncode, "lxc knows no guest 'nobody'" in unknown.stderr) == (1, True)


def test_a_process_and_a_named_namespace(host: PrivateHost) -> None:
    pid = host.process_guest()
    host.netns("blue")
    host.pipework("br1", f"pid:{pid}", "10.1.0.1/24")
    host.pipework("br1", "netns:blue", "10.1.0.2/24")
    assert host.ping(pid, "10.1.0.2")


def test_the_hosts_own_namespace_is_refused(host: PrivateHost) -> None:
    host.run("ip", "netns", "attach", "mine", "1")
    before = host.state()
    for guest in ("pid:1", "netns:mine", "mine"):
        refused = host.pipework("br1", guest, "10.1.0.1/24", check=False)
        assert refused.returncode == 1
        assert "shares the host's own network" in refused.stderr
    assert host.state() == before


def test_what_is_no_network_namespace_is_refused(host: PrivateHost) -> None:
    host.run("touch", "/run/netns/file")
    host.run("sh", "-c", "touch /run/netns/mnt && mount --bind /proc/1/ns/uts /run/netns/mnt")
    before = host.state()
    for guest in ("netns:file", "netns:mnt"):
        refused = host.pipework("br1", guest, "10.1.0.1/24", check=False)
        assert refused.returncode == 1
        assert "is no network namespace" in refused.stderr
    assert host.state() == before


def test_a_name_that_leads_elsewhere_by_now_changes_nothing_elsewhere(host: PrivateHost) -> None:
    """Between finding and plumbing, the guest's path is made to lead to another namespace."""
    host.netns("blue")
    host.netns("red")
    host.run("ip", "netns", "exec", "blue", "true")
    before = host.state(["red"])["red"]
    pid = host.popen("nsenter", "--net=/run/netns/blue", "sleep", "infinity").inside()
    host.run(sys.executable, str(ACT_ELSEWHERE), "br1", "blue", "10.1.0.1/24")
    assert host.state(["red"])["red"] == before
    links = host.state([pid])[str(pid)]["links"]
    assert "eth1" in [link["name"] for link in links], "the namespace that was found is the one that is plumbed"
