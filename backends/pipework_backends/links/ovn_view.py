"""What an attachment to OVN meets on this machine, and what it should become: facts in, decisions out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links import ovn_dhcp, ovn_nb, ovn_network, ovn_port
from pipework_backends.links.ovn_dhcp import list_addresses, list_senders
from pipework_backends.links.ovn_nb import (
    CHASSIS_KEY,
    END_KEY,
    GUEST_KEY,
    HOST_KEY,
    HOSTNAME_KEY,
    INTERFACE_KEY,
    NB_KEY,
    WAYS,
    LogicalPort,
    Northbound,
    Remote,
)
from pipework_backends.links.ovsdb import FOREIGN_KEY, OWN_KEY, Switch
from pipework_core.model.driver import CARRIED
from pipework_core.model.errors import ConflictError, HostError, find_advice, shorten_usage
from pipework_core.model.names import stable_mac
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_backends.links.ovn_nb import LogicalSwitch
    from pipework_backends.links.ovn_network import Network
    from pipework_backends.links.ovsdb import Port
    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import HostState
    from pipework_core.model.plan import Command, Outcome

#: Beside the answer, what the plan has removed before: a port of the switch and a logical port, a line each.
LEFT = "ovn-left"
#: Bytes that a tunnel takes: Ethernet, IP, UDP, and Geneve with OVN's option of 8 bytes (RFC 8926).
_OVERHEAD, _OVERHEAD_IPV6 = 58, 78
#: What Open vSwitch must be told on a machine of OVN (ovn-controller(8)), with an example.
_NEEDED = {
    "system-id": "NAME",
    "ovn-remote": "tcp:CENTRAL:6642",
    "ovn-encap-type": "geneve",
    "ovn-encap-ip": "ADDRESS",
}
_USUAL_BRIDGE = "br-int"
_WHERE = (
    "does it run, and is that where it is? ovs-vsctl set open . external_ids:ovn-nb=tcp:CENTRAL:6641 says it for all, "
    "-o nb= for one"
)
_WHERE_CARRIED = "does it run, and is it where ?nb= says, as seen from where pipework was started?"


class View(Record):
    """The switch of this machine, the northbound database, and the MTU of the link below the tunnels (0: unknown)."""

    switch: Switch = Switch()
    nb: Northbound = Northbound()
    underlay_mtu: int = 0

    @property
    def machine(self) -> str:
        """What OVN calls this machine."""
        return self.switch.chassis.get("system-id", "")

    @property
    def bridge(self) -> str:
        """The integration bridge."""
        return self.switch.chassis.get("ovn-bridge", _USUAL_BRIDGE)

    @property
    def datapath(self) -> str:
        """The datapath of the integration bridge."""
        return self.switch.datapaths.get(self.bridge, "")

    def choose_name(self, context: Context) -> str:
        """Return the name of a new logical port: no other guest of any machine has it."""
        return f"{self.machine}/{context.guest.name}/{context.attachment.interface}"

    def is_up(self, port: Port | None, row: LogicalPort | None) -> bool:
        """Whether a port works: by both flags, of which either alone lies when a controller or a machine is gone."""
        installed = port is not None and port.external_ids.get("ovn-installed") == "true"
        return installed and row is not None and row.up

    def list_lasting_ports(
        self, switch: LogicalSwitch, host: HostState, *, without: LogicalPort | None
    ) -> list[LogicalPort]:
        """Return the ports of a logical switch but one, as far as this machine can tell that they stay.

        Those of ours without a device here are what dead guests left. What other machines have of ours may go at this
        very moment, and whoever goes last takes the switch along.
        """
        plugged = {port.external_ids.get(FOREIGN_KEY) for port in self.switch.ports.values() if port.name in host.links}
        rows = [self.nb.ports[name] for name in switch.ports if without is None or name != without.name]
        return [row for row in rows if not row.machine or (row.machine == self.machine and row.name in plugged)]

    def refuse_unreadable(self) -> None:
        """Raise HostError when the database could not be read."""
        if not self.nb.error:
            return
        # What an unreachable network means for a gateway is no advice here.
        advice = "" if "unreachable" in self.nb.error else find_advice(self.nb.error, usual="")
        raise HostError(
            f"cannot read OVN's northbound database {self.nb.remote.db}: {shorten_words(self.nb.error)}.",
            hint=advice or (_WHERE_CARRIED if CARRIED in self.nb.remote.db else _WHERE),
        )

    def refuse_unusable(self, switch: str) -> None:
        """Raise HostError where OVN is not set up here, or the database does not answer."""
        chassis = self.switch.chassis
        missing = [key for key in _NEEDED if not chassis.get(key)]
        if missing:
            words = " ".join(f"external_ids:{key}={_NEEDED[key]}" for key in missing)
            whole = (
                "OVN is not set up on this machine" if len(missing) >= len(_NEEDED) - 1 else "OVN is half set up here"
            )
            raise HostError(
                f"{whole}: Open vSwitch does not know {', '.join(missing)}.",
                hint=f"install ovn-host, and tell it: ovs-vsctl set open . {words}",
            )
        if self.bridge not in self.switch.datapaths:
            raise HostError(
                f"there is no bridge {self.bridge}, which ovn-controller makes when it starts.",
                hint="is it installed (package ovn-host in Debian) and running? systemctl status ovn-controller",
            )
        self.refuse_unreadable()
        if switch in self.nb.twice:
            raise HostError(f"there are several logical switches {switch}.", hint="rename one: `ovn-nbctl ls-list`")


def shorten_words(text: str) -> str:
    """Return what a tool of OVN says without the time, the module and the like in front of what it logs."""
    said = text.rpartition("|")[2].partition(" ovn-nbctl: ")[0].strip()
    return shorten_usage(said.rstrip(".") or text)


def read_view(answer: Outcome, port: str, *, left: Sequence[str] = ()) -> View:
    """Return what there is: without what the plan has removed (`left`), and with the database that a port remembers."""
    reading = ovn_nb.read_outcome(answer.code, answer.stdout, answer.stderr)
    switch = reading.switch
    has = switch.ports.get(port)
    remembered = _parse_remote(has.external_ids.get(NB_KEY, "")) if has is not None else None
    usual = reading.databases[0]
    nb = next((nb for nb in reading.databases if remembered and _is_at(nb.remote, remembered, usual.remote)), usual)
    if left:
        switch = switch._replace(ports={name: known for name, known in switch.ports.items() if name not in left})
        nb = ovn_dhcp.without_ports(nb, left)
    return View(switch=switch, nb=nb, underlay_mtu=reading.underlay_mtu)


def _parse_remote(text: str) -> Remote | None:
    words = ["" if word == "-" else word for word in text.split(" ")]
    return Remote(*words[: len(WAYS)]) if text else None


def _is_at(remote: Remote, remembered: Remote, usual: Remote) -> bool:
    """Whether a database was asked as it is remembered, with what is usual for the rest."""
    files = ("key", "certificate", "ca")
    same = all(getattr(remembered, file) in {"", getattr(remote, file)} for file in files)
    return same and remote.db == (remembered.db or usual.db)


def remember(attachment: Attachment) -> str:
    """Return what the interface remembers of the way to the database: what the options say, and nothing without any."""
    given = [attachment.option(key) or "-" for key in WAYS]
    while given and given[-1] == "-":
        given.pop()
    return " ".join(given)


def choose_row(context: Context, view: View, end: str, *, name: str = "", mac: str = "") -> LogicalPort:
    """Return the logical port that a request asks for; `end` is the host's end of the pair.

    `name` and `mac` are those of an interface that is there.
    """
    attachment, switch = context.attachment, context.attachment.host
    name = name or view.choose_name(context)
    mac = attachment.mac or mac or stable_mac(name)
    told = {HOST_KEY: view.machine, GUEST_KEY: context.guest.name, INTERFACE_KEY: attachment.interface, END_KEY: end}
    hostname = view.switch.chassis.get("hostname", "")
    has = view.nb.ports.get(name)
    row = LogicalPort(
        name=name,
        switch=switch,
        addresses=list_addresses(attachment, mac),
        security=list_senders(attachment, mac, has.dynamic if has is not None and has.switch == switch else ""),
        options={CHASSIS_KEY: view.machine},
        external_ids={
            **told,
            **({HOSTNAME_KEY: hostname} if hostname else {}),
            **ovn_port.make_claims(switch, (mac, *(str(address.ip) for address in attachment.addresses))),
        },
    )
    if attachment.option("security", "1") == "0":
        row = row._replace(security=(), addresses=(*row.addresses, "unknown"))
    return row


def choose_network(context: Context, view: View) -> tuple[Network, Network]:
    """Return the network of the logical switch as it is to be, and as it is; raise for a request that it cannot meet.

    See `ovn_network.choose_network` and `ovn_network.check_request`.
    """
    attachment = context.attachment
    switch = view.nb.switches.get(attachment.host)
    told = ovn_network.read_network(switch)
    network = ovn_network.choose_network(attachment, told, ours=switch is None or switch.made)
    ports = (view.nb.ports[name] for name in (switch.ports if switch is not None else ()))
    ovn_network.check_request(attachment, network, has_router=any(port.kind == "router" for port in ports))
    return network, told


def choose_mtu(context: Context, view: View) -> int:
    """Return the MTU in bytes: the asked one, else what a tunnel leaves of the link below; raise HostError."""
    encap = view.switch.chassis["ovn-encap-ip"].split(",")[0]
    if not view.underlay_mtu:
        raise HostError(
            f"no interface has {encap}, where the tunnels of OVN begin (ovn-encap-ip).",
            hint="give one that address, or correct it: ovs-vsctl set open . external_ids:ovn-encap-ip=ADDRESS",
        )
    most = view.underlay_mtu - (_OVERHEAD_IPV6 if ":" in encap else _OVERHEAD)
    asked = context.attachment.mtu
    if asked is not None and asked > most:
        raise HostError(
            f"an MTU of {asked} does not fit through OVN's tunnels: the link with {encap} has {view.underlay_mtu}, and "
            f"a tunnel takes {view.underlay_mtu - most}.",
            hint=f"ask for {most} or less, or raise the link's MTU on all machines",
        )
    return asked or most


def list_differences(row: LogicalPort | None, wanted: LogicalPort) -> tuple[str, ...]:
    """Return what a logical port has otherwise than asked for, in words; what others wrote beside that may stay."""
    if row is None or row.switch != wanted.switch:
        return (f"it is no port of {wanted.switch}",)
    pairs = (
        ("addresses", row.addresses, wanted.addresses),
        ("port_security", row.security, wanted.security),
        (CHASSIS_KEY, (row.options.get(CHASSIS_KEY, ""),), (wanted.options[CHASSIS_KEY],)),
        (HOST_KEY, (row.machine,), (wanted.machine,)),
    )
    return tuple(
        f"{column} is {_join_words(has)} in place of {_join_words(asked)}"
        for column, has, asked in pairs
        if set(has) != set(asked)
    )


def _join_words(words: Sequence[str]) -> str:
    return ", ".join(sorted(words)) or "empty"


def check_addresses(view: View, wanted: LogicalPort) -> None:
    """Raise ConflictError for an address that another port of the switch has."""
    switch = view.nb.switches.get(wanted.switch)
    for address in sorted(wanted.taken):
        holders = switch.holders.get(address, ()) if switch is not None else ()
        for name in holders:
            if name != wanted.name and name in view.nb.ports:
                raise ConflictError(f"on {wanted.switch}, {name} has {address} already.", hint="choose another address")


def find_way(
    context: Context, view: View, wanted: LogicalPort, name: str, *, existing: bool = False
) -> tuple[Command, ...]:
    """Return what removes the ports that a guest which is gone left under these names.

    Raise ConflictError for ports that belong to somebody. With `existing`, the host's end `name` is the guest's own.
    """
    steps = []
    for port in view.switch.ports.values():
        same = port.name == name or port.external_ids.get(FOREIGN_KEY) == wanted.name
        if not same or (existing and port.name == name):
            continue
        if OWN_KEY not in port.external_ids:
            whose = port.external_ids.get(FOREIGN_KEY) or "a port of somebody else"
            raise ConflictError(
                f"{port.name} on {port.bridge} is {whose} already.",
                hint="choose another name with -i, or another one for the host's end with -l",
            )
        if port.name in context.host_state.links:
            steps.append(ovn_port.wait_until_gone(port.name, wanted.name))
        steps.append(ovn_port.unplug(port.name, reason=f"remove {port.name}, which a guest that is gone left"))
    row = view.nb.ports.get(wanted.name)
    if row is None:
        return tuple(steps)
    # The machine may have got another system-id since it plugged in the guest's own.
    if not row.machine or (row.machine != view.machine and not existing):
        raise ConflictError(
            f"there is a logical port {row.name} on {row.switch} already that is not pipework's.",
            hint="choose another name for the guest's interface with -i",
        )
    if row.switch != wanted.switch:
        reason = f"remove {row.name} from {row.switch}, where it was before"
        steps.append(ovn_dhcp.remove_port(view.nb, row, reason=reason))
    return tuple(steps)
