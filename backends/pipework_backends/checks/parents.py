"""Interfaces of the host that guests are on, or would be: what they are part of, and whether they can serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.checks.reading import group_by_parent, list_lower, name_guest, set_link
from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
from pipework_core.plugins.api import Check
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.state.namespaces import map_parents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.link import Link
    from pipework_core.model.plan import Outcome

_TAKERS = {"bridge": "a port of the bridge", "bond": "a member of the bond", "team": "a member of the team"}
#: So many are named.
_NAMED = 5
_IPVLANS = frozenset({"ipvlan", "ipvtap"})
#: Modes of a bond that rewrite MACs in ARP, or send one peer's frames over several members with different MACs
#: (Documentation/networking/bonding.rst).
_MANY_MACS = frozenset({"balance-tlb", "balance-alb"})


class ParentCheck(Check):
    """Parents that are down, taken, or a bond that guests get lost on."""

    name = "parents"

    def judge(self, examination: Examination, answers: Mapping[str, Outcome]) -> Iterator[Finding]:
        """Yield what is wrong with those that guests are on, then what others would not take."""
        del answers
        links, used = examination.host_state.links, group_by_parent(examination)
        for name in used:
            if name in links and not links[name].up:
                guests = " and ".join(dict.fromkeys(name_guest(entry.guest) for entry in used[name][:_NAMED]))
                more = f" and {len(used[name]) - _NAMED} more" if len(used[name]) > _NAMED else ""
                why = f"Nothing passes between it and {guests}{more}."
                yield Finding(ERROR, f"{name} is down.", why, (set_link(name, "up"),))
        above = map_parents(examination.guest_states)
        for link in links.values():
            if link.kind == "bond" and link.data.get("mode") in _MANY_MACS:
                yield from self._judge_bond(link, examination)
            yield from self._judge_taken(link, examination, above.get(link.ifindex, ()))

    def _judge_bond(self, bond: Link, examination: Examination) -> Iterator[Finding]:
        ports = {port.name for port in examination.host_state.ports(bond.name)}
        host = examination.host_state
        parents = [
            name
            for name in group_by_parent(examination)
            if name == bond.name or ports & {low.name for low in list_lower(host, name)}
        ]
        if parents:
            mode = bond.data["mode"]
            yield Finding(
                WARNING,
                f"{bond.name}, which guests on {', '.join(parents)} go through, is a bond in mode {mode}.",
                "This mode puts MACs of its members into frames and answers: switches and neighbours lose the guests.",
                _list_bond_changes(bond.name, sorted(ports)),
                "This takes the bond's network away for a moment: have a console at hand. With a switch that knows it, "
                "802.3ad keeps MACs as well.",
            )

    def _judge_taken(self, link: Link, examination: Examination, above: tuple[Link, ...]) -> Iterator[Finding]:
        """Say which NICs take no macvlan, as a bare name means one (net/core/dev.c, one rx_handler a device)."""
        master = examination.host_state.links.get(link.master)
        if master is not None and master.kind in _TAKERS and not link.peer_elsewhere:
            what = f"{link.name} is {_TAKERS[master.kind]} {master.name}, and takes no macvlan or ipvlan."
            yield Finding(
                INFO, what, "The kernel gives all that arrives there to one taker.", advice=f"Attach to {master.name}."
            )
        own = [one for one in examination.host_state.links.values() if one.parent == link.name]
        if any(one.kind in _IPVLANS for one in (*own, *above)):
            what = f"{link.name} carries ipvlans, and takes no macvlan beside them."
            why = f"pipework {link.name} GUEST ADDRESS means a macvlan, and is refused."
            yield Finding(INFO, what, why, advice=f"Attach to ipvlan:{link.name}.")


def _list_bond_changes(bond: str, ports: list[str]) -> tuple[str, ...]:
    """Return the commands that give a bond another mode: the kernel allows it while it is down and has no members."""
    return (
        *(set_link(port, "nomaster") for port in ports),
        set_link(bond, "down"),
        set_link(bond, "type", "bond", "mode", "active-backup"),
        *(set_link(port, "down", "master", bond) for port in ports),
        set_link(bond, "up"),
    )


@hookimpl
def pipework_checks() -> list[ParentCheck]:
    """Register it."""
    return [ParentCheck()]
