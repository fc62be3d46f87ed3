from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..test_lab_host import make_bridge, wire

if TYPE_CHECKING:
    from ..host import PrivateHost


def make_dummy(host: PrivateHost, name: str) -> None:
    """Make a dummy interface, which stands for a NIC, and raise it."""
    host.run("ip", "link", "add", name, "type", "dummy")
    host.run("ip", "link", "set", name, "up")


def test_this_is_the_kernel_of_the_lab() -> None:
    assert "User Mode Linux" in Path("/proc/cpuinfo").read_text()
    assert os.getpid() != 1


def test_file_system_of_the_machine_is_read_only() -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        Path("/usr/pipework-lab-was-here").touch()


def test_netem_delays(host: PrivateHost) -> None:
    guest = host.process_guest()
    make_bridge(host, "br1")
    wire(host, "br1", guest, 1)
    host.run("ip", "address", "add", "10.9.0.254/24", "dev", "br1")
    host.run(*host.enter(guest), "tc", "qdisc", "add", "dev", "eth1", "root", "netem", "delay", "200ms")
    assert host.ping(None, "10.9.0.1")
    slow = host.run("busybox", "ping", "-c", "1", "-W", "5", "10.9.0.1").stdout
    milliseconds = float(slow.partition("time=")[2].split()[0])
    assert milliseconds >= 190
    assert any("netem" in queue for queue in host.state([guest])[str(guest)]["queues"])


def test_private_host_of_an_ordinary_user(user_host: PrivateHost) -> None:
    make_dummy(user_host, "nic0")
    assert [link["name"] for link in user_host.state()["host"]["links"]] == ["lo", "nic0"]
