"""Whether the host's firewall will keep the guests of a new bridge apart: seen and said, never changed.

Docker loads br_netfilter, with which bridged frames pass iptables (Documentation/networking/ip-sysctl.rst,
bridge-nf-call-iptables), and makes the FORWARD chain drop what it does not know when it found forwarding off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.plan import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    bridged, rules = (answers[key].stdout if key in answers else "" for key in FIREWALL_QUERIES)
    lines = rules.splitlines()
    if bridged.strip() != "1" or "-P FORWARD DROP" not in lines:
        return ()
    if any(f"-i {bridge} " in line and line.endswith("-j ACCEPT") for line in lines):
        return ()
    cure = f"iptables -I DOCKER-USER -i {bridge} -o {bridge} -j ACCEPT"
    return (f"the firewall drops what the guests on {bridge} send each other (Docker set it so); {cure} lets it pass",)
