"""In a container /proc/sys is read-only, as a rule: what needs no switch works all the same."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .host import PrivateHost


def test_an_ipv6_address_needs_no_switch(host: PrivateHost) -> None:
    if os.geteuid():
        pytest.skip("needs root")
    host.netns("blue")
    lock = "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys"
    words = f"{sys.executable} -P -m pipework_core br1 netns:blue 10.0.0.1/24,fd00::1/64"
    host.run("unshare", "--mount", "sh", "-ec", f"{lock}; exec {words}")
    shown = host.run("ip", "-n", "blue", "address", "show", "dev", "eth1").stdout
    assert "10.0.0.1/24" in shown
    assert "fd00::1/64" in shown
