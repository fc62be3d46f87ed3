"""OVN: a veth pair whose end on the host is plugged into the integration bridge, as a port of a logical switch.

A logical switch reaches over all machines that share a northbound database. Its row there comes first: what OVN refuses
is refused before anything is plugged in, and a run that is killed leaves a row that says whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import ovn_dhcp, ovn_nb, ovn_network, ovn_port, ovsdb
from pipework_backends.links.ovn_nb import END_KEY
from pipework_backends.links.ovn_port import Addition
from pipework_backends.links.ovn_view import (
    LEFT,
    View,
    check_addresses,
    choose_mtu,
    choose_network,
    choose_row,
    find_way,
    list_differences,
    read_view,
    remember,
)
from pipework_backends.links.ovs_port import complete_checksums
from pipework_backends.links.ovsdb import FOREIGN_KEY
from pipework_core.model.context import Claims, SharedResource
from pipework_core.model.errors import UsageError
from pipework_core.model.ownership import PENDING_GROUP
from pipework_core.model.plan import Command, Outcome, Plan
from pipework_core.model.snapshot import LinkDetails
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import rename_aside
from pipework_core.toolkit.veth import VETH, choose_veth_name, find_veth_peer, make_veth, require_veth_peer, tag_veth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_backends.links.ovn_nb import LogicalPort
    from pipework_backends.links.ovsdb import Port
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Replacement
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.snapshot import Snapshot, SwitchPort

_ANSWER = "ovn"
#: The key of what is read of a whole host.
_PORTS = "ovn-ports"
#: A veth in the kernel's datapath is enslaved to the datapath's device; in user space it has no master.
_MASTERS = frozenset({"", "ovs-system"})


class OvnSwitch(LinkBackend):
    """`ovn:NAME`, a logical switch, which is made if it is missing."""

    kind = "ovn"
    link_kind = VETH
    claims = Claims(elsewhere=True)
    options: Mapping[str, str] = {
        "nb": "the northbound database, such as tcp:HOST:6641, where Open vSwitch does not say it (ovn-nb)",
        "key": "the file with the private key for a database that speaks TLS",
        "cert": "the file with the certificate for it",
        "ca": "the file with the certificate of the authority that signed the database's",
        "security": "0: the guest may send from any address, as a router does",
        **ovn_network.OPTIONS,
    }

    def queries(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Read the northbound database and this machine's switch."""
        del host
        return {_ANSWER: ovn_nb.make_query(attachment)}

    def matches(self, context: Context, link: Link) -> bool:
        """Accept a veth whose host end is plugged in as a port of that switch, or not plugged in yet."""
        peer = find_veth_peer(context, link)
        if peer is None or peer.master not in _MASTERS:
            return False
        view = _read(context, peer.name)
        port = view.switch.ports.get(peer.name)
        row = view.nb.ports.get(_get_name(port))
        return port is None or (port.bridge == view.bridge and (row is None or row.switch == context.attachment.host))

    def create(self, context: Context) -> Plan:
        """Make the veth pair and the logical port, plug it in, wait until it works, and look whether it is alone."""
        end = choose_veth_name(context)
        view = self._check(context, end)
        wanted = choose_row(context, view, end)
        way = find_way(context, view, wanted, end)
        mtu = choose_mtu(context, view)
        view = _without_former(view, wanted)
        additions = _list_additions(context, view, wanted, mtu)
        named = context._replace(attachment=context.attachment._replace(mac=wanted.mac))
        name, made = make_veth(named, mtu=mtu)
        steps = (
            *_make_port(context, view, wanted, additions),
            ovn_port.plug_in(view.bridge, name, wanted.name, nb=remember(context.attachment)),
            *complete_checksums(context, view.datapath),
            *_wait(view, wanted, name, new=True),
            *_secure(context, view, wanted),
        )
        return Plan(steps=way) + made + Plan(steps=steps)

    def complete(self, context: Context, link: Link) -> Plan:
        """Correct what a killed run did not finish, or what somebody changed."""
        peer = require_veth_peer(context, link)
        view = self._check(context, peer.name)
        port = view.switch.ports.get(peer.name)
        pending = link.group == PENDING_GROUP
        mac = link.mac if pending else ""
        row = _find_own_row(context, view, port, peer.name)
        wanted = choose_row(context, view, peer.name, name=row.name if row else "", mac=mac)
        former, view = view, _without_former(view, wanted)
        additions = _list_additions(context, view, wanted, peer.mtu)
        steps = [tag_veth(context, peer.name)] if peer.group == PENDING_GROUP else []
        if not peer.up:
            steps.append(ip("link", "set", "dev", peer.name, "up", reason=f"raise {peer.name}"))
        fits = not list_differences(row, wanted) and not any(addition.words for addition in additions)
        if not fits:
            steps += find_way(context, former, wanted, peer.name, existing=True)
            steps += _make_port(context, view, wanted, additions)
        plugged = _plug_in(context, view, wanted, peer.name)
        steps += plugged
        if pending:
            steps += complete_checksums(context, view.datapath)
        if plugged or not fits or not view.is_up(port, row):
            steps += _wait(view, wanted, peer.name, new=not fits, unbound=fits and not plugged)
        steps += _secure(context, view, wanted)
        notes = () if steps else (f"{link.name} is a port of {wanted.switch}",)
        return Plan(steps=tuple(steps), notes=notes)

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Unplug the port and remove it from the logical switch before the veth goes; undoing brings back both.

        A successor in the same guest has the same name in OVN, so there is no moment with both.
        """
        parked = rename_aside(context, link, tag)
        peer = find_veth_peer(context, link)
        if peer is None:
            return parked
        view = _read(context, peer.name)
        view.refuse_unreadable()
        port = view.switch.ports.get(peer.name)
        row = _find_own_row(context, view, port, peer.name)
        steps = []
        if port is not None:
            reason = f"unplug {port.name} from {port.bridge}"
            steps.append(ovn_port.unplug(port.name, undo=(ovn_port.plug_again(port),), reason=reason))
        if row is not None:
            reason = f"remove {row.name} from the logical switch {row.switch}"
            steps.append(ovn_dhcp.remove_port(view.nb, row, reason=reason))
        left = Outcome(code=0, stdout=f"{peer.name}\n{row.name if row else ''}")
        answers = {**parked.context.answers, LEFT: left}
        return parked._replace(
            context=parked.context._replace(answers=answers), before=Plan(steps=tuple(steps)) + parked.before
        )

    def keeps_lease(self, context: Context, link: Link) -> bool:
        """Whether OVN chose the address, which is the port's as long as there is the port."""
        peer = find_veth_peer(context, link)
        if peer is None or _ANSWER not in context.answers:
            return False
        view = _read(context, peer.name)
        row = _find_own_row(context, view, view.switch.ports.get(peer.name), peer.name)
        return row is not None and bool(row.dynamic)

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Name the logical switch if pipework made it, and no port is on it of which it is known that it stays.

        It is removed if it has no port then.
        """
        here = context.guest_state.links.get(context.attachment.interface)
        peer = find_veth_peer(context, here) if here is not None else None
        view = _read(context, peer.name if peer is not None else "")
        own = _find_own_row(context, view, view.switch.ports.get(peer.name), peer.name) if peer is not None else None
        switch = view.nb.switches.get(own.switch if own is not None else tag.parent)
        if switch is None or not switch.made or view.list_lasting_ports(switch, context.host_state, without=own):
            return ()
        reason = f"remove the logical switch {switch.name}, if it has no port"
        remove = ovn_port.remove_switch(view.nb.remote, switch.name, reason=reason)
        # No interface of the host has a name like this.
        return (SharedResource(name=f"{self.kind}:{switch.name}", remove=remove),)

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Accept a pair whose end on the host is plugged in, or is in no bridge at all."""
        port = snapshot.ports.get(host_end.name) if host_end else None
        here = port.kind == self.kind if port else host_end is not None and host_end.master in _MASTERS
        return super().recognises(snapshot, link, tag, host_end) and here

    def describe(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> LinkDetails:
        """Name the logical switch, as the database knows it, or where that does not answer, as it was asked for."""
        del link
        port = snapshot.ports.get(host_end.name) if host_end else None
        return LinkDetails(parent=(port.bridge if port else "") or tag.parent, off=port is None or port.off)

    def port_queries(self, host: HostState) -> Mapping[str, Command]:
        """Read the databases if the host has an interface that may be a bridge of Open vSwitch."""
        there = any(link.kind in ovsdb.DEVICES or link.master == "ovs-system" for link in host.links.values())
        return {_PORTS: ovn_nb.query_databases()} if there else {}

    def parse_ports(self, answers: Mapping[str, Outcome]) -> Mapping[str, SwitchPort]:
        """Return the ports of this machine."""
        from pipework_backends.links import ovn_state  # noqa: PLC0415 - an attachment does not need it

        return ovn_state.list_ports(ovn_nb.parse_reading(answers[_PORTS].stdout))

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Remove the ports of guests that are gone, and our logical switches that have no port."""
        from pipework_backends.links import ovn_state  # noqa: PLC0415 - an attachment does not need it

        if _PORTS not in snapshot.answers:
            return Plan()
        return ovn_state.collect_garbage(snapshot, ovn_nb.parse_reading(snapshot.answers[_PORTS].stdout))

    def remains_query(self, place: str) -> Command:
        """Read the northbound database, which several machines share."""
        return ovn_nb.query_databases(*([place] if place else []))

    def remains(self, machine: str, answer: Outcome) -> Plan:
        """Remove the ports of that machine, and our logical switches that have no other port."""
        from pipework_backends.links import ovn_state  # noqa: PLC0415 - an attachment does not need it

        reading = ovn_nb.read_outcome(answer.code, answer.stdout, answer.stderr)
        return ovn_state.forget_machine(reading.databases[0], machine)

    def _check(self, context: Context, port: str) -> View:
        """Return what there is; raise for a request that it cannot meet."""
        attachment = context.attachment
        if attachment.vlan:
            raise UsageError(
                f"a port of the logical switch {attachment.host} has no VLAN.",
                hint="leave the @ part out; a port of type localnet joins a logical switch to a VLAN outside",
            )
        if attachment.option("security", "1") not in {"0", "1"}:
            raise UsageError("-o security= is 0 or 1.", hint="write -o security=0, or leave it out")
        view = _read(context, port)
        view.refuse_unusable(attachment.host)
        return view


def _read(context: Context, port: str) -> View:
    answer = context.answers[_ANSWER]
    left = context.answers.get(LEFT)
    return read_view(answer, port, left=tuple(left.stdout.split("\n")) if left is not None else ())


def _get_name(port: Port | None) -> str:
    """Return the logical port that a port of the switch says it is; empty when it says none."""
    return port.external_ids.get(FOREIGN_KEY, "") if port is not None else ""


def _find_own_row(context: Context, view: View, port: Port | None, end: str) -> LogicalPort | None:
    """Return the row of a guest's interface: by the host's end that it names, by what its port says, or by its name.

    One that pipework did not make is nobody's to remove, nor one of another machine; the machine may have got another
    system-id since.
    """
    ours = [row for row in view.nb.ports.values() if row.machine == view.machine]
    by_end = next((row for row in ours if row.external_ids.get(END_KEY) == end), None)
    if by_end is not None:
        return by_end
    row = view.nb.ports.get(_get_name(port) or view.choose_name(context))
    return row if row is not None and (row in ours or (row.machine and port is not None)) else None


def _list_additions(context: Context, view: View, wanted: LogicalPort, mtu: int) -> list[Addition]:
    """Return what the port's transaction has beside it: notes on a switch of ours, and what answers DHCP."""
    network, told = choose_network(context, view)
    answers = ovn_dhcp.choose_answers(context.attachment, network, wanted, mtu)
    changed = ovn_dhcp.change_answers(view.nb, wanted.name, answers)
    notes = ovn_network.list_notes(network, told)
    switch, name = view.nb.switches.get(wanted.switch), wanted.switch
    if switch is None or not switch.made or not notes or wanted.name in view.nb.ports:
        return [changed]
    forget = ovn_network.forget_notes(name, network, told)[1:]
    undo = Command(argv=(*ovn_port.nbctl(view.nb.remote), *forget), only_if_uncontended=True)
    return [changed, Addition(words=("--", "set", "Logical_Switch", name, *notes), undo=(undo,))]


def _make_port(context: Context, view: View, wanted: LogicalPort, additions: list[Addition]) -> list[Command]:
    """Return what makes the port, and before that its switch where there is none."""
    check_addresses(view, wanted)
    remote, before = view.nb.remote, view.nb.ports.get(wanted.name)
    make: tuple[Command, ...] = ()
    notes: tuple[str, ...] = ()
    if wanted.switch not in view.nb.switches:
        make = (ovn_port.make_switch(remote, wanted.switch),)
        told = ovn_network.list_notes(*choose_network(context, view))
        notes = ovn_port.make_note_words(wanted.switch, told)
    step = ovn_port.add_logical_port(remote, wanted, notes=notes, before=before, additions=additions)
    wrong = list_differences(before, wanted) if before is not None else ()
    return [*make, step._replace(reason=f"set {wanted.name} right: {'; '.join(wrong)}") if wrong else step]


def _without_former(view: View, wanted: LogicalPort) -> View:
    """Return what there is once a port of the same name on another switch is removed, which comes before."""
    row = view.nb.ports.get(wanted.name)
    if row is None or row.switch == wanted.switch:
        return view
    return view._replace(nb=ovn_dhcp.without_ports(view.nb, {row.name}))


def _secure(context: Context, view: View, wanted: LogicalPort) -> list[Command]:
    """Return what narrows the port to the address that OVN chooses for it."""
    if not ovn_dhcp.is_unsettled(context.attachment, wanted):
        return []
    return [
        ovn_dhcp.secure_port(context.attachment, view.nb, wanted, ovn_port.count_seconds(_count_ports(view, wanted)))
    ]


def _plug_in(context: Context, view: View, wanted: LogicalPort, name: str) -> list[Command]:
    """Return what plugs the host's end in, where it is not, or is something else."""
    port = view.switch.ports.get(name)
    told = {FOREIGN_KEY: wanted.name}
    if port is None:
        return [ovn_port.plug_in(view.bridge, name, wanted.name, nb=remember(context.attachment))]
    if port.bridge != view.bridge:
        off = ovn_port.unplug(name, undo=(ovn_port.plug_again(port),), reason=f"take {name} off {port.bridge}")
        return [off, ovn_port.plug_in(view.bridge, name, wanted.name, nb=remember(context.attachment))]
    if any(port.external_ids.get(key) != text for key, text in told.items()):
        return [ovn_port.tell_port(name, port.external_ids, told)]
    return []


def _wait(view: View, wanted: LogicalPort, name: str, *, new: bool, unbound: bool = False) -> list[Command]:
    """Return the wait for the port, and the look at whether it is alone with its addresses."""
    ports = _count_ports(view, wanted)
    wait = ovn_port.wait_for_port(name, view.machine, ports)
    # The word `ovn-installed` stays when a controller is stopped; only the database knows better.
    steps = [ovn_port.wait_for_binding(view.nb.remote, wanted, view.machine, ports) if unbound else wait]
    return [*steps, *([ovn_port.find_rivals(view.nb.remote, wanted)] if new else [])]


def _count_ports(view: View, wanted: LogicalPort) -> int:
    switch = view.nb.switches.get(wanted.switch)
    return len(switch.ports) if switch is not None else 0


@hookimpl
def pipework_backends() -> list[OvnSwitch]:
    """Register it."""
    return [OvnSwitch()]
