"""Open vSwitch: a veth pair. One end is a port of the switch, the other is created in the guest.

The switch keeps its configuration in a database of its own, which `ovs-vsctl` changes; `external_ids` carry the keys
that the shell version wrote, so whatever reads those still works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import ovsdb
from pipework_backends.links.ovs_port import (
    DONE_OR_WAITING,
    USER_SPACE,
    add_port,
    adjust_port,
    check_port,
    choose_port,
    complete_checksums,
    remove_port,
    remove_stale_port,
)
from pipework_backends.links.ovsdb import LOCAL_PORT, MADE_KEY, VSCTL, Port, Switch
from pipework_core.model.context import Claims, SharedResource
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import Command, Outcome, Plan
from pipework_core.model.snapshot import LinkDetails
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import rename_aside, wants_name_of
from pipework_core.toolkit.shared import MACHINE_QUERY, choose_bridge_mac, is_used
from pipework_core.toolkit.veth import VETH, choose_veth_name, find_veth_peer, make_veth, require_veth_peer, tag_veth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Replacement
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.snapshot import Snapshot, SwitchPort

_MACHINE = "machine"
DATAPATHS = ("system", USER_SPACE)
#: A veth in the kernel's datapath is enslaved to the datapath's device; in user space it has no master.
_MASTERS = frozenset({"", "ovs-system"})
#: Beside the answers of the switch, the name of the port that the plan has taken off it.
_LEFT = "left"
#: More digits than a process number has (PID_MAX_LIMIT in linux/threads.h).
_PID_DIGITS = 8


class OpenVSwitch(LinkBackend):
    """`ovs:NAME`; a bare name of a bridge of Open vSwitch, or one that starts with `ovs` and does not exist yet."""

    kind = "ovs"
    link_kind = VETH
    claims = Claims(prefix="ovs", link_kinds=ovsdb.DEVICES, listing=ovsdb.BRIDGES)
    options: Mapping[str, str] = {
        "datapath": f"of a bridge that is made: {' or '.join(DATAPATHS)} (the kernel's, or the one in user space)",
    }

    def queries(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Read the switch's own tables; for a new bridge, what its MAC depends on."""
        if self.kind not in host.listed:
            return {}
        new = attachment.host not in host.listed[self.kind]
        return {"tables": ovsdb.TABLES, **({_MACHINE: MACHINE_QUERY} if new else {})}

    def matches(self, context: Context, link: Link) -> bool:
        """Accept a veth whose host end is a port of the bridge, or of nothing yet."""
        peer = find_veth_peer(context, link)
        if peer is None or peer.master not in _MASTERS:
            return False
        port = _parse_switch(context).ports.get(peer.name)
        return port is None or port.bridge == context.attachment.host

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Rename the veth aside. Last of all, its port leaves the switch, which does not notice deleted devices.

        Where the request wants its name on the host, the port leaves first: the switch knows ports by name.
        """
        parked = rename_aside(context, link, tag)
        peer = find_veth_peer(context, link)
        if peer is None:
            return parked
        if "tables" in context.answers:
            old = _parse_switch(context).ports.get(peer.name)
        else:  # the new backend is another one and did not ask the switch; the tag says enough
            old = choose_port(context, peer.name, bridge=tag.parent, tag=int(tag.vlan) if tag.vlan.isdecimal() else 0)
        if old is None:
            return parked
        remove = remove_port(
            peer.name, undo=(add_port(old, undo=()),), reason=f"take the former port {peer.name} off {old.bridge}"
        )
        if wants_name_of(context, peer) and not context.detaching:
            answers = {**parked.context.answers, _LEFT: Outcome(code=0, stdout=old.name)}
            return parked._replace(
                context=parked.context._replace(answers=answers), before=Plan(steps=(remove,)) + parked.before
            )
        return parked._replace(after=Plan(steps=(remove,)) + parked.after)

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Name the bridge if pipework made it and neither another port nor the host uses it."""
        switch = _parse_switch(context)
        here = context.guest_state.links.get(context.attachment.interface)
        peer = find_veth_peer(context, here) if here is not None else None
        port = switch.ports.get(peer.name) if peer is not None else None
        name = port.bridge if port is not None else tag.parent  # the switch knows better than the guest
        link = context.host_state.links.get(name)
        going = {name, peer.name if peer is not None else ""}
        # Our port without its device belonged to a guest that is gone.
        live = [port for port in switch.ports.values() if not port.ours or port.name in context.host_state.links]
        others = [port for port in live if port.bridge == name and port.name not in going]
        if name not in switch.made or others or (link is not None and is_used(context.host_state, link)):
            return ()
        remove = _delete_bridge(name, reason=f"remove {name}, which has no port")
        return (SharedResource(name=name, remove=remove, hidden=True),)

    def find_shared_tag(self, link: Link) -> Tag | None:
        """Return the tag of a bridge, by its device."""
        return Tag(kind=self.kind, parent=link.name) if link.kind in ovsdb.DEVICES else None

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Accept a pair whose end on the host is not a port that another kind knows more of."""
        port = snapshot.ports.get(host_end.name) if host_end else None
        return super().recognises(snapshot, link, tag, host_end) and (port is None or port.kind == self.kind)

    def describe(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> LinkDetails:
        """Name the bridge and the VLAN that the switch tells of the port."""
        del link
        port = snapshot.ports.get(host_end.name) if host_end else None
        if port is not None:
            return LinkDetails(parent=port.bridge, vlan=port.vlan)
        return LinkDetails(parent=host_end.master if host_end else tag.parent, vlan=tag.vlan)

    def port_queries(self, host: HostState) -> Mapping[str, Command]:
        """Read the tables of the switch if the host has an interface that may be one of its ports."""
        there = any(link.kind in ovsdb.DEVICES or link.master == "ovs-system" for link in host.links.values())
        return {"switch": ovsdb.TABLES._replace(ok_codes=frozenset(range(256)))} if there else {}

    def parse_ports(self, answers: Mapping[str, Outcome]) -> Mapping[str, SwitchPort]:
        """Return the ports, with what was noted in the switch about their guests."""
        return {port.name: _read_port(port) for port in ovsdb.parse_tables(answers["switch"].stdout).ports.values()}

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Remove the ports of guests that are gone, and our bridges that have no port."""
        from pipework_backends.links import garbage  # noqa: PLC0415 - an attachment does not need it

        if "switch" not in snapshot.answers:
            return Plan()
        switch, gone = ovsdb.parse_tables(snapshot.answers["switch"].stdout), garbage.find_unused_ports(snapshot)
        bare = {name: switch.ports[name].bridge for name in gone if name in switch.ports and switch.ports[name].ours}
        used = {port.bridge for port in switch.ports.values() if port.name not in {*bare, port.bridge}}
        ports = [remove_port(name, reason=f"take {name} off {bare[name]}, whose guest is gone") for name in bare]
        bridges = [
            _delete_bridge(name, reason=f"remove the bridge {name}, which has no port")
            for name in sorted(switch.made - used)
            if not garbage.is_in_use(snapshot, name)
        ]
        return garbage.plan_cleanup(*ports, *bridges)

    def create(self, context: Context) -> Plan:
        """Create the veth pair, then the bridge if it is missing and the port in one transaction, and check both."""
        switch = _check_switch(context)
        mtu = iproute.choose_mtu(context, context.host_state.links.get(context.attachment.host))
        stale = remove_stale_port(switch, choose_veth_name(context))
        name, made_veth = make_veth(context, mtu=mtu)
        made_bridge = _create_bridge(context, switch)
        port = (add_port(choose_port(context, name)), check_port(name))
        # The changes come before the checks: a driver can then make them in one transaction.
        steps = (*made_bridge.steps[:1], port[0], *made_bridge.steps[1:], port[1])
        made = stale + made_veth + Plan(steps=steps, notes=made_bridge.notes)
        return made + Plan(steps=_complete_checksums(context, switch))

    def complete(self, context: Context, link: Link) -> Plan:
        """Correct the port."""
        return _complete_port(context, link, _check_switch(context))

    def make_switch(self, context: Context) -> Plan:
        """Make the bridge, or check that it works, so that the host can take part in it."""
        return _create_bridge(context, _check_switch(context))


def _complete_checksums(context: Context, switch: Switch) -> tuple[Command, ...]:
    attachment = context.attachment
    return complete_checksums(context, switch.datapaths.get(attachment.host, attachment.option("datapath")))


def _read_port(port: Port) -> SwitchPort:
    from pipework_core.model.snapshot import SwitchPort  # noqa: PLC0415 - an attachment does not need it

    told = port.external_ids
    pid = told.get("pipework.nspid", "")
    return SwitchPort(
        name=port.name,
        bridge=port.bridge,
        vlan=str(port.tag or ""),
        ours=port.ours and told.get(ovsdb.OWN_KEY) == port.name,
        guest=told.get("pipework.containername", "").removeprefix("/") or told.get("pipework.containerid", ""),
        pid=int(pid) if pid.isascii() and pid.isdigit() and len(pid) < _PID_DIGITS else 0,
    )


def _parse_switch(context: Context) -> Switch:
    """Return the switch as the plan finds it: without the port that left it before."""
    answer, left = context.answers.get("tables"), context.answers.get(_LEFT)
    switch = ovsdb.parse_tables(answer.stdout) if answer else Switch()
    if left is None:
        return switch
    return switch._replace(ports={name: port for name, port in switch.ports.items() if name != left.stdout})


def _check_switch(context: Context) -> Switch:
    """Return the switch as it is; raise for a request that it cannot meet, or that contradicts what it has."""
    attachment, host = context.attachment, context.host_state
    name, datapath = attachment.host, attachment.option("datapath")
    if attachment.option("datapath", DATAPATHS[0]) not in DATAPATHS:
        raise UsageError(f"ovs has no datapath {datapath!r}.", hint=f"the datapaths are {', '.join(DATAPATHS)}")
    bridges = host.listed.get(OpenVSwitch.kind)
    if bridges is None:
        raise HostError("ovs-vsctl is not installed here.", hint="install Open vSwitch (Debian: openvswitch-switch)")
    if name not in bridges and name in host.links:
        raise HostError(
            f"{name} is no bridge of Open vSwitch but {host.links[name].kind or 'a physical interface'}.",
            hint="leave ovs: out, or name another bridge",
        )
    switch = _parse_switch(context)
    if name == switch.integration:
        raise HostError(
            f"{name} is the integration bridge of OVN, which decides itself what is plugged into it.",
            hint="ovn:SWITCH puts the guest on a logical switch of OVN; or name another bridge",
        )
    if attachment.vlan and name in switch.fakes:
        raise UsageError(
            f"the fake bridge {name} is VLAN {switch.fakes[name]} already, and its ports have no other.",
            hint="leave the @ part out, or name the bridge below it",
        )
    has = switch.datapaths.get(name)
    if datapath and has and has != datapath:
        raise HostError(f"the bridge {name} has the datapath {has}, not {datapath}.", hint="leave -o datapath= out")
    local = switch.ports.get(name)
    if has and local and local.number != LOCAL_PORT:
        raise HostError(
            f"Open vSwitch has not set up its bridge {name}{f': {local.error}' if local.error else ''}.",
            hint="look into the log of ovs-vswitchd; without a kernel module a bridge needs datapath_type=netdev",
        )
    return switch


def _create_bridge(context: Context, switch: Switch) -> Plan:
    """Make the bridge when it is missing, and check that it works."""
    name, datapath = context.attachment.host, context.attachment.option("datapath")
    if name in context.host_state.listed[OpenVSwitch.kind]:
        link = context.host_state.links.get(name)
        if link is not None and link.group == PENDING_GROUP:  # a run that wanted to remove it was killed
            return Plan(steps=(ip("link", "set", "dev", name, "group", "default", reason=f"keep {name}"),))
        return Plan(notes=(f"the bridge {name} exists",) if name in switch.datapaths else ())
    kind = (f"datapath_type={datapath}",) if datapath else ()
    mac = choose_bridge_mac(name, context.answers.get(_MACHINE))
    fixed = (f"other_config:hwaddr={ovsdb.quote_atom(mac)}",) if mac else ()
    told = ("--", "set", "bridge", name, *kind, *fixed, f"external_ids:{MADE_KEY}=1")
    create = Command(
        argv=(*VSCTL, "add-br", name, *told), undo=(_delete_bridge(name),), reason=f"create the bridge {name}"
    )
    # Without a kernel module ovs-vsctl succeeds as well, but the bridge has no datapath: its own port tells.
    alive = Command(
        argv=(*VSCTL, "get", "interface", name, "ofport"),
        expect=str(LOCAL_PORT),
        reason=f"see that the switch could set {name} up; without its kernel module it needs -o datapath=netdev",
    )
    return Plan(steps=(create, alive))


def _delete_bridge(name: str, *, reason: str = "") -> Command:
    guard = Command(argv=(*VSCTL, "list-ports", name), reason=f"see whether {name} has ports")
    return Command(argv=(*VSCTL, "del-br", name), guard=guard, ok_codes=DONE_OR_WAITING, reason=reason)


def _complete_port(context: Context, link: Link, switch: Switch) -> Plan:
    """Correct a port that a killed run did not finish, or that somebody changed."""
    peer = require_veth_peer(context, link)
    steps = [tag_veth(context, peer.name)] if peer.group == PENDING_GROUP else []
    if not peer.up:
        steps.append(ip("link", "set", "dev", peer.name, "up", reason=f"raise {peer.name}"))
    wanted, has = choose_port(context, peer.name), switch.ports.get(peer.name)
    if has is not None and has.bridge == wanted.bridge and not has.error:
        steps += adjust_port(wanted, has)
        made = Plan()
    else:
        made = _create_bridge(context, switch)
        if has is not None:
            steps.append(
                remove_port(has.name, undo=(add_port(has, undo=()),), reason=f"take {has.name} off {has.bridge}")
            )
        steps += [*made.steps, add_port(wanted), check_port(wanted.name)]
    if link.group == PENDING_GROUP:
        steps += _complete_checksums(context, switch)
    notes = () if steps else (f"{link.name} is a port of {wanted.bridge}",)
    return Plan(steps=tuple(steps), notes=notes)


@hookimpl
def pipework_backends() -> list[OpenVSwitch]:
    """Register it."""
    return [OpenVSwitch()]
