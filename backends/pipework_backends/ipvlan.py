"""ipvlan: an interface that shares its parent's MAC, for switches and Wi-Fi that let only one through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.common import ip
from pipework_backends.stacked import Stacked
from pipework_core.contract import Claim
from pipework_core.errors import UsageError
from pipework_core.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Clearing, Scene
    from pipework_core.facts import HostFacts, Link
    from pipework_core.marks import Mark


class Ipvlan(Stacked):
    """`ipvlan:NIC`; never chosen for a bare name."""

    kind = "ipvlan"
    modes = ("l2", "l3", "l3s")
    default_mode = "l2"
    options: Mapping[str, str] = {
        "mode": f"one of {', '.join(modes)}; {default_mode} when not given; all on one parent share the last one"
    }

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Claim nothing: it must be named."""
        del name, host
        return Claim.NO

    def check(self, scene: Scene, parent: Link) -> None:
        """Refuse a MAC: it has its parent's (Documentation/networking/ipvlan.rst)."""
        if scene.attachment.mac:
            raise UsageError(f"an ipvlan has the MAC of its parent {parent.name}.", hint="leave the MAC out")

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        """Park it; undoing sets its mode again, since all ipvlans of one parent have the mode that came last."""
        clearing = super().clear(scene, link, mark)
        mode = link.data.get("mode")
        if scene.attachment.kind != self.kind or mode in {None, self._mode(scene)}:
            return clearing
        first, *others = clearing.before.steps
        again = ip("link", "set", "dev", link.name, "type", self.kind, "mode", str(mode), netns=scene.guest.netns)
        first = first._replace(undo=(*first.undo, again))
        return clearing._replace(before=Plan(steps=(first, *others)))


def pipework_backends() -> list[Ipvlan]:
    """Register it."""
    return [Ipvlan()]
