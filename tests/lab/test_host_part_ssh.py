"""The part of a host in a network that is reached over ssh, by the very NIC that moves."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from .host import PrivateHost
from .parts import require
from .sshd import FAR, NEAR, URL, SshPair
from .test_host_part import GUARDED

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[SshPair]:
    require("ssh")
    with PrivateHost() as near, PrivateHost() as far, SshPair(near, far) as hosts:
        yield hosts


def test_another_machine_over_the_very_nic_that_the_line_uses(pair: SshPair) -> None:
    before = pair.far.state()
    over = ("--driver", URL, "host")
    pair.near.pipework(*over, "u0", f"{FAR}/24@{NEAR}")
    assert "u0-host" in {link["name"] for link in pair.far.state()["host"]["links"]}
    assert "nothing to do" in pair.near.pipework("-v", *over, "u0", f"{FAR}/24@{NEAR}").stderr
    pair.near.pipework(*over, "--remove", "u0")
    assert pair.far.state() == before


def test_the_line_lives_on_when_the_gateway_is_not_there(pair: SshPair) -> None:
    before = pair.far.state()
    failed = pair.near.pipework(
        "--driver", URL, "host", "u0", f"{FAR}/24@10.99.0.77", "--confirm-within", "1", check=False
    )
    assert failed.returncode == 1
    assert "the gateway 10.99.0.77 did not answer" in failed.stderr
    assert pair.far.state() == before


def test_the_guard_brings_the_far_nic_back_when_pipework_dies_here(pair: SshPair) -> None:
    before = pair.far.state()
    argv = (sys.executable, "-P", "-m", "pipework_core", "--driver", URL, "host", "u0", f"{FAR}/24@10.99.0.77")
    process = pair.near.popen(*argv, "--confirm-within", "5")
    deadline = time.monotonic() + GUARDED
    while "u0-host 10.99.0.2/24 global" not in pair.far.state()["host"]["addresses"]:
        assert time.monotonic() < deadline
    process.kill()
    process.wait()
    while pair.far.state() != before:
        assert time.monotonic() < deadline, pair.far.state()
        time.sleep(0.2)
