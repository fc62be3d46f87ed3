"""The NIC itself, moved into the guest: for SR-IOV functions, Wi-Fi, and whatever can or must not be shared.

The NIC carries its mark from before the move, together with our birth group: killed at any moment, a run leaves a NIC
that the next run recognises, on either side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import nic_state
from pipework_core.model import ownership
from pipework_core.model.context import Claim, Clearing, Leftover
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.ownership import BIRTH_GROUP, Mark
from pipework_core.model.plan import HOST, Command, Outcome, Plan
from pipework_core.spec.grammar import vlan_id
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import earlier_defaults, given_back, park, put_back, restore, without
from pipework_core.toolkit.shared import lowered, raise_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Scene
    from pipework_core.model.link import HostFacts, Link
    from pipework_core.model.snapshot import Survey

#: These stay where they were made (netns_immutable, before 6.15 NETIF_F_NETNS_LOCAL, in their drivers).
_IMMOVABLE = frozenset({"bridge", "bond", "team", "vrf", "openvswitch"})
#: These live on another interface, and on it alone: it cannot go without cutting them off.
_ON_TOP = frozenset({"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"})
_SWITCHES = frozenset({"ovs-system", "openvswitch"})
_TAKE_ROUTE = "take-default-route"


class Phys:
    """`phys:NIC` or `--direct-phys NIC`; never chosen for a bare name."""

    kind = "phys"
    interface = "eth1"
    options: Mapping[str, str] = {_TAKE_ROUTE: "1: move a NIC that the host's default route goes through"}

    def claims(self, name: str, host: HostFacts) -> Claim:
        """Claim nothing: it must be named."""
        del name, host
        return Claim.NO

    def reads(self, attachment: Attachment, host: HostFacts) -> Mapping[str, Command]:
        """Read what the NIC will need when it comes home, and whether it is a radio; nothing when it is not there."""
        link = _at_home(host, _nic(attachment))
        if link is None:
            return {}
        path = f"/sys/class/net/{link.name}/phy80211/name"
        radio = Command(argv=("cat", path), ok_codes=frozenset({0, 1}), why=f"see whether {link.name} is a radio")
        return {"home": nic_state.QUERY, "radio": radio}

    def fits(self, scene: Scene, link: Link) -> bool:
        """Accept the NIC itself, or the VLAN that is made of it."""
        mark = ownership.read(link)
        if mark is not None:
            return mark.kind == self.kind and mark.nic == _nic(scene.attachment)
        return bool(scene.attachment.vlan) and _is_vlan(scene, link)

    def mark(self, scene: Scene) -> Mark:
        """Remember what the NIC was called and whether it was up, and what else the request changes on it."""
        attachment = scene.attachment
        mark = Mark(kind=self.kind, on=attachment.host, vlan=attachment.vlan)
        link = _at_home(scene.host, _nic(attachment))
        if link is None:
            return mark
        earlier = ownership.read(link) or mark
        return mark._replace(
            nic=earlier.nic or link.name,
            state=earlier.state or ("up" if link.up else "down"),
            mac=earlier.mac or (link.mac if attachment.mac else ""),
            mtu=earlier.mtu or (str(link.mtu) if attachment.mtu else ""),
            phy=_radio(scene),
        )

    def remains(self, survey: Survey) -> Plan:
        """Give NICs that came home with a guest's end back what they were."""
        from pipework_backends.links import garbage  # noqa: PLC0415 - an attachment does not need it

        return garbage.of_nics(survey)

    def plan(self, scene: Scene) -> Plan:
        """Move the NIC, or complete what an earlier run began."""
        attachment = scene.attachment
        if attachment.host_name:
            raise UsageError("a NIC that moves leaves no end on the host that -l could name.", hint="leave -l out")
        iproute.switched_on(attachment, _TAKE_ROUTE)
        if scene.existing is not None:
            return _completed(scene, scene.existing)
        link = _at_home(scene.host, _nic(attachment))
        if link is not None:
            _check(scene, link)
            return _moved(scene, link, self.mark(scene))
        if attachment.vlan:
            return _vlan(scene)
        return _renamed(scene)

    def clear(self, scene: Scene, link: Link, mark: Mark) -> Clearing:
        """Bring the NIC home; undoing takes it back into the guest. A VLAN that we made is parked like other links."""
        return _brought_home(scene, link, mark) if mark.nic else park(scene, link, mark)

    def leftovers(self, scene: Scene, mark: Mark) -> tuple[Leftover, ...]:
        """Finish a NIC that a killed run brought home; lower the parent of a VLAN that was raised for it."""
        if not mark.nic:
            return lowered(scene.host, mark.on)
        link = scene.host.links.get(mark.nic)
        if scene.attachment.interface or link is None or _marked_as(link) != mark.nic or link.group != BIRTH_GROUP:
            return ()
        words = ("group", "default", "alias", "", *_original(mark), *(("up",) if mark.state == "up" else ()))
        remove = ip("link", "set", "dev", mark.nic, *words, why=f"give {mark.nic} back what it had")
        return (Leftover(name=mark.nic, remove=remove),)


def _nic(attachment: Attachment) -> str:
    return f"{attachment.host}.{vlan_id(attachment.vlan)}" if attachment.vlan else attachment.host


def _at_home(host: HostFacts, name: str) -> Link | None:
    """Return the NIC on the host: by its name, or by its mark when it came back under the name it had in a guest."""
    link = host.links.get(name)
    return link or next((link for link in host.links.values() if _marked_as(link) == name), None)


def _marked_as(link: Link) -> str:
    mark = ownership.read(link)
    return mark.nic if mark is not None and mark.kind == Phys.kind else ""


def _radio(scene: Scene) -> str:
    """Return the name of the radio the NIC belongs to, such as phy0; empty when it is no Wi-Fi device."""
    answer = scene.answers.get("radio")
    return answer.stdout.strip() if answer is not None and answer.code == 0 else ""


def _home(scene: Scene) -> str:
    answer = scene.answers.get("home")
    return answer.stdout if answer else ""


def _check(scene: Scene, link: Link) -> None:
    """Raise for a NIC that cannot be moved, and for one that others would miss."""
    name = link.name
    if link.layer == "loopback":
        raise HostError(f"{name} is a loopback, and every guest has its own.", hint="name a NIC")
    if link.kind in _IMMOVABLE or name in (scene.host.ovs_bridges or ()):
        what = link.kind if link.kind in _IMMOVABLE else "bridge of Open vSwitch"
        raise HostError(
            f"{name} is a {what}, which the kernel keeps where it was made.",
            hint=f"leave --direct-phys out to connect the guest to {name}",
        )
    if link.master in _SWITCHES:
        raise HostError(
            f"{name} is a port of Open vSwitch, which would hold on to it.",
            hint=f"take it off first: ovs-vsctl del-port {name}",
        )
    mark = ownership.read(link)
    if (mark is not None and mark.kind != Phys.kind) or (mark is None and link.group == BIRTH_GROUP):
        raise ConflictError(
            f"{name} is an interface that pipework made for other guests.", hint="name the NIC below it, or another"
        )
    above = sorted(other.name for other in scene.host.links.values() if other.parent == name and other.kind in _ON_TOP)
    if above:
        raise ConflictError(
            f"{name} carries {', '.join(above)}, which would be cut off.",
            hint="delete what is on top of it, or leave --direct-phys out",
        )
    if scene.attachment.vlan and not _is_vlan(scene, link):
        raise HostError(
            f"the host has an interface {name} that is not VLAN {vlan_id(scene.attachment.vlan)} "
            f"of {scene.attachment.host}.",
            hint=f"rename it, or look at it with ip -details link show dev {name}",
        )
    if nic_state.default_route(_home(scene), name) and not iproute.switched_on(scene.attachment, _TAKE_ROUTE):
        raise HostError(
            f"the host's default route goes through {name}, and the host would be cut off.",
            hint="if that is what you want, add -o take-default-route=1",
        )


def _is_vlan(scene: Scene, link: Link) -> bool:
    parent = scene.host.links.get(scene.attachment.host)
    below = parent is not None and (link.parent == parent.name or (link.peer_elsewhere and link.peer == parent.ifindex))
    return link.kind == "vlan" and below and link.data.get("id") == vlan_id(scene.attachment.vlan)


def _moved(scene: Scene, link: Link, mark: Mark) -> Plan:
    """Mark the NIC, move it, and set what is asked for; undoing brings it home as it was."""
    attachment, guest = scene.attachment, scene.guest
    name, interface = link.name, attachment.interface
    ours = link.group == BIRTH_GROUP  # a run that was killed before it moved the NIC: what it wrote is not to stay
    group, alias = ("default", "") if ours else (link.group, link.alias)
    announced = ip(
        *("link", "set", "dev", name, "group", BIRTH_GROUP, "alias", mark.alias),
        undo=[ip("link", "set", "dev", name, "group", group, "alias", alias)],
        why=f"mark {name}, so that it is recognised wherever it is",
    )
    back = [ip("link", "set", "dev", name, *_settings(attachment, link))] if _changes(attachment) else []
    settled = nic_state.settled(link, _home(scene))
    back += settled
    radio = _radio(scene)
    if not radio:
        leave = ip("link", "set", "dev", interface, "netns", HOST.path, "name", name, netns=guest.netns)
        enter = ip(
            *("link", "set", "dev", name, "netns", guest.netns.path, "name", interface),
            undo=[leave, *back],
            why=f"move {name} into {guest.name}, as {interface}",
        )
        steps = [announced, enter]
    else:
        _free_for_radio(scene, name)
        # A radio moves with all of its interfaces, and `ip` cannot move one of them (netns_immutable, net/wireless).
        leave = Command(argv=("iw", "phy", radio, "set", "netns", "name", HOST.path), netns=guest.netns)
        enter = Command(
            argv=("iw", "phy", radio, "set", "netns", "name", guest.netns.path),
            undo=(leave, *back),
            why=f"move {name} and its radio {radio} into {guest.name}",
        )
        steps = [announced, enter, _rename(scene, name)]
    return Plan(steps=(*steps, *_set(scene, link, undo=False)), warnings=_lost(name, settled))


def _lost(name: str, settled: Iterable[Command]) -> tuple[str, ...]:
    """Warn of what the NIC has on the host beyond its state: no mark could hold it until it comes home."""
    lost = [step for step in settled if step.argv[-1] != "up"]
    said = f"{name} loses its addresses, routes and bridge or bond on this host, and detach does not bring these back."
    return (said,) if lost else ()


def _free_for_radio(scene: Scene, name: str) -> None:
    """Raise ConflictError when the guest has that name: the kernel would give the radio's interface another one."""
    if name in scene.inside.links:
        raise ConflictError(f"{scene.guest.name} has an interface {name} already.", hint=f"rename {name} on the host")


def _rename(scene: Scene, name: str) -> Command:
    interface, netns = scene.attachment.interface, scene.guest.netns
    down = ip("link", "set", "dev", interface, "down", netns=netns)  # it may have been raised; none up is renamed
    return ip(
        *("link", "set", "dev", name, "name", interface),
        netns=netns,
        undo=[down, ip("link", "set", "dev", interface, "name", name, netns=netns)],
        why=f"call {name} {interface} in {scene.guest.name}",
    )


def _changes(attachment: Attachment) -> bool:
    return bool(attachment.mac or attachment.mtu)


def _settings(attachment: Attachment, link: Link) -> tuple[str, ...]:
    """Return the words that give `link` back what the request changes on it."""
    mac = ("address", link.mac) if attachment.mac else ()
    return (*mac, *(("mtu", str(link.mtu)) if attachment.mtu else ()))


def _set(scene: Scene, link: Link, *, undo: bool) -> list[Command]:
    """Return what gives the NIC the MAC and the MTU that were asked for, where it has others."""
    attachment, netns = scene.attachment, scene.guest.netns
    mac = ("address", attachment.mac) if attachment.mac not in {"", link.mac} else ()
    mtu = ("mtu", str(attachment.mtu)) if attachment.mtu not in {None, link.mtu} else ()
    if not mac and not mtu:
        return []
    words = ("link", "set", "dev", attachment.interface)
    before = [ip(*words, *_settings(attachment, link), netns=netns)] if undo else []
    return [ip(*words, *mac, *mtu, netns=netns, undo=before, why=f"set what was asked for on {attachment.interface}")]


def _completed(scene: Scene, link: Link) -> Plan:
    nic = _marked_as(link) or f"VLAN {scene.attachment.vlan} of {scene.attachment.host}"
    steps = _set(scene, link, undo=True)
    return Plan(steps=tuple(steps), notes=() if steps else (f"{link.name} of {scene.guest.name} is {nic}",))


def _renamed(scene: Scene) -> Plan:
    """Complete a run that was killed between moving a radio and renaming its interface; raise when there is none."""
    attachment = scene.attachment
    found = next((link for link in scene.inside.links.values() if _marked_as(link) == attachment.host), None)
    if found is None:
        raise HostError(
            f"the host has no interface {attachment.host!r}.",
            hint="`ip link` shows those it has; this one may be in another guest",
        )
    if found.group != BIRTH_GROUP:
        raise ConflictError(
            f"{attachment.host} is in {scene.guest.name} already, as {found.name}.",
            hint=f"ask for it there with -i {found.name}",
        )
    return Plan(steps=(_rename(scene, found.name), *_set(scene, found, undo=False)))


def _vlan(scene: Scene) -> Plan:
    """Make the VLAN of the NIC straight in the guest; it is deleted with the guest, and so nothing has to come home."""
    attachment = scene.attachment
    parent = iproute.parent_link(scene)
    vid = vlan_id(attachment.vlan)
    mtu = iproute.chosen_mtu(scene, parent)
    raised = [] if parent.up else [raise_shared(parent)]
    create = ip(
        *("link", "add", "link", parent.name, *iproute.in_guest(scene, "mtu", str(mtu))),
        *("type", "vlan", "id", str(vid)),
        undo=[iproute.delete_in_guest(scene)],
        why=f"make {attachment.interface} in {scene.guest.name}, VLAN {vid} of {parent.name}",
    )
    return Plan(steps=(*raised, create))


def _brought_home(scene: Scene, link: Link, mark: Mark) -> Clearing:
    name, netns = mark.nic, scene.guest.netns
    if name in scene.host.links:
        raise ConflictError(
            f"{link.name} of {scene.guest.name} was {name} on the host, which has another {name} by now.",
            hint=f"rename the host's {name}",
        )
    routes = [route for route in scene.inside.routes if route.dev == link.name and not route.kernel]
    settings = (*(("address", link.mac) if mark.mac else ()), *(("mtu", str(link.mtu)) if mark.mtu else ()))
    again = [ip("link", "set", "dev", link.name, *settings, netns=netns)] if settings else []
    again += restore(link, routes, netns)
    why = f"bring {link.name} home, as {name}"
    # In our group it is known for one that is on its way, which the next run finishes when this one is killed.
    if mark.phy:
        steps = _radio_home(scene, link, mark, again, why)
    else:
        enter = ip("link", "set", "dev", name, "netns", netns.path, "name", link.name, "group", link.group)
        leave = ("link", "set", "dev", link.name, "netns", HOST.path, "name", name, "group", BIRTH_GROUP)
        steps = [ip(*leave, netns=netns, undo=[enter, *again], why=why)]
    home_words = (*_original(mark), *(("up",) if mark.state == "up" else ()))
    if home_words:
        undo = [ip("link", "set", "dev", name, "down")]
        steps.append(ip("link", "set", "dev", name, *home_words, undo=undo, why=f"give {name} back what it had"))
    steps.append(
        ip(
            *("link", "set", "dev", name, "group", "default", "alias", ""),
            undo=[ip("link", "set", "dev", name, "group", BIRTH_GROUP, "alias", link.alias)],
            why=f"take the mark off {name}",
        )
    )
    if scene.leaving:  # in front: nobody would know of them when the run is killed behind the mark
        steps = [*given_back(scene, link, mark), *steps]
    else:
        steps += [put_back(route, netns) for route in earlier_defaults(scene, link, mark)]
    there = link._replace(
        name=name,
        alias="",
        group="default",
        up=mark.state == "up",
        addresses=(),
        mac=mark.mac or link.mac,
        mtu=int(mark.mtu or link.mtu),
    )
    inside = without(scene, link, mark)
    host = scene.host._replace(links={**scene.host.links, name: there})
    radio = {"radio": Outcome(code=0, stdout=mark.phy)} if mark.phy else {}
    then = scene._replace(inside=inside, host=host, answers={**scene.answers, **radio})
    return Clearing(scene=then, before=Plan(steps=tuple(steps)))


def _original(mark: Mark) -> tuple[str, ...]:
    """Return the words that give a NIC what the request changed on it."""
    return (*(("address", mark.mac) if mark.mac else ()), *(("mtu", mark.mtu) if mark.mtu else ()))


def _radio_home(scene: Scene, link: Link, mark: Mark, again: list[Command], why: str) -> list[Command]:
    """Rename the radio's interface while it is in the guest, since the host may have one of the guest's name."""
    netns, words = scene.guest.netns, ("iw", "phy", mark.phy, "set", "netns", "name")
    group = ("group", BIRTH_GROUP)
    back = ip("link", "set", "dev", mark.nic, "name", link.name, "group", link.group, netns=netns)
    return [
        ip("link", "set", "dev", link.name, "down", netns=netns, undo=again, why=why),
        ip("link", "set", "dev", link.name, "name", mark.nic, *group, netns=netns, undo=[back]),
        Command(
            argv=(*words, HOST.path), netns=netns, undo=(Command(argv=(*words, netns.path)),), why=f"with {mark.phy}"
        ),
    ]


def pipework_backends() -> list[Phys]:
    """Register it."""
    return [Phys()]
