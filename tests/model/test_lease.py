"""What a step that obtained an address says."""

from __future__ import annotations

import pytest

from pipework_core.model import lease
from pipework_core.model.errors import CommandError
from pipework_core.model.lease import Lease
from pipework_core.model.plan import Command, Outcome

LINE = "lease address=10.99.0.57/24 server=10.99.0.1 router=10.99.0.1 seconds=120 dns=10.99.0.1,10.99.0.2 domain=lab"
LEASE = Lease("10.99.0.57/24", "10.99.0.1", "10.99.0.1", 120, ("10.99.0.1", "10.99.0.2"), "lab")


def test_a_line_is_a_lease() -> None:
    assert lease.parse_leases(f"some noise\n{LINE}\nlease address=fd00::7/128\n") == [LEASE, Lease("fd00::7/128")]


@pytest.mark.parametrize("text", ["", "lease", "lease server=10.0.0.1", "leases address=10.0.0.1/24", "address=1/2"])
def test_other_lines_are_none(text: str) -> None:
    assert lease.parse_leases(text) == []


@pytest.mark.parametrize("seconds", ["", "-1", "x", "1e3", "٣", "9" * 5000])
def test_a_time_that_is_none_is_not_told(seconds: str) -> None:
    assert lease.parse_leases(f"lease address=10.0.0.1/24 seconds={seconds}") == [Lease("10.0.0.1/24")]


def test_only_steps_that_take_their_time_are_asked() -> None:
    steps = (Command(argv=("tee", "x")), Command(argv=("sh", "x"), timeout=30.0))
    outcomes = (Outcome(code=0, stdout="lease address=10.0.0.1/24"), Outcome(code=0, stdout=LINE))
    assert lease.find_leases(steps, outcomes) == (LEASE,)


def test_shown_to_people() -> None:
    assert str(LEASE) == "10.99.0.57/24 from 10.99.0.1 for 120 seconds through 10.99.0.1"
    (lease_with_routes,) = lease.parse_leases("lease address=10.0.0.7/24 routes=10.1.0.0/16,10.2.0.0/16")
    assert str(lease_with_routes) == "10.0.0.7/24 with routes to 10.1.0.0/16, 10.2.0.0/16"
    assert str(Lease("fd00::7/64")) == "fd00::7/64"


def test_a_failure_is_told_in_a_sentence_and_not_as_a_long_command() -> None:
    step = Command(argv=("sh", "x"), timeout=30.0, reason="lease an address for eth1 by dhclient")
    error = CommandError(step, Outcome(code=1, stderr="no server answered within 30 seconds.\n"))
    assert str(error) == "cannot lease an address for eth1 by dhclient: no server answered within 30 seconds."
