"""Whether the host's firewall will keep the ports of a bridge apart: seen and said, never changed.

Docker loads br_netfilter, with which bridged frames pass iptables (Documentation/networking/ip-sysctl.rst,
bridge-nf-call-iptables), and makes the FORWARD chain drop what it does not know when it found forwarding off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.plan import Command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.model.plan import Outcome

#: iptables may be missing (127), or not be ours to use; the answer is then no answer.
_ANY = frozenset({*range(5), 127})
#: What a backend reads to be able to warn, by the keys under which `firewall_warnings` looks for the answers.
FIREWALL_QUERIES: Mapping[str, Command] = {
    "bridged frames": Command(
        argv=("cat", "/proc/sys/net/bridge/bridge-nf-call-iptables"),
        ok_codes=_ANY,
        reason="read whether bridged frames pass the firewall",
    ),
    "firewall": Command(argv=("iptables", "-S"), ok_codes=_ANY, reason="read the firewall's rules"),
}


def firewall_warnings(bridge: str, answers: Mapping[str, Outcome]) -> tuple[str, ...]:
    """Return a warning when frames between ports of `bridge` will be dropped."""
    cure = find_cure(bridge, answers)
    if not cure:
        return ()
    who = " (Docker set it so)" if is_set_by_docker(answers) else ""
    return (f"the firewall drops what passes between ports of {bridge}{who}: FORWARD; {cure} lets it pass",)


def find_cure(bridge: str, answers: Mapping[str, Outcome]) -> str:
    """Return the command that lets frames pass between ports of `bridge`; empty where the firewall drops none."""
    bridged, rules = (answers[key].stdout if key in answers else "" for key in FIREWALL_QUERIES)
    lines = rules.splitlines()
    drops = any(line.startswith(("-P FORWARD DROP", "-A FORWARD -j DROP", "-A FORWARD -j REJECT")) for line in lines)
    if bridged.strip() != "1" or not drops or any(_accepts(line, bridge) for line in lines):
        return ""
    from shlex import quote  # noqa: PLC0415 - few hosts have such a firewall

    name, chain = quote(bridge), "DOCKER-USER" if is_set_by_docker(answers) else "FORWARD"
    return f"iptables -I {chain} -i {name} -o {name} -j ACCEPT"


def is_set_by_docker(answers: Mapping[str, Outcome]) -> bool:
    """Whether the firewall has Docker's rules."""
    return "firewall" in answers and "-N DOCKER-USER" in answers["firewall"].stdout.splitlines()


def _accepts(line: str, bridge: str) -> bool:
    """Whether a rule lets through what passes between ports of the bridge, of all bridges, or everything."""
    if line in {"-A FORWARD -j ACCEPT", "-A DOCKER-USER -j ACCEPT"}:
        return True
    if not line.endswith("-j ACCEPT"):
        return False
    words = line.split()
    return "--physdev-is-bridged" in words or ("-i" in words and all(_fits(words, way, bridge) for way in ("-i", "-o")))


def _fits(words: Sequence[str], way: str, bridge: str) -> bool:
    """Whether a rule is for what comes by the bridge (`-i`), or goes by it (`-o`); one that names nobody is for all."""
    if way not in words:
        return True
    place = words.index(way)
    named = words[place + 1]
    if words[place - 1] == "!":
        return False
    return bridge.startswith(named[:-1]) if named.endswith("+") else bridge == named
