"""`pipework hook lxc`: an LXC container has its interface before its init runs, whenever it starts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lxc import Lxc

HOOK = f"lxc.hook.version = 1\nlxc.hook.start-host = {sys.executable} -P -m pipework_core hook lxc "


def test_a_container_has_its_interface_whenever_it_starts(lxc: Lxc) -> None:
    lxc.run("hook1")
    lxc.stop("hook1")
    path = "/var/lib/lxc/hook1/config"
    before = lxc.host.run("cat", path).stdout
    try:
        lxc.host.write(path, before + HOOK + "-i eth1 br1 10.8.0.2/24\n")
        for _ in range(2):
            lxc.start("hook1")
            assert "10.8.0.2/24" in lxc.exec("hook1", "ip", "-o", "addr", "show", "eth1")
            lxc.stop("hook1")
        lxc.host.write(path, before + HOOK + "br1 nonsense\n")
        assert lxc.host.run("lxc-start", "--name", "hook1", check=False).returncode != 0
    finally:
        lxc.remove("hook1")
