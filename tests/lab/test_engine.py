"""The engine as a library: one process uses it for long, and holds no more at the end than at the beginning."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .host import PrivateHost

#: 2,000 attachments in all.
GUESTS, ROUNDS = 50, 40


@pytest.mark.timeout(180)
def test_an_engine_that_is_used_for_long_holds_nothing(host: PrivateHost) -> None:
    guests = [f"g{number}" for number in range(GUESTS)]
    for guest in guests:
        host.netns(guest)
    before = host.state(guests[:2])
    user = str(Path(__file__).with_name("engine_user.py"))
    done = host.run(sys.executable, user, str(GUESTS), str(ROUNDS), timeout=170)
    held = json.loads(done.stdout)
    early, late = held[ROUNDS // 4], held[-1]
    assert (late["fds"], late["threads"]) == (early["fds"], early["threads"])
    # How many announcers of the last round are still there is a matter of time. One left by each round would be 40.
    assert late["children"] < ROUNDS // 4
    assert late["memory"] < early["memory"] + 2048, f"{late['memory'] - early['memory']} KiB more"
    assert host.state(guests[:2]) == before


def test_what_one_of_a_batch_still_uses_stays_as_it_was(host: PrivateHost) -> None:
    guests = ["g1", "g2", "g3"]
    for guest in guests:
        host.netns(guest)
    before = host.state(guests)
    host.pipework("br1", "g1", "10.0.0.1/24")
    alone = host.state(guests)
    (end,) = (link["name"] for link in alone["host"]["links"] if link["name"].startswith("veth1"))
    for number, guest in enumerate(guests[1:], 2):
        host.pipework("br1", guest, f"10.0.0.{number}/24")
    done = host.run(sys.executable, str(Path(__file__).with_name("engine_failure.py")), end)
    assert done.stdout == "[False, True, True]\n", done.stderr
    assert host.state(guests) == alone
    host.pipework("detach", "g1")
    assert host.state(guests) == before
