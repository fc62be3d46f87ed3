"""Linux bridges: a veth pair, one end a port of the bridge, the other made straight into the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends import common, firewall
from pipework_backends.common import ip
from pipework_core.contract import Claim
from pipework_core.errors import HostError
from pipework_core.marks import BIRTH_GROUP, Mark
from pipework_core.plan import Command, Plan
from pipework_core.request import vlan_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Clearing, Scene
    from pipework_core.facts import HostFacts, Link
    from pipework_core.request import Attachment

#: BR_MAX_PORTS in net/bridge/br_private.h.
PORTS_MAX = 1024


class LinuxBridge:
    """`bridge:NAME`; a bare name that is a bridge, or that starts with `br` and is nothing yet."""

    kind = "bridge"
    interface = "eth1"
    options: Mapping[str, str] = {
        "vlan_filtering": "1: let @VID turn VLAN filtering on, on a bridge that has ports of others already",
    }

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Claim bridges, and the classic prefix."""
        link = host.links.get(name)
        if link is not None:
            return Claim.EXACTLY if link.kind == "bridge" else Claim.NO
        return Claim.PREFIX if name.startswith("br") else Claim.NO

    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        """Read the VLANs of the ports, where that matters; for a new bridge, whether the firewall will let it work."""
        if attachment.host not in host.links:
            return firewall.READS
        if attachment.vlan:
            return {"vlans": Command(argv=("bridge", "-json", "vlan", "show"), why="read the VLANs of bridge ports")}
        return {}

    def fits(self, scene: Scene, link: Link) -> bool:
        """Accept a veth whose host end is a port of the bridge, or of none yet."""
        peer = common.veth_peer(scene, link)
        return peer is not None and peer.master in {"", scene.attachment.host}

    def mark(self, scene: Scene) -> Mark:
        """Remember the bridge and the VLAN."""
        return Mark(kind=self.kind, on=scene.attachment.host, vlan=scene.attachment.vlan)

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        """Park the veth; its port on the host stays until the end."""
        return common.park(scene, link, mark)

    def plan(self, scene: Scene) -> Plan:
        """Make the bridge when it is missing, then the port."""
        attachment = scene.attachment
        bridge = scene.host.links.get(attachment.host)
        if bridge is not None and bridge.kind != "bridge":
            raise HostError(
                f"{bridge.name} is no Linux bridge but {bridge.kind or 'a physical interface'}.",
                hint="leave bridge: out, or name another bridge",
            )
        mtu = common.chosen_mtu(scene, bridge)
        made = self._bridge(scene, bridge, mtu)
        if scene.existing is not None:
            return made + self._completed(scene, scene.existing)
        if common.port_taken(scene.host, attachment.host, PORTS_MAX):
            raise HostError(
                f"the bridge {attachment.host} has {PORTS_MAX} ports, and Linux bridges hold no more.",
                hint="use a second bridge",
            )
        # A port of a VLAN stays down until it is out of the bridge's default VLAN: no frame goes the wrong way.
        name, made_veth = common.make_veth(scene, mtu=mtu, master=attachment.host, up=not attachment.vlan)
        return made + made_veth + self._vlan(scene, name, raise_it=True)

    def _bridge(self, scene: Scene, bridge: Link | None, mtu: int) -> Plan:
        attachment = scene.attachment
        name = attachment.host
        if bridge is None:
            words = ("mtu", str(mtu)) if attachment.mtu else ()
            kind = ("type", "bridge", *(("vlan_filtering", "1") if attachment.vlan else ()))
            create = ip(
                *("link", "add", "name", name, *words, "group", BIRTH_GROUP, *kind),
                undo=[ip("link", "delete", "dev", name, unless=_ports_of(name))],
                why=f"create the bridge {name}",
            )
            return Plan(steps=(create, _own(name)), warnings=firewall.warnings(name, scene.answers))
        unfinished = bridge.group == BIRTH_GROUP
        steps = [_own(name)] if unfinished else []
        if not unfinished and not bridge.up:
            down = ip("link", "set", "dev", name, "down")
            steps.append(ip("link", "set", "dev", name, "up", undo=[down], why=f"raise the bridge {name}"))
        if attachment.vlan and not bridge.data.get("vlan_filtering"):
            steps.append(self._filter(scene, name))
        return Plan(steps=tuple(steps), notes=() if steps else (f"the bridge {name} exists and is up",))

    def _filter(self, scene: Scene, name: str) -> Command:
        """Turn filtering on, where that takes nothing from a port that relies on the bridge passing tags through."""
        if scene.host.ports(name) and scene.attachment.option("vlan_filtering") != "1":
            raise HostError(
                f"the bridge {name} does not filter VLANs, and turning that on would change what its ports can send.",
                hint="if that is what you want, add -o vlan_filtering=1",
            )
        words = ("link", "set", "dev", name, "type", "bridge", "vlan_filtering")
        return ip(*words, "1", undo=[ip(*words, "0")], why=f"let {name} keep VLANs apart")

    def _completed(self, scene: Scene, link: Link) -> Plan:
        """Put right what an interrupted run, or somebody's hand, left undone on the port."""
        peer = common.veth_peer(scene, link)
        if peer is None:
            raise HostError(
                f"{link.name} of {scene.guest.name} has lost its end on the host.",
                hint=f"delete {link.name} in the guest, and run this again",
            )
        steps = [common.own_veth(peer.name)] if peer.group == BIRTH_GROUP else []
        if peer.master != scene.attachment.host:
            undo = ("master", peer.master) if peer.master else ("nomaster",)
            words = ("link", "set", "dev", peer.name)
            steps.append(
                ip(
                    *(*words, "master", scene.attachment.host),
                    undo=[ip(*words, *undo)],
                    why=f"make {peer.name} a port of {scene.attachment.host}",
                )
            )
        vlan = self._vlan(scene, peer.name, raise_it=not peer.up)
        steps += vlan.steps
        if not peer.up and not scene.attachment.vlan:
            steps.append(ip("link", "set", "dev", peer.name, "up", why=f"raise {peer.name}"))
        return Plan(steps=tuple(steps), notes=() if steps else (f"{link.name} is a port of {scene.attachment.host}",))

    def _vlan(self, scene: Scene, port: str, *, raise_it: bool) -> Plan:
        """Make the port an access port of the VLAN: that one untagged, and no other."""
        if not scene.attachment.vlan:
            return Plan()
        vid = str(vlan_id(scene.attachment.vlan))
        bridge = scene.host.links.get(scene.attachment.host)
        default = str(bridge.data.get("vlan_default_pvid", 1)) if bridge else "1"
        have = _vlans_of(scene, port)
        steps = []
        if have is None or vid not in have:
            words = ("dev", port, "vid", vid)
            steps.append(
                Command(
                    argv=("bridge", "vlan", "add", *words, "pvid", "untagged"),
                    undo=(Command(argv=("bridge", "vlan", "delete", *words)),) if have is not None else (),
                    why=f"put {port} into VLAN {vid}",
                )
            )
        if default not in {"0", vid} and (have is None or default in have):
            words = ("dev", port, "vid", default)
            undo = Command(argv=("bridge", "vlan", "add", *words, "pvid", "untagged"))
            steps.append(
                Command(
                    argv=("bridge", "vlan", "delete", *words),
                    undo=(undo,) if have is not None else (),
                    why=f"take {port} out of the bridge's default VLAN",
                )
            )
        if raise_it:
            steps.append(ip("link", "set", "dev", port, "up", why=f"raise {port}"))
        return Plan(steps=tuple(steps))


def _own(name: str) -> Command:
    return ip(
        *("link", "set", "dev", name, "group", "default", "alias", Mark(kind="bridge").alias, "up"),
        why=f"raise {name} and mark it as made by pipework",
    )


def _ports_of(bridge: str) -> Command:
    return Command(argv=("ip", "-json", "link", "show", "master", bridge), why=f"see whether {bridge} has ports")


def _vlans_of(scene: Scene, port: str) -> set[str] | None:
    """Return the VLANs of a port that exists, None for one that is yet to be made."""
    if scene.existing is None or "vlans" not in scene.answers:
        return None
    import json  # noqa: PLC0415 - only where VLANs are asked for

    entries = json.loads(scene.answers["vlans"].stdout or "[]")
    vlans = [vlan for entry in entries if entry.get("ifname") == port for vlan in entry.get("vlans", ())]
    return {str(vid) for vlan in vlans for vid in range(vlan["vlan"], vlan.get("vlanEnd", vlan["vlan"]) + 1)}


def pipework_backends() -> list[LinuxBridge]:
    """Register the bridge."""
    return [LinuxBridge()]
