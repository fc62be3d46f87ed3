"""A host whose /run takes no file: full, or read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .host import PrivateHost


FULL = "mount -o remount,size=64k /run; ! cat /dev/zero >/run/filled 2>/dev/null"


@pytest.mark.parametrize("script", ["mount -o remount,ro /run", FULL], ids=["read-only", "full"])
def test_attaching_and_detaching_work(host: PrivateHost, script: str) -> None:
    host.netns("blue")
    host.run("rm", "-f", "/run/pipework.lock")
    before = host.state(["blue"])
    host.run("sh", "-c", script)
    host.pipework("br1", "blue", "10.0.0.1/24")
    assert "10.0.0.1/24" in host.run("ip", "-n", "blue", "address", "show", "dev", "eth1").stdout
    host.pipework("detach", "blue")
    assert host.state(["blue"]) == before
