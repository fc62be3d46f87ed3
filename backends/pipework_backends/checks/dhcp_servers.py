"""Two DHCP servers in one network: which of them a guest gets its address from is chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.checks.reading import ANY, ETHERNET, list_of_guests, name_guest
from pipework_core.model.finding import WARNING, Examination, Finding
from pipework_core.model.plan import Command
from pipework_core.model.status import UP
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.plan import Outcome
    from pipework_core.model.status import AttachmentStatus

#: Seconds in which servers have answered: dnsmasq first looks by ping, for three, whether somebody has the address.
_SECONDS = 4
_SPARE = 2
#: So many are named: somebody on the network can answer for any number.
_NAMED = 5


class DhcpServerCheck(Check):
    """Asks each network, from one guest that is in it, for an address, and takes none."""

    name = "dhcp-servers"
    programs = ("python3",)
    probes = True

    def queries(self, examination: Examination) -> Mapping[str, Command]:
        """Ask from the first guest of each network."""
        if "python3" not in examination.programs:
            return {}
        return {
            str(number): Command(
                argv=("python3", "-I", "-S", script("dhcp_servers.py"), str(_SECONDS), entry.interface),
                netns=entry.guest.netns,
                ok_codes=ANY,
                timeout=_SECONDS + _SPARE,
                reason=f"ask on {entry.parent} for DHCP servers",
            )
            for number, entry in _choose_askers(examination)
            if entry.guest is not None
        }

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield a finding for each network with several."""
        entries = list_of_guests(examination)
        for number, outcome in answers.items():
            entry = entries[int(number)]
            servers = outcome.stdout.splitlines()
            if outcome.code != 0:
                what = f"Nobody could be asked on {entry.parent} for DHCP servers: {outcome.error_text}."
                yield Finding(WARNING, what, "Whether there are two is not known.")
            elif len(servers) > 1:
                vlan = f", VLAN {entry.vlan}" if entry.vlan else ""
                named = [f"{address} ({mac})" for address, mac in map(str.split, servers[:_NAMED])]
                rest = [f"{len(servers) - _NAMED} more"] if len(servers) > _NAMED else []
                listed = " and ".join([*named, *rest])
                yield Finding(
                    WARNING,
                    f"Several DHCP servers answer on {entry.parent}{vlan}: {listed}.",
                    "Guests get now an address of the one and now of the other, with its router and name servers.",
                    advice=f"End the one that is not meant to be there (asked from {name_guest(entry.guest)}). Two "
                    "that share one set of leases are no fault.",
                )


def _choose_askers(examination: Examination) -> Iterator[tuple[int, AttachmentStatus]]:
    """Yield one attachment for each network, with its place."""
    seen = set()
    for number, entry in enumerate(list_of_guests(examination)):
        network = (entry.parent, entry.vlan)
        if entry.kind in ETHERNET and entry.state == UP and network not in seen:
            seen.add(network)
            yield number, entry


@hookimpl
def pipework_checks() -> list[DhcpServerCheck]:
    """Register it."""
    return [DhcpServerCheck()]
