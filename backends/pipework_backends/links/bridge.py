"""Linux bridges: a veth pair. One end is a port of the bridge, the other is created in the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import bridge_vlan
from pipework_backends.links.bridge_causes import cause_queries, list_causes
from pipework_core.model.context import Claims, SharedResource
from pipework_core.model.errors import HostError
from pipework_core.model.ownership import FILTERING, PENDING_GROUP, RAISED, Tag, group_for, is_pending, read_changes
from pipework_core.model.plan import Command, Plan
from pipework_core.model.snapshot import LinkDetails
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.spec.grammar import parse_vlan
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.shared import (
    MACHINE_QUERY,
    change_words,
    choose_bridge_mac,
    is_made_by_us,
    is_used,
    raise_link,
)
from pipework_core.toolkit.veth import VETH, find_veth_peer, make_veth, require_veth_peer, tag_veth

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipework_backends.links.bridge_vlan import Vlans
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.snapshot import Snapshot

#: BR_MAX_PORTS in net/bridge/br_private.h is 1024, but the kernel gives no port the number 0 (find_portno, br_if.c).
PORTS_MAX = 1023
_FILTERING = "vlan_filtering"
_MACHINE = "machine"


class LinuxBridge(LinkBackend):
    """`bridge:NAME`; a bare name of a bridge, or one that starts with `br` and does not exist yet."""

    kind = "bridge"
    link_kind = VETH
    claims = Claims(prefix="br", link_kinds=("bridge",))
    options: Mapping[str, str] = {
        _FILTERING: "1: let @VID turn VLAN filtering on, on a bridge that has ports of others already",
    }

    def queries(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Read the VLANs of the ports, where that matters; what the firewall does; of a new bridge who makes it."""
        is_there = attachment.host in host.links
        vlans = {"vlans": bridge_vlan.QUERY} if attachment.vlan and is_there else {}
        machine = {} if is_there else {_MACHINE: MACHINE_QUERY}
        return {**vlans, **cause_queries(attachment, host), **machine}

    def matches(self, context: Context, link: Link) -> bool:
        """Accept a veth whose host end is a port of the bridge, or of none yet."""
        peer = find_veth_peer(context, link)
        return peer is not None and peer.master in {"", context.attachment.host}

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Name the bridge if pipework made it, or what pipework changed on a bridge of somebody else."""
        link = context.host_state.links.get(tag.parent)
        if link is None or link.kind != "bridge":
            return ()
        here = context.guest_state.links.get(context.attachment.interface)
        peer = find_veth_peer(context, here) if here is not None else None
        going = frozenset({peer.name} if peer is not None else ())
        used = is_used(context.host_state, link, without=going)
        if is_made_by_us(link, "bridge") and not used:
            return (SharedResource(name=link.name, remove=_delete_bridge(link.name), hidden=True),)
        return _restore_bridge(context, link, going, used=used)

    def find_shared_tag(self, link: Link) -> Tag | None:
        """Return the tag of a bridge; with a VLAN where we let it filter, so that those of its ports are read."""
        vlan = "1" if read_changes(link) & FILTERING else ""
        return Tag(kind=self.kind, parent=link.name, vlan=vlan) if link.kind == "bridge" else None

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Accept a pair whose end on the host is not a port of a switch that keeps its ports itself."""
        return super().recognises(snapshot, link, tag, host_end) and not (host_end and host_end.name in snapshot.ports)

    def describe(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> LinkDetails:
        """Name the bridge that the host's end is a port of."""
        del snapshot, link
        return LinkDetails(parent=host_end.master if host_end else tag.parent, vlan=tag.vlan)

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Delete unused veth pairs, whatever switch they are on, and our bridges that have no port."""
        from pipework_backends.links import garbage  # noqa: PLC0415 - an attachment does not need it

        bridges = [_delete_bridge(link.name) for link in garbage.find_unused_bridges(snapshot)]
        return garbage.delete_pairs(snapshot) + garbage.plan_cleanup(*bridges)

    def create(self, context: Context) -> Plan:
        """Make the bridge when it is missing, then the port."""
        attachment = context.attachment
        bridge = _find_bridge(context)
        made = self._prepare_bridge(context, bridge) + Plan(warnings=list_causes(context, bridge))
        mtu = iproute.choose_mtu(context, bridge)
        if len(context.host_state.ports(attachment.host)) >= PORTS_MAX:
            raise HostError(
                f"the bridge {attachment.host} has {PORTS_MAX} ports, and Linux bridges hold no more.",
                hint="use a second bridge",
            )
        # A port of a VLAN stays down until it is out of the bridge's default VLAN: no frame goes the wrong way.
        name, made_veth = make_veth(context, mtu=mtu, master=attachment.host, up=not attachment.vlan)
        if not attachment.vlan:
            return made + made_veth
        vlan = bridge_vlan.make_access_port(
            name, parse_vlan(attachment.vlan), bridge_vlan.list_default_vlans(bridge), undo=False
        )
        return made + made_veth + Plan(steps=(*vlan, ip("link", "set", "dev", name, "up", reason=f"raise {name}")))

    def complete(self, context: Context, link: Link) -> Plan:
        """Make the bridge when it is missing, and correct the port."""
        return self._prepare_bridge(context, _find_bridge(context)) + self._complete_port(context, link)

    def make_switch(self, context: Context) -> Plan:
        """Make the bridge, or raise it, so that the host can take part in it."""
        return self._prepare_bridge(context, context.host_state.links.get(context.attachment.host))

    def _prepare_bridge(self, context: Context, bridge: Link | None) -> Plan:
        attachment = context.attachment
        name = attachment.host
        if bridge is None:
            mac = choose_bridge_mac(name, context.answers.get(_MACHINE))
            words = (*(("mtu", str(attachment.mtu)) if attachment.mtu else ()), *(("address", mac) if mac else ()))
            kind = ("type", "bridge", *(("vlan_filtering", "1") if attachment.vlan else ()))
            create = ip(
                *("link", "add", "name", name, *words, "group", PENDING_GROUP, *kind),
                undo=[ip("link", "delete", "dev", name, guard=_query_ports(name))],
                reason=f"create the bridge {name}",
            )
            return Plan(steps=(create, _tag_bridge(name)))
        unfinished = bridge.group == PENDING_GROUP
        steps = [_tag_bridge(name)] if unfinished else []
        if not unfinished and not bridge.up:
            steps.append(raise_link(bridge))
        if attachment.vlan and not bridge.data.get("vlan_filtering"):
            steps.append(self._turn_on_filtering(context, name))
        return Plan(steps=tuple(steps), notes=() if steps else (f"the bridge {name} exists and is up",))

    def _turn_on_filtering(self, context: Context, name: str) -> Command:
        """Turn filtering on; raise HostError when the bridge has ports that may rely on tags passing through."""
        if context.host_state.ports(name) and not iproute.is_option_on(context.attachment, _FILTERING):
            raise HostError(
                f"the bridge {name} does not filter VLANs, and turning that on would change what its ports can send.",
                hint="if that is what you want, add -o vlan_filtering=1",
            )
        bridge = context.host_state.links[name]
        raised = 0 if bridge.up or bridge.group == PENDING_GROUP else RAISED  # by the command before this one
        if bridge.group == PENDING_GROUP:
            bridge = bridge._replace(group="default")
        words: tuple[str, ...] = ("link", "set", "dev", name)
        kind = ("type", "bridge", "vlan_filtering")
        undo = [ip(*words, *change_words(bridge, raised), *kind, "0", only_if_uncontended=True)]
        words = (*words, *change_words(bridge, raised | FILTERING))
        return ip(*words, *kind, "1", undo=undo, reason=f"let {name} keep VLANs apart")

    def _complete_port(self, context: Context, link: Link) -> Plan:
        """Correct a port that a killed run did not finish, or that somebody changed.

        VLANs that somebody gave a finished port of this bridge beside its own are not ours to take.
        """
        peer = require_veth_peer(context, link)
        attachment, words = context.attachment, ("link", "set", "dev", peer.name)
        down, up = ip(*words, "down"), ip(*words, "up")
        steps = [tag_veth(context, peer.name)] if peer.group == PENDING_GROUP else []
        is_up, vlans = peer.up, _parse_vlans_of(context, peer.name)
        theirs = frozenset() if is_pending(link) else frozenset(vlans)
        if peer.master != attachment.host:
            if is_up and attachment.vlan:  # as a new port it is in the bridge's default VLAN at first
                steps.append(ip(*words, "down", undo=[up], reason=f"let nothing through {peer.name} meanwhile"))
                is_up = False
            steps.append(self._move_port(context, peer, vlans))
            vlans, theirs = bridge_vlan.list_default_vlans(context.host_state.links.get(attachment.host)), frozenset()
        if attachment.vlan:
            vid = parse_vlan(attachment.vlan)
            steps += bridge_vlan.make_access_port(peer.name, vid, vlans, undo=True, leave=theirs)
        if not is_up:
            steps.append(ip(*words, "up", undo=[down], reason=f"raise {peer.name}"))
        return Plan(steps=tuple(steps), notes=() if steps else (f"{link.name} is a port of {attachment.host}",))

    def _move_port(self, context: Context, peer: Link, vlans: Vlans) -> Command:
        """Return what makes the host's end a port of the bridge; it is a port of no bridge or of another one."""
        words, bridge = ("link", "set", "dev", peer.name), context.attachment.host
        undo = [ip(*words, *(("master", peer.master) if peer.master else ("nomaster",)))]
        if peer.master and vlans:
            undo += bridge_vlan.restore_vlans(
                peer.name, vlans, bridge_vlan.list_default_vlans(context.host_state.links[peer.master])
            )
        return ip(*words, "master", bridge, undo=undo, reason=f"make {peer.name} a port of {bridge}")


def _find_bridge(context: Context) -> Link | None:
    """Return the bridge, None when it is missing; raise HostError for an interface that is no bridge."""
    attachment = context.attachment
    bridge = context.host_state.links.get(attachment.host)
    if bridge is not None and bridge.kind != "bridge":
        raise HostError(
            f"{bridge.name} is no Linux bridge but {bridge.kind or 'a physical interface'}.",
            hint="leave bridge: out, or name another bridge",
        )
    iproute.is_option_on(attachment, _FILTERING)
    return bridge


def _restore_bridge(context: Context, link: Link, going: Collection[str], *, used: bool) -> tuple[SharedResource, ...]:
    """Return what undoes our changes to a bridge, raising it and filtering, if nobody needs them any more."""
    bits = read_changes(link)
    lower = bits & RAISED and not used
    open_up = bits & FILTERING and not _has_vlans(context, link, going)
    if not lower and not open_up:
        return ()
    bits &= (RAISED | FILTERING) & ~(RAISED if lower else 0) & ~(FILTERING if open_up else 0)
    words = (*(("down",) if lower else ()), "group", group_for(bits))
    kind = ("type", "bridge", "vlan_filtering", "0") if open_up else ()
    remove = ip(
        *("link", "set", "dev", link.name, *words, *kind),
        guard=_query_ports(link.name) if lower else None,
        reason=f"put {link.name} back as it was found",
    )
    return (SharedResource(name=link.name, remove=remove, hidden=bool(lower)),)


def _has_vlans(context: Context, link: Link, going: Collection[str]) -> bool:
    """Whether the bridge, or a port that stays, is in other VLANs than the bridge's default.

    Whose they are does not matter: without filtering their frames would mingle.
    """
    if "vlans" not in context.answers:
        return True
    names = {link.name, *(port.name for port in context.host_state.ports(link.name))} - set(going)
    return any(_parse_vlans_of(context, name) not in ({}, bridge_vlan.list_default_vlans(link)) for name in names)


def _tag_bridge(name: str) -> Command:
    return ip(
        *("link", "set", "dev", name, "group", "default", "alias", Tag(kind="bridge").alias, "up"),
        reason=f"raise {name} and mark it as made by pipework",
    )


def _delete_bridge(name: str) -> Command:
    words = ("link", "delete", "dev", name)
    return ip(*words, guard=_query_ports(name), reason=f"remove the bridge {name}, which has no port")


def _query_ports(bridge: str) -> Command:
    return Command(argv=("ip", "-json", "link", "show", "master", bridge), reason=f"see whether {bridge} has ports")


def _parse_vlans_of(context: Context, port: str) -> Vlans:
    answer = context.answers.get("vlans")
    return bridge_vlan.parse_vlans(answer.stdout, port) if answer else {}


@hookimpl
def pipework_backends() -> list[LinuxBridge]:
    """Register the bridge."""
    return [LinuxBridge()]
