"""Addresses from OVN itself: what a logical switch says of its network, and what lets OVN answer DHCP on a port.

OVN chooses the address of a port whose `addresses` are `MAC dynamic`, from the subnet of its switch, and answers DHCP
by itself on every chassis (ovn-nb(5), Logical_Switch and DHCP_Options). Each port of ours has a row of DHCP_Options of
its own: it comes and goes with the port, nobody else depends on it, and its MTU is that of this host's underlay. The
router and the name servers are noted on the switch, for requests that name none.
"""

from __future__ import annotations

import zlib
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.links.ovsdb import MADE_KEY, quote_atom
from pipework_core.model.attachment import has_broadcast
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.names import stable_mac
from pipework_core.model.plan import Command
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Interface

    from pipework_core.model.attachment import Attachment

#: What `-o KEY=VALUE` says of the network of a logical switch.
OPTIONS: Mapping[str, str] = {
    "subnet": "IP/N: the network of a logical switch that is made, from which OVN gives addresses",
    "router": "the gateway that OVN tells DHCP clients; that of the first static address if not given",
    "dns": "IP[,IP]: the name servers that OVN tells DHCP clients",
    "dhcp": "yes: OVN answers DHCP for a static address as well; no: a guest of the network gives the addresses",
}
#: The keys of our notes in `external_ids` of a logical switch.
ROUTER_KEY, SERVERS_KEY = "pipework.router", "pipework.dns"
#: The key, in a row of DHCP_Options of ours, of the port that it is for.
PORT_KEY = "pipework.port"
#: Seconds. A client that is killed gives nothing back, but the address is the port's as long as there is the port.
_LEASE = 3600
#: Seconds for ovn-northd to choose an address: all it has to do beside that may come first.
PATIENCE = 10


class Network(Record):
    """What is known of a logical switch's network; None and empty where nothing is.

    `excluded` are the words of `exclude_ips`, which nobody gets.
    """

    subnet: IPv4Network | None = None
    router: str = ""
    servers: tuple[str, ...] = ()
    excluded: str = ""


def read_network(other_config: Mapping[str, str], external_ids: Mapping[str, str]) -> Network:
    """Return what a logical switch says; a subnet that is none is somebody else's mistake, and says nothing."""
    try:
        subnet = IPv4Network(other_config.get("subnet", ""), strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        subnet = None
    servers = external_ids.get(SERVERS_KEY, "")
    return Network(
        subnet=subnet,
        router=external_ids.get(ROUTER_KEY, ""),
        servers=tuple(servers.split(",")) if servers else (),
        excluded=other_config.get("exclude_ips", ""),
    )


def choose_network(attachment: Attachment, told: Network, *, ours: bool) -> Network:
    """Return the network as it is to be after the request; `ours` says that pipework made, or makes, the switch.

    Raise UsageError for options that make no sense, ConflictError for those that the switch contradicts.
    """
    name, asked = attachment.host, _parse_options(attachment)
    if asked.subnet is not None and told.subnet not in {None, asked.subnet}:
        raise ConflictError(
            f"the logical switch {name} has the subnet {told.subnet}, not {asked.subnet}.",
            hint="leave -o subnet= out, or name another switch",
        )
    if asked.router and told.router not in {"", asked.router}:
        raise ConflictError(
            f"the logical switch {name} has the router {told.router}, not {asked.router}.", hint="leave -o router= out"
        )
    if not ours:
        if asked.subnet is not None and told.subnet is None:
            raise ConflictError(
                f"the logical switch {name} is not pipework's, and has no subnet.",
                hint=f"ovn-nbctl set Logical_Switch {name} other_config:subnet={asked.subnet} gives it one",
            )
        return told._replace(router=told.router or asked.router, servers=asked.servers or told.servers)
    subnet = told.subnet or asked.subnet or _find_subnet(attachment)
    router = told.router or asked.router or ("" if told.subnet else _find_gateway(attachment, subnet))
    if router and subnet is not None and IPv4Address(router) not in subnet:
        raise UsageError(
            f"the router {router} is not in the subnet {subnet} of {name}.", hint="leave -o router= out, or correct it"
        )
    excluded = told.excluded or (router if subnet is not None and router != _first_host(subnet) else "")
    return Network(subnet=subnet, router=router, servers=asked.servers or told.servers, excluded=excluded)


def _parse_options(attachment: Attachment) -> Network:
    """Return what the options say; raise UsageError for what is no network or address."""
    said = attachment.option("subnet")
    subnet = None
    if said:
        try:
            subnet = IPv4Network(said)
        except ValueError as error:
            hint = "write a network of IPv4, such as -o subnet=10.1.0.0/24"
            raise UsageError(f"subnet={said} is no network: {error}.", hint=hint) from None
        if not has_broadcast(subnet):
            raise UsageError(f"the subnet {subnet} is too small to give addresses from.", hint="write /30 or larger")
    servers = attachment.option("dns")
    return Network(
        subnet=subnet,
        router=_parse_address("router", attachment.option("router")) if attachment.option("router") else "",
        servers=tuple(_parse_address("dns", one) for one in servers.split(",")) if servers else (),
    )


def _parse_address(key: str, text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        hint = f"write an address of IPv4, such as -o {key}=10.1.0.1"
        raise UsageError(f"{key}={text} is no address of IPv4.", hint=hint) from None


def _find_address(attachment: Attachment) -> IPv4Interface | None:
    return next((one for one in attachment.addresses if one.version == 4), None)  # noqa: PLR2004 - IPv4


def _find_subnet(attachment: Attachment) -> IPv4Network | None:
    """Return the network of the first static address, if addresses can be given from it."""
    address = _find_address(attachment)
    return address.network if address is not None and has_broadcast(address.network) else None


def _find_gateway(attachment: Attachment, subnet: IPv4Network | None) -> str:
    inside = (str(one) for one in attachment.gateways if subnet is not None and one in subnet)
    return next(inside, "")


def _first_host(subnet: IPv4Network) -> str:
    """Return the address that OVN's own choice leaves to a router in any case (ovn-nb(5), other_config:subnet)."""
    return str(subnet.network_address + 1)


def list_notes(network: Network, told: Network) -> tuple[str, ...]:
    """Return `COLUMN:KEY=VALUE` of what the switch does not say yet."""
    new, old = _map_network(network), _map_network(told)
    return tuple(f"{key}={quote_atom(text)}" for key, text in new.items() if text and not old[key])


def list_forgotten(network: Network, told: Network) -> tuple[tuple[str, str], ...]:
    """Return column and key of what `list_notes` writes, for undoing."""
    new, old = _map_network(network), _map_network(told)
    keys = (key for key, text in new.items() if text and not old[key])
    return tuple((column, key) for column, _, key in (key.partition(":") for key in keys))


def _map_network(network: Network) -> dict[str, str]:
    return {
        "other_config:subnet": str(network.subnet or ""),
        "other_config:exclude_ips": network.excluded,
        f"external_ids:{ROUTER_KEY}": network.router,
        f"external_ids:{SERVERS_KEY}": ",".join(network.servers),
    }


def is_dynamic(attachment: Attachment) -> bool:
    """Whether OVN is to choose the address; raise UsageError for a word that the option `dhcp` does not have."""
    return _asks_ipv4(attachment) and _parse_who(attachment) != "no"


def has_answers(attachment: Attachment) -> bool:
    """Whether OVN is to answer DHCP on the port."""
    return is_dynamic(attachment) or (_parse_who(attachment) == "yes" and _find_address(attachment) is not None)


def _asks_ipv4(attachment: Attachment) -> bool:
    return attachment.dhcp is not None and attachment.dhcp.family == 4  # noqa: PLR2004 - IPv4


def _parse_who(attachment: Attachment) -> str:
    said = attachment.option("dhcp")
    if said not in {"", "yes", "no"}:
        raise UsageError(f"dhcp={said} is neither yes nor no.", hint="write -o dhcp=yes or -o dhcp=no")
    return said


def check_request(attachment: Attachment, network: Network, *, has_router: bool) -> None:
    """Raise HostError for addresses that nobody would give: it would be waited for them in vain.

    `has_router` says that the switch has a port of a logical router.
    """
    name = attachment.host
    if _parse_who(attachment) == "no":
        return
    if is_dynamic(attachment) and network.subnet is None:
        raise HostError(
            f"the logical switch {name} has no subnet that OVN could give an address from.",
            hint="add -o subnet=10.1.0.0/24; where a guest of the network gives addresses, add -o dhcp=no",
        )
    six = attachment.auto or (attachment.dhcp is not None and not _asks_ipv4(attachment))
    if six and not has_router:
        raise HostError(
            f"the logical switch {name} has no logical router, and OVN gives IPv6 addresses by one alone.",
            hint="write a static address; where a guest of the network is a router, add -o dhcp=no",
        )


def list_addresses(attachment: Attachment, mac: str) -> tuple[str, ...]:
    """Return the entries of a port's `addresses`: what OVN lets reach it (ovn-nb(5), Logical_Switch_Port)."""
    static = " ".join((mac, *(str(one.ip) for one in attachment.addresses)))
    if not is_dynamic(attachment):
        return (static,)
    return (f"{mac} dynamic", *((static,) if attachment.addresses else ()))


def list_senders(attachment: Attachment, mac: str) -> tuple[str, ...]:
    """Return the entries of a port's `port_security` that are known before OVN has chosen: by whom it may send.

    Where addresses come from elsewhere, any may be the one.
    """
    open_end = attachment.auto or attachment.dhcp is not None or not attachment.addresses
    return (mac,) if open_end else list_addresses(attachment, mac)


def make_answers(attachment: Attachment, network: Network, port: str, system: str, mtu: int) -> tuple[str, ...]:
    """Return the words that let OVN answer DHCP on a port, after others of the same transaction of `ovn-nbctl`.

    `system` is the chassis that the port is of.
    """
    address = _find_address(attachment) if not is_dynamic(attachment) else None
    subnet = address.network if address is not None else network.subnet
    if subnet is None:
        raise ValueError("a request without a subnet was refused before")
    router = network.router if network.router and IPv4Address(network.router) in subnet else ""
    told = {
        "lease_time": str(_LEASE),
        "server_id": router or _first_host(subnet),
        "server_mac": stable_mac(f"ovn:{attachment.host}"),
        "mtu": str(mtu),
        "router": router,
        "dns_server": "{" + ", ".join(network.servers) + "}" if network.servers else "",
    }
    marks = {MADE_KEY: "1", "pipework.host": system, PORT_KEY: port}
    row = f"@dhcp_{zlib.crc32(port.encode('utf-8', 'surrogateescape')):08x}"
    return (
        *("--", f"--id={row}", "create", "DHCP_Options", f"cidr={quote_atom(str(subnet))}"),
        *(f"options:{key}={quote_atom(text)}" for key, text in told.items() if text),
        *(f"external_ids:{key}={quote_atom(text)}" for key, text in marks.items()),
        *("--", "set", "Logical_Switch_Port", port, f"dhcpv4_options={row}"),
    )


def match_answers(port: str) -> dict[str, object]:
    """Return the operation of the database (RFC 7047, 5.2.6) that deletes the row that `make_answers` makes."""
    marks = ["map", [[MADE_KEY, "1"], [PORT_KEY, port]]]
    return {"op": "delete", "table": "DHCP_Options", "where": [["external_ids", "includes", marks]]}


def secure_port(attachment: Attachment, port: str, mac: str, nbctl: tuple[str, ...]) -> Command:
    """Return what waits until OVN has chosen the port's address, and lets it send from that one and the static ones.

    `nbctl` is the program with the words that lead to the database and give it `PATIENCE` seconds.
    """
    others = list_addresses(attachment, mac)[1:]
    return Command(
        argv=("sh", script("ovn_secure.sh"), port, *(others or ("",)), *nbctl),
        timeout=PATIENCE,
        reason=f"let {port} send from the address that OVN chooses for it",
    )
