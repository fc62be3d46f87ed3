"""Whatever dies while pipework attaches guests to OVN: one sentence, nothing left, and the next run does it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from .ovn_state import BYTES, WholeMachine, bindings, northbound, send_bytes
from .test_lab_ovn import eventually

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable

    from .ovn import OvnFleet, OvnMachine

#: The switch of all tests, and a guest of host2 on it that answers.
BLUE, PARTNER = "ovn:blue", "10.1.0.200"


@pytest.fixture(scope="module", autouse=True)
def _partner(ovn: OvnFleet) -> None:
    attach(ovn["host2"], "partner", PARTNER)


def attach(machine: OvnMachine, guest: str, address: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command of every test."""
    machine.run("ip", "netns", "add", guest, check=False)  # it is there when the command is repeated
    return machine.pipework(BLUE, guest, f"{address}/24", check=check)


def refused(ovn: OvnFleet, machine: OvnMachine, guest: str, address: str) -> str:
    """Return what an attachment says that cannot work, once it has left no trace on the machine."""
    machine.netns(guest)
    whole = WholeMachine(ovn, machine)
    before = machine.state([guest]), machine.switch.state()
    done = attach(machine, guest, address, check=False)
    error, hint, *rest = done.stderr.splitlines()
    assert done.returncode == 1, done.stderr
    assert error.startswith("pipework: error: "), done.stderr
    assert hint.startswith("hint: "), done.stderr
    assert not rest, done.stderr
    assert (machine.state([guest]), machine.switch.state()) == before
    return done.stderr
