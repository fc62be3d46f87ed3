"""`pipework watch` beside Podman's socket, and what Podman itself calls when it starts a container."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from .busybox import IMAGE, SLEEP
from .dhcp import wait_until
from .podman import ENGINE
from .watch import BUSY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .podman import Podman

HOOKS = 'hooks_dir = ["/etc/containers/oci/hooks.d"]\n'
LABEL = "pipework.eth1=br1 192.168.1.1/24"
SOCKET = "/run/podman/podman.sock"


def addresses(podman: Podman, name: str) -> dict[str, list[str]]:
    """Return the IPv4 addresses of a container's interfaces, `lo` left out."""
    host = podman.host
    shown = host.run(*host.enter(podman.pid(name)), "ip", "-json", "-4", "address", "show", check=False).stdout
    links = [link for link in json.loads(shown or "[]") if link.get("ifname", "lo") != "lo"]
    return {link["ifname"]: [info["local"] for info in link["addr_info"]] for link in links}


def count_ends(podman: Podman) -> int:
    """Return how many ends of pairs the host has."""
    return len(podman.host.run("ip", "-oneline", "link", "show", "type", "veth").stdout.splitlines())


def wait_to_hold(podman: Podman, name: str, address: str, what: str) -> None:
    """Wait until a container has one interface with one address, and the host one end."""
    wanted = {"eth1": [address]}
    wait_until(lambda: addresses(podman, name) == wanted and count_ends(podman) == 1, what, within=BUSY)


@pytest.fixture
def service(podman: Podman) -> Iterator[None]:
    """Let Podman answer at its socket."""
    host = podman.host
    host.run("mkdir", "-p", "/run/podman")
    served = host.popen("podman", "system", "service", "-t", "0", f"unix://{SOCKET}")
    wait_until(lambda: host.run("test", "-S", SOCKET, check=False).returncode == 0, "Podman answers", within=BUSY)
    yield
    served.terminate()
    served.wait(BUSY)


@pytest.mark.usefixtures("service")
def test_a_container_of_podman_has_what_its_labels_ask_for(podman: Podman) -> None:
    host = podman.host
    watch = host.popen(sys.executable, "-P", "-m", "pipework_core", "watch", "--runtime", "podman")
    podman.run("pod1", "--label", LABEL, "--restart", "always")
    wait_to_hold(podman, "pod1", "192.168.1.1", "a container of Podman has it")
    before = podman.pid("pod1")
    host.run("podman", "restart", "--time", "0", "pod1")
    wait_to_hold(podman, "pod1", "192.168.1.1", "one that Podman restarted has it again")
    host.run("podman", "--remote", "--url", f"unix://{SOCKET}", "restart", "--time", "0", "pod1")
    wait_to_hold(podman, "pod1", "192.168.1.1", "one that was restarted by the socket has it again")
    host.run("kill", "-KILL", str(podman.pid("pod1")))
    wait_until(lambda: podman.pid("pod1") not in {0, before}, "its policy restarts it", within=BUSY)
    wait_to_hold(podman, "pod1", "192.168.1.1", "one that was killed has it again")
    podman.remove("pod1")
    wait_until(lambda: count_ends(podman) == 0, "nothing is left", within=BUSY)
    watch.terminate()
    assert watch.wait(BUSY) == 0


@pytest.fixture
def hooks(podman: Podman) -> Iterator[None]:
    """Let Podman call pipework."""
    podman.host.pipework("runtime", "install", "podman", "--write")
    podman.host.write("/etc/containers/containers.conf", ENGINE.replace("[engine]\n", f"[engine]\n{HOOKS}"))
    yield
    podman.host.write("/etc/containers/containers.conf", ENGINE)


@pytest.mark.usefixtures("hooks")
def test_a_hook_is_there_before_the_first_instruction_and_a_failure_starts_nothing(podman: Podman) -> None:
    host = podman.host
    look = ("podman", "run", "--rm", "--network", "none", "--cgroup-parent", f"/{host.cgroup}")
    seen = host.run(*look, "--annotation", "pipework.eth1=br1 10.8.0.1/24", IMAGE, "ip", "-o", "addr", "show", "eth1")
    assert "10.8.0.1/24" in seen.stdout
    bad = host.run(*look, "--annotation", "pipework.eth1=phys:eth0 10.8.0.1/24", IMAGE, "true", check=False)
    assert bad.returncode != 0
    assert "NIC of the host is not a container's to take" in bad.stderr
    plain = host.run(*look, IMAGE, "ip", "-o", "link")
    assert "eth1" not in plain.stdout


@pytest.mark.usefixtures("hooks", "service")
def test_a_hook_is_called_for_each_start(podman: Podman) -> None:
    """Nobody watches: what a container has comes from the hook alone, and is there for its first instruction."""
    host = podman.host
    first = ("sh", "-c", f"ip -o addr show eth1 >>/seen; exec {' '.join(SLEEP)}")
    podman.run("pod2", "--annotation", "pipework.eth1=br1 10.8.0.2/24", "--restart", "always", command=first)
    wait_to_hold(podman, "pod2", "10.8.0.2", "a container has it")
    host.run("podman", "restart", "--time", "0", "pod2")
    wait_to_hold(podman, "pod2", "10.8.0.2", "one that Podman restarted has it")
    host.run("podman", "--remote", "--url", f"unix://{SOCKET}", "restart", "--time", "0", "pod2")
    wait_to_hold(podman, "pod2", "10.8.0.2", "one that was restarted by the socket has it")
    before = podman.pid("pod2")
    host.run("kill", "-KILL", str(before))
    wait_until(lambda: podman.pid("pod2") not in {0, before}, "its policy restarts it", within=BUSY)
    wait_to_hold(podman, "pod2", "10.8.0.2", "one that was killed has it")
    podman.stop("pod2")
    host.run("podman", "start", "pod2")
    wait_to_hold(podman, "pod2", "10.8.0.2", "one that was stopped and started has it")
    assert podman.exec("pod2", "cat", "/seen").count("10.8.0.2/24") == 5
    podman.remove("pod2")
    wait_until(lambda: count_ends(podman) == 0, "nothing is left", within=BUSY)
