"""The warning about a firewall that would keep the guests of a new bridge apart."""

from __future__ import annotations

import shlex

import pytest

from pipework_core.model.plan import Outcome
from pipework_core.toolkit import firewall

DROPS = "-P INPUT ACCEPT\n-P FORWARD DROP\n-N DOCKER-USER\n"
ACCEPTS = DROPS + "-A DOCKER-USER -i br1 -o br1 -j ACCEPT\n"


def said(bridged: str, rules: str) -> tuple[str, ...]:
    answers = (Outcome(code=0, stdout=bridged), Outcome(code=0, stdout=rules))
    return firewall.firewall_warnings("br1", dict(zip(firewall.FIREWALL_QUERIES, answers, strict=True)))


def test_a_firewall_that_drops_is_named_with_the_cure() -> None:
    (warning,) = said("1\n", DROPS)
    assert "iptables -I DOCKER-USER -i br1 -o br1 -j ACCEPT" in warning


@pytest.mark.parametrize("rule", ["-P FORWARD DROP", "-A FORWARD -j DROP", "-A FORWARD -j REJECT --reject-with icmp-x"])
def test_firewalls_of_others_have_no_chain_of_docker_s(rule: str) -> None:
    (warning,) = said("1\n", f"-P FORWARD ACCEPT\n{rule}\n")
    assert "; iptables -I FORWARD -i br1 -o br1 -j ACCEPT" in warning
    assert "Docker" not in warning


@pytest.mark.parametrize(
    "rule",
    [
        *("-A FORWARD -m physdev --physdev-is-bridged -j ACCEPT", "-A DOCKER-USER -j ACCEPT"),
        *("-A FORWARD -i br+ -j ACCEPT", "-A OURS -i br+ -o br1 -j ACCEPT", "-A FORWARD -i + -j ACCEPT"),
    ],
)
def test_rules_for_all_bridges_count(rule: str) -> None:
    assert said("1\n", f"{DROPS}{rule}\n") == ()


@pytest.mark.parametrize(
    ("bridged", "rules"), [("0\n", DROPS), ("", DROPS), ("1\n", ACCEPTS), ("1\n", "-P FORWARD ACCEPT\n"), ("1\n", "")]
)
def test_no_warning_where_frames_pass_or_nothing_is_known(bridged: str, rules: str) -> None:
    assert said(bridged, rules) == ()


@pytest.mark.parametrize("words", ["-i br1 ! -o br1", "! -i br1", "-i br1 -o eth0", "-i br10", "-i eth+", "-o br1"])
def test_rules_for_other_ways_do_not_count(words: str) -> None:
    assert said("1\n", f"{DROPS}-A FORWARD {words} -j ACCEPT\n") != ()


def test_a_bridge_s_name_can_be_pasted() -> None:
    answers = {"bridged frames": Outcome(code=0, stdout="1\n"), "firewall": Outcome(code=0, stdout=DROPS)}
    words = shlex.split(firewall.find_cure("a'$(b)'", answers))
    assert words[3:7] == ["-i", "a'$(b)'", "-o", "a'$(b)'"]


def test_nothing_was_asked() -> None:
    assert firewall.firewall_warnings("br1", {}) == ()
