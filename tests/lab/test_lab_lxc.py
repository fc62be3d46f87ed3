from __future__ import annotations

from typing import TYPE_CHECKING

from .test_lab_host import make_bridge, wire

if TYPE_CHECKING:
    from .lxc import Lxc


def test_containers_on_a_bridge_made_by_hand_ping_each_other(lxc: Lxc) -> None:
    host = lxc.host
    guests = (lxc.run("ping1"), lxc.run("ping2"))
    make_bridge(host, "br1")
    for number, guest in enumerate(guests, start=1):
        wire(host, "br1", guest, number)
    assert host.ping(guests[0], "10.9.0.2")
    assert "1 packets received" in lxc.exec("ping2", "ping", "-c", "1", "10.9.0.1")


def test_plain_lxc_info_finds_the_container_and_that_it_stopped(lxc: Lxc) -> None:
    pid = lxc.run("plain")
    assert str(pid) in lxc.host.run("lxc-info", "-n", "plain", "-p").stdout
    lxc.stop("plain")
    assert "STOPPED" in lxc.host.run("lxc-info", "-n", "plain", "-s").stdout
    assert lxc.start("plain") != pid
    lxc.remove("plain")
    assert lxc.host.run("lxc-info", "-n", "plain", check=False).returncode != 0


def test_container_has_its_own_network_or_that_of_the_host(lxc: Lxc) -> None:
    own, shared = lxc.run("own"), lxc.run("shared", network="none")
    names = [lxc.host.run("readlink", f"/proc/{pid}/ns/net").stdout for pid in (1, own, shared)]
    assert names[0] == names[2] != names[1]
