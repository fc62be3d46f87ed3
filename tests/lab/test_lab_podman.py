from __future__ import annotations

from typing import TYPE_CHECKING

from .test_lab_host import make_bridge, wire

if TYPE_CHECKING:
    from .podman import Podman

PID = ("podman", "inspect", "--format", "{{.State.Pid}}")


def test_containers_on_a_bridge_made_by_hand_ping_each_other(podman: Podman) -> None:
    host = podman.host
    guests = (podman.run("ping1"), podman.run("ping2"))
    make_bridge(host, "br1")
    for number, guest in enumerate(guests, start=1):
        wire(host, "br1", guest, number)
    assert host.ping(guests[0], "10.9.0.2")
    # Podman's containers may not send pings themselves; what they see is enough.
    assert "10.9.0.2/24" in podman.exec("ping2", "ip", "address", "show", "dev", "eth1")


def test_plain_podman_finds_the_container_and_that_it_stopped(podman: Podman) -> None:
    pid = podman.run("plain")
    assert podman.host.run(*PID, "plain").stdout == f"{pid}\n"
    podman.stop("plain")
    assert podman.host.run(*PID, "plain").stdout == "0\n"
    podman.remove("plain")
    assert podman.host.run(*PID, "plain", check=False).returncode != 0


def test_container_has_its_own_network_or_that_of_the_host(podman: Podman) -> None:
    own, shared = podman.run("own"), podman.run("shared", network="host")
    names = [podman.host.run("readlink", f"/proc/{pid}/ns/net").stdout for pid in (1, own, shared)]
    assert names[0] == names[2] != names[1]
