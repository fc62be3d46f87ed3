"""The backend: a veth pair for each guest, one end a port of the bridge that all guests of the network share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Claim
from pipework_core.model.errors import HostError
from pipework_core.model.ownership import BIRTH_GROUP, Mark
from pipework_core.model.plan import Plan
from pipework_core.toolkit import firewall
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import park
from pipework_core.toolkit.veth import make_veth, own_veth, veth_peer
from pipework_vxlan import flooding, leaving, shared, underlay
from pipework_vxlan.wanted import OPTIONS, Wanted, vni, wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Clearing, Leftover, Scene
    from pipework_core.model.link import HostFacts, Link
    from pipework_core.model.plan import Command
    from pipework_core.model.snapshot import Survey


class Vxlan:
    """`vxlan:VNI`; never a bare name."""

    kind = shared.KIND
    interface = "eth1"
    options: Mapping[str, str] = OPTIONS

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Claim no bare name: a number says nothing."""
        del name, host
        return Claim.NO

    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        """Read the ways to the other hosts and the flood list; for a new bridge, whether the firewall lets it work."""
        asked = wanted(attachment)
        new = firewall.READS if asked.bridge not in host.links else {}
        return {**new, **underlay.reads(asked, host), **flooding.reads(asked, host)}

    def fits(self, scene: Scene, link: Link) -> bool:
        """Accept a veth whose host end is a port of the bridge, or of none yet."""
        peer = veth_peer(scene, link)
        return peer is not None and peer.master in {"", wanted(scene.attachment).bridge}

    def mark(self, scene: Scene) -> Mark:
        """Remember the network."""
        return Mark(kind=self.kind, on=scene.attachment.host)

    def plan(self, scene: Scene) -> Plan:
        """Make bridge and vxlan device where they are missing, then the guest's port."""
        asked = wanted(scene.attachment)
        shared.refuse_strangers(scene.host, asked)
        mtu = shared.chosen_mtu(scene, asked)
        made = shared.plan(scene, asked)
        if scene.existing is not None:
            return made + _completed(scene, scene.existing, asked)
        return made + make_veth(scene, mtu=mtu, master=asked.bridge)[1]

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        """Park the veth; its port on the host stays until the end."""
        return park(scene, link, mark)

    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        """Name bridge and vxlan device, when this was the last guest of the network on this host."""
        number = vni(mark.on)
        if number is None:
            return ()
        here = scene.inside.links.get(scene.attachment.interface)
        peer = veth_peer(scene, here) if here is not None else None
        return leaving.leftovers(scene, Wanted(vni=number), peer.name if peer else "")

    def remains(self, survey: Survey) -> Plan:
        """Remove the networks whose guests are gone."""
        return leaving.remains(survey)


def _completed(scene: Scene, link: Link, asked: Wanted) -> Plan:
    """Put right what an interrupted run, or somebody's hand, left undone on the guest's port."""
    peer = veth_peer(scene, link)
    if peer is None:
        raise HostError(
            f"{link.name} of {scene.guest.name} has lost its end on the host.",
            hint=f"delete {link.name} in the guest, and run this again",
        )
    words = ("link", "set", "dev", peer.name)
    steps = [own_veth(scene, peer.name)] if peer.group == BIRTH_GROUP else []
    if peer.master != asked.bridge:
        undo = [ip(*words, *(("master", peer.master) if peer.master else ("nomaster",)))]
        steps.append(ip(*words, "master", asked.bridge, undo=undo, why=f"make {peer.name} a port of {asked.bridge}"))
    if not peer.up:
        steps.append(ip(*words, "up", undo=[ip(*words, "down")], why=f"raise {peer.name}"))
    return Plan(steps=tuple(steps), notes=() if steps else (f"{link.name} is a port of {asked.bridge}",))
