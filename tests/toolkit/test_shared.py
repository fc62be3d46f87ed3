"""The MAC of a bridge that is made."""

from __future__ import annotations

import pytest

from pipework_core.model import names
from pipework_core.model.plan import Outcome
from pipework_core.toolkit.shared import choose_bridge_mac

ONE, OTHER = Outcome(0, "0123456789abcdef0123456789abcdef\n"), Outcome(0, "0123456789abcdef0123456789abcdee\n")


def test_it_is_stable_for_a_name_on_a_machine_and_of_no_other() -> None:
    mac = choose_bridge_mac("br1", ONE)
    assert mac == choose_bridge_mac("br1", ONE) == names.mac_address(mac)
    assert int(mac[:2], 16) & 2, "locally administered"
    assert mac not in {choose_bridge_mac("br2", ONE), choose_bridge_mac("br1", OTHER)}


@pytest.mark.parametrize("answer", [None, Outcome(1, ""), Outcome(0, "\n"), Outcome(0, "rm -rf /\n")])
def test_a_machine_without_an_identity_leaves_it_to_the_kernel(answer: Outcome | None) -> None:
    """Two such machines would have the same MAC."""
    assert choose_bridge_mac("br1", answer) == ""
