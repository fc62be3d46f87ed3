"""ipvlan: an interface that shares its parent's MAC, for switches and Wi-Fi that let only one through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.stacked import Stacked
from pipework_core.contract import Claim
from pipework_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Scene
    from pipework_core.facts import HostFacts, Link


class Ipvlan(Stacked):
    """`ipvlan:NIC`; never chosen for a bare name."""

    kind = "ipvlan"
    modes = ("l2", "l3", "l3s")
    default_mode = "l2"
    options: Mapping[str, str] = {"mode": f"one of {', '.join(modes)}; {default_mode} when not given"}

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Claim nothing: it must be named."""
        del name, host
        return Claim.NO

    def check(self, scene: Scene, parent: Link) -> None:
        """Refuse a MAC: it has its parent's (Documentation/networking/ipvlan.rst)."""
        if scene.attachment.mac:
            raise UsageError(f"an ipvlan has the MAC of its parent {parent.name}.", hint="leave the MAC out")


def pipework_backends() -> list[Ipvlan]:
    """Register it."""
    return [Ipvlan()]
