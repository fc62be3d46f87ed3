"""What the unit of `pipework watch` leaves to the service is enough for everything that containers ask for."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from pipework_core.watch.unit import make_unit

from .dhcp import DhcpServer
from .docker import DockerEngine
from .host import PrivateHost
from .ovs import OpenVSwitch
from .parts import require
from .waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Makes what `ProtectSystem=strict` with `ReadWritePaths=/run` makes (systemd.exec(5)): all is read-only but these.
READ_ONLY = """
mount --make-rslave /
mount --bind / /mnt
for path in /run /proc /sys /dev; do mount --rbind $path /mnt$path; done
mount -o remount,ro,bind /mnt
cd /mnt && exec chroot . "$@"
"""
REQUESTS = {
    "eth1": "br1 192.168.1.1/24",
    "eth2": "lan0 udhcpc-f",
    "eth3": "ovs:sw0 10.7.0.1/24",
    "eth4": "macvlan:nic9 10.8.0.1/24",
    "eth5": "lan0 dhclient",
    "eth6": "lan0 dhcpcd",
    "eth7": "lan0 dhcp",
}


@pytest.fixture
def engine() -> Iterator[DockerEngine]:
    for part in ("docker", "dhcp", "ovs"):
        require(part)
    with PrivateHost() as host, DockerEngine(host) as docker, DhcpServer(host), OpenVSwitch(host) as switch:
        switch.add_bridge("sw0")
        host.run("ip", "link", "add", "nic9", "type", "veth", "peer", "name", "other9")
        host.run("ip", "link", "set", "nic9", "up")
        yield docker


def test_it_may_do_what_it_has_to(engine: DockerEngine) -> None:
    host = engine.host
    words = re.findall(r"CapabilityBoundingSet=(.*)", make_unit(("python",)))[0].split()
    allowed = ",".join(f"+{word.removeprefix('CAP_').lower()}" for word in words)
    limits = ("setpriv", f"--bounding-set=-all,{allowed}", "--no-new-privs")
    watch = (sys.executable, "-P", "-m", "pipework_core", "watch")
    confined = ("unshare", "--mount", "sh", "-c", READ_ONLY, "sh", *limits, *watch)
    process = host.popen("sh", "-c", 'exec "$@" >/run/watch.log 2>&1', "sh", *confined)
    labels = [word for name, value in REQUESTS.items() for word in ("--label", f"pipework.{name}={value}")]
    pid = engine.run("web1", *labels)

    def missing() -> list[str]:
        shown = host.run(*host.enter(pid), "ip", "-4", "-brief", "address", check=False).stdout
        return [name for name in REQUESTS if not re.search(rf"^{name}\b.* \d", shown, re.MULTILINE)]

    try:
        assert eventually(lambda: not missing(), 60), (missing(), host.run("cat", "/run/watch.log").stdout)
        assert "failed" not in host.run("cat", "/run/watch.log").stdout
    finally:
        process.terminate()
        process.wait(20)
        engine.remove("web1")
