"""What a whole host has of OVN: its ports for `ls`, and what dead guests, killed runs and dead machines left. Pure.

An interface of the integration bridge says which logical port it is (`iface-id`), and the northbound database whose
that is and of which switch. Only what carries a mark of ours, and the name of the machine that is asked about, counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import garbage
from pipework_backends.links.ovn_dhcp import PORT_KEY, list_removal
from pipework_backends.links.ovn_nb import END_KEY, GUEST_KEY, HOST_KEY, HOSTNAME_KEY
from pipework_backends.links.ovn_port import nbctl, remove_switch, unplug
from pipework_backends.links.ovsdb import FOREIGN_KEY, MADE_KEY, OWN_KEY, VSCTL, quote_atom
from pipework_core.model.errors import HostError
from pipework_core.model.plan import Command, Plan
from pipework_core.model.snapshot import SwitchPort

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from pipework_backends.links.ovn_nb import LogicalPort, Northbound, Reading
    from pipework_backends.links.ovsdb import Port, Switch
    from pipework_core.model.snapshot import Snapshot

#: The key of the chassis's own name, in `external_ids` of Open_vSwitch.
_SYSTEM = "system-id"
#: What ovn-controller writes on an interface whose flows are there.
_INSTALLED = "ovn-installed"


def list_ports(reading: Reading) -> dict[str, SwitchPort]:
    """Return this machine's ports of OVN by the host's end: those that are plugged in, and those of killed runs."""
    logical = {name: port for database in reading.databases for name, port in database.ports.items()}
    unread = any(database.error for database in reading.databases)
    plugged = _find_plugged(reading.switch)
    known = {
        name: _describe(port, logical.get(port.external_ids[FOREIGN_KEY]), unread) for name, port in plugged.items()
    }
    ids = {port.external_ids.get(FOREIGN_KEY) for port in reading.switch.ports.values()}
    system = reading.switch.chassis.get(_SYSTEM, "")
    for name, port in logical.items():
        end = port.external_ids.get(END_KEY, "")
        if system and port.machine == system and name not in ids and end and end not in known:
            known[end] = SwitchPort(end, port.switch, ours=True, guest=port.external_ids.get(GUEST_KEY, ""), off=True)
    return known


def _find_plugged(switch: Switch) -> dict[str, Port]:
    """Return the ports of the integration bridge that are ours; elsewhere, the key of OVN is of somebody else."""
    return {
        port.name: port
        for port in switch.ports.values()
        if FOREIGN_KEY in port.external_ids
        and port.external_ids.get(OWN_KEY) == port.name
        and port.bridge == switch.integration
    }


def _describe(port: Port, logical: LogicalPort | None, unread: bool) -> SwitchPort:  # noqa: FBT001 - one of three facts
    """Return a port that is plugged in; either of the two flags alone lies when something has died (ovn-nb(5), up)."""
    installed = port.external_ids.get(_INSTALLED) == "true"
    guest = logical.external_ids.get(GUEST_KEY, "") if logical else ""
    return SwitchPort(
        name=port.name,
        bridge=logical.switch if logical else "",
        ours=True,
        guest=guest,
        off=not (installed and (logical.up if logical else unread)),
    )


def collect_garbage(snapshot: Snapshot, reading: Reading) -> Plan:
    """Return a cleanup of this machine's ports whose device is gone, and of our switches that have no other port."""
    unused = {name for name in garbage.find_unused_ports(snapshot) if name in snapshot.ports}
    plugged = _find_plugged(reading.switch)
    steps = [
        unplug(name, reason=f"take {name} off {plugged[name].bridge}, whose guest is gone")
        for name in sorted(unused & plugged.keys())
    ]
    alive = {port.external_ids.get(FOREIGN_KEY) for port in reading.switch.ports.values() if port.name not in unused}
    system = reading.switch.chassis.get(_SYSTEM, "")
    for database in reading.databases if system else ():
        gone = [
            port
            for port in database.ports.values()
            if port.machine == system and port.name not in alive and not _has_end(snapshot, port, unused)
        ]
        ended = {plugged[name].external_ids[FOREIGN_KEY] for name in unused & plugged.keys()}
        steps += _remove_ports(database, gone, system, ended=ended)
    return garbage.plan_cleanup(*steps)


def _has_end(snapshot: Snapshot, port: LogicalPort, unused: Collection[str]) -> bool:
    """Whether the host's end of a port that is not plugged in lives all the same: the request can be repeated."""
    end = port.external_ids.get(END_KEY, "")
    return end in snapshot.host_state.links and end not in unused


def forget_machine(database: Northbound, name: str) -> Plan:
    """Return a cleanup of all that a machine left in the database; a person has said that it is gone.

    `name` is its system-id, or the host name that it had. Raise HostError for one that has nothing there, or where
    several machines have that name.
    """
    if database.error:
        raise HostError(f"the northbound database {database.remote.db} cannot be read: {database.error}")
    machines: dict[str, str] = {}
    for told in (
        *(port.external_ids for port in database.ports.values()),
        *(row.external_ids for row in database.dhcp),
    ):
        if HOST_KEY in told:
            machines[told[HOST_KEY]] = machines.get(told[HOST_KEY]) or told.get(HOSTNAME_KEY, "")
    found = [name] if name in machines else [one for one, called in machines.items() if _is_called(called, name)]
    if not found:
        known = ", ".join(sorted(called or one for one, called in machines.items()))
        hint = f"those that have something there: {known}" if known else "nobody has: nothing is left to take away"
        raise HostError(f"no machine {name} has ports of pipework in {database.remote.db}.", hint=hint)
    if len(found) > 1:
        raise HostError(f"several machines are called {name}.", hint=f"write a system-id: {', '.join(sorted(found))}")
    system = found[0]
    gone = [port for port in database.ports.values() if port.machine == system]
    note = f"if it is gone for good, `ovn-sbctl chassis-del {system}` takes away what OVN remembers of it"
    return garbage.plan_cleanup(*_remove_ports(database, gone, system, ended={port.name for port in gone})) + Plan(
        notes=(note,)
    )


def _is_called(hostname: str, name: str) -> bool:
    return bool(hostname) and name in {hostname, hostname.partition(".")[0]}


def _remove_ports(
    database: Northbound, gone: list[LogicalPort], system: str, *, ended: Collection[str]
) -> Iterator[Command]:
    """Yield what removes ports of a machine with what lets OVN answer DHCP on them, then our switches without ports.

    `ended` are those that had an interface; for the others it is looked once more.
    """
    names = {port.name for port in gone}
    rows = {row.external_ids[PORT_KEY]: row for row in database.dhcp if _is_of(row.external_ids, system)}
    for port in sorted(gone, key=lambda port: port.name):
        answers = list_removal(rows[port.name]) if port.name in rows else ()
        yield Command(
            argv=(*nbctl(database.remote), "--if-exists", "lsp-del", port.name, *answers),
            guard=None if port.name in ended else _find_interface(port.name),
            reason=f"remove the logical port {port.name} of {port.switch}, which nobody has",
        )
    for name, row in rows.items():
        if name not in database.ports:
            argv = (*nbctl(database.remote), *list_removal(row)[1:])
            yield Command(argv=argv, reason=f"remove what answered DHCP for {name}, which is gone")
    for switch in database.switches.values():
        if switch.made and switch.name not in database.twice and names.issuperset(switch.ports):
            yield remove_switch(
                database.remote, switch.name, reason=f"remove the logical switch {switch.name}, which has no port"
            )


def _is_of(told: Mapping[str, str], system: str) -> bool:
    return MADE_KEY in told and told.get(HOST_KEY) == system and PORT_KEY in told


def _find_interface(port: str) -> Command:
    """Return the guard of a port: an interface that somebody plugged in meanwhile."""
    told = f"external_ids:{FOREIGN_KEY}={quote_atom(port)}"
    argv = (*VSCTL, "--bare", "--columns=name", "find", "interface", told)
    return Command(argv=argv, reason=f"see whether {port} is plugged in")
