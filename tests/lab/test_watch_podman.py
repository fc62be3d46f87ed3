"""`pipework watch` beside Podman's socket."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from .test_watch import BUSY, eventually

if TYPE_CHECKING:
    from .podman import Podman

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
