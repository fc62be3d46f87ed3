"""What of the host goes with the last guest of a network: what this backend made there, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Leftover
from pipework_core.model.plan import Command, Plan
from pipework_core.toolkit import garbage
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.shared import has_use
from pipework_vxlan import shared
from pipework_vxlan.wanted import Wanted, vni

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.context import Scene
    from pipework_core.model.link import HostFacts, Link
    from pipework_core.model.snapshot import Survey


def leftovers(scene: Scene, wanted: Wanted, going: str) -> tuple[Leftover, ...]:
    """Return bridge and device when nobody uses them but `going`, a guest's end on the host."""
    bridge, tunnel = (scene.host.links.get(name) for name in (wanted.bridge, wanted.tunnel))
    if bridge is not None and has_use(scene.host, bridge, without={going, wanted.tunnel}):
        return ()
    return tuple(Leftover(name=wanted.bridge, remove=step, hidden=True) for step in _removed(wanted, bridge, tunnel))


def _removed(wanted: Wanted, bridge: Link | None, tunnel: Link | None) -> Iterator[Command]:
    """Yield what removes the two, as far as they are ours and together; the bridge last, which tells of both."""
    guests = shared.ports(wanted.bridge, "type", "veth") if bridge is not None else None
    if tunnel is not None and shared.ours(tunnel, shared.KIND) and tunnel.master in {"", wanted.bridge}:
        yield ip("link", "delete", "dev", tunnel.name, unless=guests, why=f"leave VXLAN {wanted.vni}, without a guest")
    if bridge is not None and shared.ours(bridge, "bridge"):
        why = f"remove the bridge {bridge.name}, which has no port"
        yield ip("link", "delete", "dev", bridge.name, unless=shared.ports(bridge.name), why=why)


def remains(survey: Survey) -> Plan:
    """Return what removes the networks of this host that no guest is in any more."""
    sweep: list[Command] = []
    for wanted in _networks(survey.host):
        bridge, tunnel = (survey.host.links.get(name) for name in (wanted.bridge, wanted.tunnel))
        if bridge is None or garbage.serves_nobody(survey, bridge, without={wanted.tunnel}):
            sweep += _removed(wanted, bridge, tunnel)
    return Plan(sweep=tuple(sweep))


def _networks(host: HostFacts) -> Iterator[Wanted]:
    """Yield the networks of which the host has something of ours."""
    found = [link for link in host.links.values() if shared.ours(link, "bridge") or shared.ours(link, shared.KIND)]
    numbers = {vni(link.name.removeprefix("pwx").removesuffix("t")) for link in found if link.name.startswith("pwx")}
    yield from (Wanted(vni=number) for number in sorted(filter(None, numbers)))
