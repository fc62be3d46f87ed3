"""The firewall that keeps the ports of a bridge apart (`toolkit/firewall.py` has how that comes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.finding import ERROR, WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import firewall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Command, Outcome

_WHY = (
    "br_netfilter hands what a bridge forwards to iptables, and the FORWARD chain drops what no rule lets pass: "
    "guests on the bridge hear neither each other nor the network."
)
_FOR_ALL = "-m physdev --physdev-is-bridged -j ACCEPT"


class FirewallCheck(Check):
    """Bridges whose frames are dropped."""

    name = "firewall"

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Read whether bridged frames pass the firewall, and its rules."""
        del examination
        return firewall.FIREWALL_QUERIES

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each bridge, and one for bridges to come where there is none yet."""
        bridges = [link.name for link in examination.host_state.links.values() if link.kind == "bridge" and link.up]
        used = {entry.parent for entry in examination.attachments}
        for bridge in bridges:
            cure = firewall.find_cure(bridge, answers)
            if cure:
                severity = ERROR if bridge in used else WARNING
                yield Finding(severity, f"The firewall drops what passes between ports of {bridge}.", _WHY, (cure,))
        if not bridges and firewall.find_cure("", answers):
            chain = "DOCKER-USER" if firewall.is_set_by_docker(answers) else "FORWARD"
            what = "The firewall will drop what passes between ports of a new bridge."
            yield Finding(WARNING, what, _WHY, (f"iptables -I {chain} {_FOR_ALL}",))


@hookimpl
def pipework_checks() -> list[FirewallCheck]:
    """Register it."""
    return [FirewallCheck()]
