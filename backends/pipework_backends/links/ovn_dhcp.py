"""Addresses from OVN itself: what lets OVN choose the address of a port, and answer DHCP on it.

OVN chooses for a port whose `addresses` are `MAC dynamic`, from the subnet of its switch, and answers DHCP by itself on
every chassis (ovn-nb(5), Logical_Switch_Port and DHCP_Options). Each port of ours has a row of DHCP_Options of its own:
it comes and goes with the port, nobody else depends on it, and its MTU is that of this machine's underlay.
"""

from __future__ import annotations

import zlib
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.links import ovn_port
from pipework_backends.links.ovn_nb import HOST_KEY, DhcpOptions
from pipework_backends.links.ovn_network import find_address, first_host, has_answers, is_dynamic
from pipework_backends.links.ovn_port import Addition, nbctl
from pipework_backends.links.ovsdb import MADE_KEY, quote_atom, quote_key
from pipework_core.model.names import stable_mac
from pipework_core.model.plan import Command

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipework_backends.links.ovn_nb import LogicalPort, Northbound, Remote
    from pipework_backends.links.ovn_network import Network
    from pipework_core.model.attachment import Attachment

#: The key, in a row of DHCP_Options of ours, of the port that it is for.
PORT_KEY = "pipework.port"
_TABLE, _COLUMN = "DHCP_Options", "dhcpv4_options"
#: Seconds, which here means for ever (RFC 2131, 3.3): an address is its port's as long as there is the port.
_LEASE = 0xFFFFFFFF


def list_addresses(attachment: Attachment, mac: str) -> tuple[str, ...]:
    """Return the entries of a port's `addresses`: what OVN lets reach it (ovn-nb(5), Logical_Switch_Port)."""
    static = " ".join((mac, *(str(one.ip) for one in attachment.addresses)))
    if not is_dynamic(attachment):
        return (static,)
    return (f"{mac} dynamic", *((static,) if attachment.addresses else ()))


def list_senders(attachment: Attachment, mac: str, chosen: str = "") -> tuple[str, ...]:
    """Return the entries of a port's `port_security`: by whom it may send.

    `chosen` is the address that OVN has chosen, as `MAC IP`; before that, and where addresses come from elsewhere, any
    may be the one.
    """
    static = list_addresses(attachment, mac)
    if is_dynamic(attachment) and not attachment.auto and chosen.startswith(f"{mac} "):
        return (chosen, *static[1:])
    open_end = attachment.auto or attachment.dhcp is not None or not attachment.addresses
    return (mac,) if open_end else static


def is_unsettled(attachment: Attachment, port: LogicalPort) -> bool:
    """Whether the port is to send from the address alone that OVN has not chosen yet."""
    return is_dynamic(attachment) and not attachment.auto and port.security == (port.mac,)


def choose_answers(attachment: Attachment, network: Network, port: LogicalPort, mtu: int) -> DhcpOptions | None:
    """Return the row that OVN is to answer DHCP by on a port; None: it is not to."""
    if not has_answers(attachment):
        return None
    address = find_address(attachment) if not is_dynamic(attachment) else None
    subnet = address.network if address is not None else network.subnet
    if subnet is None:
        raise ValueError("a request without a subnet was refused before")
    router = network.router if network.router and IPv4Address(network.router) in subnet else ""
    told = {
        "lease_time": str(_LEASE),
        "server_id": router or first_host(subnet),
        "server_mac": stable_mac(f"ovn:{port.switch}"),
        "mtu": str(mtu),
        "router": router,
        "dns_server": "{" + ", ".join(network.servers) + "}" if network.servers else "",
    }
    marks = {MADE_KEY: "1", HOST_KEY: port.machine, PORT_KEY: port.name}
    return DhcpOptions("", str(subnet), {key: text for key, text in told.items() if text}, marks)


def find_answers(nb: Northbound, port: str) -> DhcpOptions | None:
    """Return our row for a port."""
    ours = (row for row in nb.dhcp if row.external_ids.get(PORT_KEY) == port and MADE_KEY in row.external_ids)
    return next(ours, None)


def change_answers(nb: Northbound, port: str, wanted: DhcpOptions | None) -> Addition:
    """Return what makes, changes or removes our row for a port; a row that somebody else gave the port stays."""
    has, row = find_answers(nb, port), nb.ports.get(port)
    used = row.rest.get(_COLUMN, "") if row is not None else ""
    if wanted is None:
        if has is None:
            return Addition()
        again = Command(argv=(*nbctl(nb.remote), *_create_words(has, port)[1:]))
        return Addition(words=("--", "destroy", _TABLE, has.uuid), undo=(again,))
    if has is None:
        return (
            Addition()
            if used
            else Addition(words=_create_words(wanted, port), undo=(_delete_answers(nb.remote, port),))
        )
    if used == has.uuid and has == wanted._replace(uuid=has.uuid):
        return Addition()
    back = Command(argv=(*nbctl(nb.remote), *_set_words(has, has.uuid)[1:]))
    return Addition(words=(*_set_words(wanted, has.uuid), *_use_words(port, has.uuid)), undo=(back,))


def remove_port(nb: Northbound, row: LogicalPort, *, reason: str) -> Command:
    """Return what removes a port as it was read, with our row for it; undoing makes both again."""
    has = find_answers(nb, row.name)
    if has is None:
        restore = ovn_port.restore_logical_port(nb.remote, row)
        return ovn_port.remove_logical_port(nb.remote, row.name, undo=(restore,), reason=reason)
    rest = {column: value for column, value in row.rest.items() if column != _COLUMN}
    restore = ovn_port.restore_logical_port(nb.remote, row._replace(rest=rest))
    restore = restore._replace(argv=(*restore.argv, *_create_words(has, row.name)))
    step = ovn_port.remove_logical_port(nb.remote, row.name, undo=(restore,), reason=reason)
    return step._replace(argv=(*step.argv, *list_removal(has)))


def without_ports(nb: Northbound, names: Collection[str]) -> Northbound:
    """Return the database as it is once these ports, and our rows for them, are removed."""
    return nb._replace(
        ports={name: port for name, port in nb.ports.items() if name not in names},
        switches={
            name: switch._replace(ports=tuple(port for port in switch.ports if port not in names))
            for name, switch in nb.switches.items()
        },
        dhcp=tuple(row for row in nb.dhcp if row.external_ids.get(PORT_KEY) not in names),
    )


def list_removal(row: DhcpOptions) -> tuple[str, ...]:
    """Return the words that remove a row, after others of the same transaction."""
    return ("--", "--if-exists", "destroy", _TABLE, row.uuid)


def _create_words(row: DhcpOptions, port: str) -> tuple[str, ...]:
    name = f"@dhcp_{zlib.crc32(port.encode('utf-8', 'surrogateescape')):08x}"
    marks = (f"external_ids:{quote_key(key)}={quote_atom(text)}" for key, text in row.external_ids.items())
    told = (f"options:{quote_key(key)}={quote_atom(text)}" for key, text in row.options.items())
    create = ("--", f"--id={name}", "create", _TABLE, f"cidr={quote_atom(row.cidr)}", *told, *marks)
    return (*create, *_use_words(port, name))


def _set_words(row: DhcpOptions, uuid: str) -> tuple[str, ...]:
    told = ",".join(f"{quote_atom(key)}={quote_atom(text)}" for key, text in row.options.items())
    marks = (f"external_ids:{quote_key(key)}={quote_atom(text)}" for key, text in row.external_ids.items())
    return ("--", "set", _TABLE, uuid, f"cidr={quote_atom(row.cidr)}", f"options={{{told}}}", *marks)


def _use_words(port: str, row: str) -> tuple[str, ...]:
    return ("--", "set", "Logical_Switch_Port", port, f"{_COLUMN}={row}")


def _delete_answers(remote: Remote, port: str) -> Command:
    """Return what deletes our row for a port by its marks: its UUID was not known before it was made."""
    marks = ["external_ids", "includes", ["map", [[MADE_KEY, "1"], [PORT_KEY, port]]]]
    return ovn_port.transact(remote, {"op": "delete", "table": _TABLE, "where": [marks]})


def secure_port(attachment: Attachment, nb: Northbound, port: LogicalPort, seconds: int) -> Command:
    """Return what waits until OVN has chosen the port's address, and lets it send from that one and the static ones."""
    others = list_addresses(attachment, port.mac)[1:]
    words = nbctl(nb.remote, seconds=seconds)
    return Command(
        argv=("sh", script("ovn_secure.sh"), port.name, *(others or ("",)), *words),
        timeout=float(seconds),
        reason=f"let {port.name} send from the address that OVN chooses for it",
    )
