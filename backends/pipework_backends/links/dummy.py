"""Dummy interfaces: up, addressed, and connected to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Claim
from pipework_core.model.errors import UsageError
from pipework_core.model.ownership import Mark
from pipework_core.model.plan import Plan
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import park

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Clearing, Leftover, Scene
    from pipework_core.model.link import HostFacts, Link
    from pipework_core.model.plan import Command


class Dummy:
    """`dummy:NAME`; a bare name that starts with `dummy` and is nothing on the host. The name itself is not used."""

    kind = "dummy"
    interface = "eth1"
    options: Mapping[str, str] = {}

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Claim the classic prefix."""
        return Claim.PREFIX if name.startswith("dummy") and name not in host.links else Claim.NO

    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        """Need nothing more."""
        del attachment, host
        return {}

    def fits(self, scene: Scene, link: Link) -> bool:
        """Accept any dummy."""
        del scene
        return link.kind == "dummy"

    def mark(self, scene: Scene) -> Mark:
        """Remember the kind."""
        return Mark(kind=self.kind, on=scene.attachment.host)

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        """Park it."""
        return park(scene, link, mark)

    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        """Leave nothing on the host."""
        del scene, mark
        return ()

    def plan(self, scene: Scene) -> Plan:
        """Make it straight in the guest."""
        attachment = scene.attachment
        if attachment.vlan:
            raise UsageError("a dummy has no VLAN.", hint="leave the @ part out")
        if attachment.host_name:
            raise UsageError("a dummy has no end on the host that -l could name.", hint="leave -l out")
        if scene.existing is not None:
            return Plan(notes=(f"{attachment.interface} is a dummy already",))
        mtu = ("mtu", str(attachment.mtu)) if attachment.mtu else ()
        create = ip(
            *("link", "add", *iproute.in_guest(scene, *mtu), "type", "dummy"),
            undo=[iproute.delete_in_guest(scene)],
            why=f"make the dummy {attachment.interface} in {scene.guest.name}",
        )
        return Plan(steps=(create,))


def pipework_backends() -> list[Dummy]:
    """Register it."""
    return [Dummy()]
