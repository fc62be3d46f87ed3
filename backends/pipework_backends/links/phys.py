"""The NIC itself, moved into the guest: for SR-IOV functions, Wi-Fi, and NICs that cannot be shared.

The NIC carries its mark from before the move, together with our birth group: killed at any moment, a run leaves a NIC
that the next run recognises, on either side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import nic_state, ovsdb
from pipework_backends.links.nic_return import (
    belongs_home,
    bring_home,
    find_host_side,
    is_hardware,
    list_original_words,
)
from pipework_core.model import ownership
from pipework_core.model.context import Replacement, SharedResource
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import HOST, Command, Plan
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.spec.grammar import parse_vlan
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import (
    rename_aside,
)
from pipework_core.toolkit.shared import has_parent, lower_link, raise_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.snapshot import Snapshot

#: These stay where they were made (netns_immutable, before 6.15 NETIF_F_NETNS_LOCAL, in their drivers).
_IMMOVABLE = frozenset({"bridge", "bond", "team", "vrf", "openvswitch"})
#: These are on top of one interface: moving it would cut them off.
_ON_TOP = frozenset({"vlan", "macvlan", "macvtap", "ipvlan", "ipvtap"})
_SWITCHES = frozenset({"ovs-system", "openvswitch"})
#: The device of a bridge in the user-space datapath is a tap. Without Open vSwitch (127) there is no such bridge.
_BRIDGES = ovsdb.BRIDGES._replace(ok_codes=frozenset({0, 127}))
_TAKE_ROUTE = "take-default-route"


class Phys(LinkBackend):
    """`phys:NIC` or `--direct-phys NIC`; never chosen for a bare name."""

    kind = "phys"
    moves_nic = True
    options: Mapping[str, str] = {_TAKE_ROUTE: "1: move a NIC that the host's default route goes through"}

    def queries(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Read what the NIC will need when it comes home, and whether it is a radio; nothing if it is elsewhere."""
        link = _find_on_host(host, _nic_name(attachment))
        if link is None:
            return {}
        path = f"/sys/class/net/{link.name}/phy80211/name"
        radio = Command(argv=("cat", path), ok_codes=frozenset({0, 1}), reason=f"see whether {link.name} is a radio")
        found = {"home": nic_state.QUERY, "radio": radio}
        return {**found, "bridges": _BRIDGES} if link.kind == "tun" else found

    def matches(self, context: Context, link: Link) -> bool:
        """Accept the NIC itself, or the VLAN that is made of it."""
        tag = ownership.read_tag(link)
        if tag is not None:
            return tag.kind == self.kind and tag.nic == _nic_name(context.attachment)
        return bool(context.attachment.vlan) and _is_vlan(context, link)

    def tag(self, context: Context) -> Tag:
        """Remember what the NIC was called and whether it was up, and what else the request changes on it."""
        attachment = context.attachment
        tag = Tag(kind=self.kind, parent=attachment.host, vlan=attachment.vlan)
        link = _find_on_host(context.host_state, _nic_name(attachment))
        if link is None:
            return tag
        earlier = ownership.read_tag(link) or tag
        return tag._replace(
            nic=earlier.nic or link.name,
            state=earlier.state or ("up" if link.up else "down"),
            mac=earlier.mac or (link.mac if attachment.mac else ""),
            mtu=earlier.mtu or (str(link.mtu) if attachment.mtu else ""),
            phy=_read_radio(context),
        )

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Accept hardware, and what hangs on the host: what a guest can make itself is no NIC of ours."""
        del host_end
        made_here = link.kind == "vlan" and not tag.nic and has_parent(snapshot, link, tag)
        return is_hardware(link) or made_here or find_host_side(snapshot.host_state, link) is not None

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Restore the NICs that came home when their guest ended."""
        from pipework_backends.links import garbage  # noqa: PLC0415 - an attachment does not need it

        return garbage.restore_nics(snapshot)

    def refuse_unsupported(self, attachment: Attachment) -> None:
        """Raise UsageError for a name of the host's end, and for an option that is neither 0 nor 1."""
        if attachment.host_name:
            raise UsageError("a NIC that moves leaves no end on the host that -l could name.", hint="leave -l out")
        iproute.is_option_on(attachment, _TAKE_ROUTE)

    def complete(self, context: Context, link: Link) -> Plan:
        """Set what was asked for on a NIC that is in the guest already."""
        return _complete_nic(context, link)

    def create(self, context: Context) -> Plan:
        """Move the NIC, or complete what an earlier run began."""
        attachment = context.attachment
        link = _find_on_host(context.host_state, _nic_name(attachment))
        if link is not None:
            _check_nic(context, link)
            return _move_nic(context, link, self.tag(context))
        if attachment.vlan:
            return _create_vlan(context)
        return _complete_radio(context)

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Bring the NIC home; undoing moves it into the guest again. A VLAN that we made is renamed aside."""
        return bring_home(context, link, tag) if tag.nic else rename_aside(context, link, tag)

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Finish a NIC that a killed run brought home; lower the parent of a VLAN that was raised for it."""
        if not tag.nic:
            return lower_link(context.host_state, tag.parent)
        link = _find_on_host(context.host_state, tag.nic)
        if context.attachment.interface or link is None or _read_nic(link) != tag.nic or link.group != PENDING_GROUP:
            return ()
        if not belongs_home(link):
            return ()
        called = ("name", tag.nic) if link.name != tag.nic else ()
        words = (*called, "group", "default", "alias", "", *list_original_words(tag))
        words = (*words, *(("up",) if tag.state == "up" else ()))
        remove = ip("link", "set", "dev", link.name, *words, reason=f"give {tag.nic} back what it had")
        return (SharedResource(name=link.name, remove=remove),)


def _nic_name(attachment: Attachment) -> str:
    return f"{attachment.host}.{parse_vlan(attachment.vlan)}" if attachment.vlan else attachment.host


def _find_on_host(host: HostState, name: str) -> Link | None:
    """Return the NIC on the host: by its name, or by its tag when it came back under the name it had in a guest."""
    if not name:
        return None
    link = host.links.get(name)
    return link or next((link for link in host.links.values() if _read_nic(link) == name), None)


def _read_nic(link: Link) -> str:
    tag = ownership.read_tag(link)
    return tag.nic if tag is not None and tag.kind == Phys.kind else ""


def _read_radio(context: Context) -> str:
    """Return the name of the radio the NIC belongs to, such as phy0; empty when it is no Wi-Fi device."""
    answer = context.answers.get("radio")
    return answer.stdout.strip() if answer is not None and answer.code == 0 else ""


def _list_bridges(context: Context) -> list[str]:
    """Return the names of Open vSwitch's bridges; empty where the device cannot be one, or the switch is missing."""
    answer = context.answers.get("bridges")
    return answer.stdout.splitlines() if answer else []


def _read_home(context: Context) -> str:
    answer = context.answers.get("home")
    return answer.stdout if answer else ""


def _check_nic(context: Context, link: Link) -> None:
    """Raise for a NIC that cannot be moved, and for one that the host or other guests need."""
    name = link.name
    if link.layer == "loopback":
        raise HostError(f"{name} is a loopback, and every guest has its own.", hint="name a NIC")
    if link.kind in _IMMOVABLE or name in _list_bridges(context):
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
    tag = ownership.read_tag(link)
    if (tag is not None and tag.kind != Phys.kind) or (tag is None and link.group == PENDING_GROUP):
        raise ConflictError(
            f"{name} is an interface that pipework made for other guests.", hint="name the NIC below it, or another"
        )
    above = sorted(
        other.name for other in context.host_state.links.values() if other.parent == name and other.kind in _ON_TOP
    )
    if above:
        raise ConflictError(
            f"{name} carries {', '.join(above)}, which would be cut off.",
            hint="delete what is on top of it, or leave --direct-phys out",
        )
    strangers = [child.name for child in context.above.get(link.ifindex, ()) if ownership.read_tag(child) is None]
    if strangers:
        raise ConflictError(
            f"{name} carries {', '.join(sorted(strangers))} of other networks of this host, which would be cut off.",
            hint="delete what is on top of it, or leave --direct-phys out",
        )
    if context.attachment.vlan and not _is_vlan(context, link):
        raise HostError(
            f"the host has an interface {name} that is not VLAN {parse_vlan(context.attachment.vlan)} "
            f"of {context.attachment.host}.",
            hint=f"rename it, or look at it with ip -details link show dev {name}",
        )
    if nic_state.find_default_route(_read_home(context), name) and not iproute.is_option_on(
        context.attachment, _TAKE_ROUTE
    ):
        raise HostError(
            f"the host's default route goes through {name}, and the host would be cut off.",
            hint="if that is what you want, add -o take-default-route=1",
        )


def _is_vlan(context: Context, link: Link) -> bool:
    parent = context.host_state.links.get(context.attachment.host)
    below = parent is not None and (link.parent == parent.name or (link.peer_elsewhere and link.peer == parent.ifindex))
    return link.kind == "vlan" and below and link.data.get("id") == parse_vlan(context.attachment.vlan)


def _move_nic(context: Context, link: Link, tag: Tag) -> Plan:
    """Tag the NIC, move it, and set what was asked for; undoing brings it home as it was."""
    attachment, guest = context.attachment, context.guest
    name, interface = link.name, attachment.interface
    ours = link.group == PENDING_GROUP  # of a run that was killed before it moved the NIC: undoing removes its tag
    group, alias = ("default", "") if ours else (link.group, link.alias)
    announced = ip(
        *("link", "set", "dev", name, "group", PENDING_GROUP, "alias", tag.alias),
        undo=[ip("link", "set", "dev", name, "group", group, "alias", alias)],
        reason=f"mark {name}, so that it is recognised wherever it is",
    )
    back = [ip("link", "set", "dev", name, *_original_settings(attachment, link))] if _has_changes(attachment) else []
    settled = nic_state.restore_settings(link, _read_home(context))
    back += settled
    radio = _read_radio(context)
    if not radio:
        leave = ip("link", "set", "dev", interface, "netns", HOST.path, "name", name, netns=guest.netns)
        enter = ip(
            *("link", "set", "dev", name, "netns", guest.netns.path, "name", interface),
            undo=[leave, *back],
            reason=f"move {name} into {guest.name}, as {interface}",
        )
        steps = [announced, enter]
    else:
        _free_for_radio(context, name)
        # A radio moves with all of its interfaces, and `ip` cannot move one of them (netns_immutable, net/wireless).
        leave = Command(argv=("iw", "phy", radio, "set", "netns", "name", HOST.path), netns=guest.netns)
        enter = Command(
            argv=("iw", "phy", radio, "set", "netns", "name", guest.netns.path),
            undo=(leave, *back),
            reason=f"move {name} and its radio {radio} into {guest.name}",
        )
        steps = [announced, enter, _rename_radio(context, name)]
    warnings = (*_warn_lost(name, settled), *_warn_carried(context, link), *_warn_stays(link))
    return Plan(steps=(*steps, *_set_asked(context, link, undo=False)), warnings=warnings)


def _warn_carried(context: Context, link: Link) -> tuple[str, ...]:
    """Warn of attachments on top of the NIC: they follow it into the guest, and depend on it from then on."""
    ours = sorted(child.name for child in context.above.get(link.ifindex, ()))
    said = f"{link.name} carries {', '.join(ours)} of other guests, which depend on {context.guest.name} from now on."
    return (said,) if ours else ()


def _warn_stays(link: Link) -> tuple[str, ...]:
    """Warn of a kind of link that a guest can make as well: nothing would prove that it is this one."""
    known = is_hardware(link) or link.kind in {"veth", "vlan"}
    said = f"{link.name} is no hardware ({link.kind}): detach will not bring it home, since a guest could forge one."
    return () if known else (said,)


def _warn_lost(name: str, settled: Iterable[Command]) -> tuple[str, ...]:
    """Warn of what the NIC has on the host beyond its state: a tag is too small to keep it."""
    lost = [step for step in settled if step.argv[-1] != "up"]
    said = f"{name} loses its addresses, routes and bridge or bond on this host, and detach does not bring these back."
    return (said,) if lost else ()


def _free_for_radio(context: Context, name: str) -> None:
    """Raise ConflictError when the guest has that name: the kernel would give the radio's interface another one."""
    if name in context.guest_state.links:
        raise ConflictError(f"{context.guest.name} has an interface {name} already.", hint=f"rename {name} on the host")


def _rename_radio(context: Context, name: str) -> Command:
    interface, netns = context.attachment.interface, context.guest.netns
    down = ip(
        "link", "set", "dev", interface, "down", netns=netns
    )  # it may be up, and the kernel does not rename a link that is up
    return ip(
        *("link", "set", "dev", name, "name", interface),
        netns=netns,
        undo=[down, ip("link", "set", "dev", interface, "name", name, netns=netns)],
        reason=f"call {name} {interface} in {context.guest.name}",
    )


def _has_changes(attachment: Attachment) -> bool:
    return bool(attachment.mac or attachment.mtu)


def _original_settings(attachment: Attachment, link: Link) -> tuple[str, ...]:
    """Return the words that give `link` back what the request changes on it."""
    mac = ("address", link.mac) if attachment.mac else ()
    return (*mac, *(("mtu", str(link.mtu)) if attachment.mtu else ()))


def _set_asked(context: Context, link: Link, *, undo: bool) -> list[Command]:
    """Return what gives the NIC the MAC and the MTU that were asked for, where it has others."""
    attachment, netns = context.attachment, context.guest.netns
    mac = ("address", attachment.mac) if attachment.mac not in {"", link.mac} else ()
    mtu = ("mtu", str(attachment.mtu)) if attachment.mtu not in {None, link.mtu} else ()
    if not mac and not mtu:
        return []
    words = ("link", "set", "dev", attachment.interface)
    before = [ip(*words, *_original_settings(attachment, link), netns=netns)] if undo else []
    return [
        ip(*words, *mac, *mtu, netns=netns, undo=before, reason=f"set what was asked for on {attachment.interface}")
    ]


def _complete_nic(context: Context, link: Link) -> Plan:
    nic = _read_nic(link) or f"VLAN {context.attachment.vlan} of {context.attachment.host}"
    steps = _set_asked(context, link, undo=True)
    return Plan(steps=tuple(steps), notes=() if steps else (f"{link.name} of {context.guest.name} is {nic}",))


def _complete_radio(context: Context) -> Plan:
    """Complete a run that was killed between moving a radio and renaming its interface; raise when there is none."""
    attachment = context.attachment
    found = next((link for link in context.guest_state.links.values() if _read_nic(link) == attachment.host), None)
    if found is None:
        raise HostError(
            f"the host has no interface {attachment.host!r}.",
            hint="`ip link` shows those it has; this one may be in another guest",
        )
    if found.group != PENDING_GROUP:
        raise ConflictError(
            f"{attachment.host} is in {context.guest.name} already, as {found.name}.",
            hint=f"ask for it there with -i {found.name}",
        )
    return Plan(steps=(_rename_radio(context, found.name), *_set_asked(context, found, undo=False)))


def _create_vlan(context: Context) -> Plan:
    """Create the VLAN of the NIC in the guest. It is deleted with the guest, so nothing has to come home."""
    attachment = context.attachment
    parent = iproute.find_parent(context)
    vid = parse_vlan(attachment.vlan)
    mtu = iproute.choose_mtu(context, parent)
    raised = [] if parent.up else [raise_link(parent)]
    create = ip(
        *("link", "add", "link", parent.name, *iproute.guest_link_words(context, "mtu", str(mtu))),
        *("type", "vlan", "id", str(vid)),
        undo=[iproute.delete_guest_link(context)],
        reason=f"make {attachment.interface} in {context.guest.name}, VLAN {vid} of {parent.name}",
    )
    return Plan(steps=(*raised, create))


@hookimpl
def pipework_backends() -> list[Phys]:
    """Register it."""
    return [Phys()]
