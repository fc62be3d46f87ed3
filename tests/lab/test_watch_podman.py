"""`pipework watch` beside Podman's socket."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from .busybox import IMAGE
from .podman import ENGINE
from .test_ssh import eventually
from .watch import BUSY

if TYPE_CHECKING:
    from .podman import Podman

HOOKS = 'hooks_dir = ["/etc/containers/oci/hooks.d"]\n'
LABEL = "pipework.eth1=br1 192.168.1.1/24"


def test_a_container_of_podman_has_what_its_labels_ask_for(podman: Podman) -> None:
    host = podman.host

    def address() -> str:
        shown = host.run(*host.enter(podman.pid("pod1")), "ip", "-json", "-4", "address", "show", check=False).stdout
        links = json.loads(shown or "[]")
        return " ".join(info["local"] for link in links if link["ifname"] == "eth1" for info in link["addr_info"])

    host.run("mkdir", "-p", "/run/podman")
    host.popen("podman", "system", "service", "-t", "0", "unix:///run/podman/podman.sock")
    assert eventually(lambda: host.run("test", "-S", "/run/podman/podman.sock", check=False).returncode == 0)
    watch = host.popen(sys.executable, "-P", "-m", "pipework_core", "watch", "--runtime", "podman")
    podman.run("pod1", "--label", LABEL)
    assert eventually(lambda: address() == "192.168.1.1")
    host.run("podman", "restart", "--time", "0", "pod1")
    assert eventually(lambda: address() == "192.168.1.1")
    watch.terminate()
    assert watch.wait(BUSY) == 0
    podman.remove("pod1")


def test_a_hook_is_there_before_the_first_instruction_and_a_failure_starts_nothing(podman: Podman) -> None:
    host = podman.host
    host.pipework("runtime", "install", "podman", "--write")
    host.write("/etc/containers/containers.conf", ENGINE.replace("[engine]\n", f"[engine]\n{HOOKS}"))
    look = ("podman", "run", "--rm", "--network", "none", "--cgroup-parent", f"/{host.cgroup}")
    seen = host.run(*look, "--annotation", "pipework.eth1=br1 10.8.0.1/24", IMAGE, "ip", "-o", "addr", "show", "eth1")
    assert "10.8.0.1/24" in seen.stdout
    bad = host.run(*look, "--annotation", "pipework.eth1=phys:eth0 10.8.0.1/24", IMAGE, "true", check=False)
    assert bad.returncode != 0
    assert "NIC of the host is not a container's to take" in bad.stderr
    plain = host.run(*look, IMAGE, "ip", "-o", "link")
    assert "eth1" not in plain.stdout
