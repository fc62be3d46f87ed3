"""The network of a logical switch: its subnet, router and name servers, and who gives addresses in it.

A switch that pipework makes learns its subnet and router from the first request. The subnet stands where OVN itself
reads it (ovn-nb(5), Logical_Switch, other_config); the rest is noted on the switch, for requests that name none.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from pipework_backends.links.ovsdb import quote_atom
from pipework_core.model.attachment import has_broadcast
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Interface

    from pipework_backends.links.ovn_nb import LogicalSwitch
    from pipework_core.model.attachment import Attachment

#: What `-o KEY=VALUE` says of the network of a logical switch.
OPTIONS: Mapping[str, str] = {
    "subnet": "IP/N: the network of a logical switch that is made, from which OVN gives addresses",
    "router": "the gateway that OVN tells DHCP clients; that of the first static address if not given",
    "dns": "IP[,IP]: the name servers that OVN tells DHCP clients",
    "exclude": "IP-IP[,IP-IP]: what OVN gives nobody of the subnet of a logical switch that is made",
    "dhcp": "yes: OVN answers DHCP for a static address as well; no: a guest of the network gives the addresses",
}
#: The keys of our notes in `external_ids` of a logical switch.
ROUTER_KEY, SERVERS_KEY = "pipework.router", "pipework.dns"


#: The shortest prefix: with it, ovn-northd keeps two megabytes.
_PREFIX_MIN = 8
#: Addresses that nobody has (RFC 1122, 3.2.1.3).
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


class Network(Record):
    """What is known of a logical switch's network; None and empty where nothing is.

    `excluded` are the words of `exclude_ips`, which nobody gets.
    """

    subnet: IPv4Network | None = None
    router: str = ""
    servers: tuple[str, ...] = ()
    excluded: str = ""


def read_network(switch: LogicalSwitch | None) -> Network:
    """Return what a logical switch says; a subnet that is none is somebody else's mistake, and says nothing."""
    if switch is None:
        return Network()
    try:
        subnet = IPv4Network(switch.config.get("subnet", ""), strict=False)
    except ValueError:
        subnet = None
    servers = switch.external_ids.get(SERVERS_KEY, "")
    return Network(
        subnet=subnet,
        router=switch.external_ids.get(ROUTER_KEY, ""),
        servers=tuple(servers.split(",")) if servers else (),
        excluded=switch.config.get("exclude_ips", ""),
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
    if router and subnet is not None and not _is_host(IPv4Address(router), subnet):
        raise UsageError(
            f"the router {router} is no host of the subnet {subnet} of {name}.",
            hint="leave -o router= out, or correct it",
        )
    excluded = told.excluded
    if subnet is not None and told.subnet is None:  # later, OVN would take addresses from guests that have them
        own = router if router != first_host(subnet) else ""
        excluded = " ".join(filter(None, (excluded, own, asked.excluded)))
    return Network(subnet=subnet, router=router, servers=asked.servers or told.servers, excluded=excluded)


def _parse_options(attachment: Attachment) -> Network:
    """Return what the options say; raise UsageError for what is no network or address."""
    options = dict(attachment.options)
    said, subnet = options.get("subnet"), None
    if said is not None:
        try:
            subnet = IPv4Network(said)
        except ValueError as error:
            hint = "write a network of IPv4, such as -o subnet=10.1.0.0/24"
            raise UsageError(f"-o subnet={said!r} is no network: {error}.", hint=hint) from None
        if not _can_give(subnet):
            raise UsageError(
                f"OVN cannot give addresses from {subnet}.", hint="write a network of hosts from /8 to /30: 10.1.0.0/24"
            )
    servers = options["dns"].split(",") if "dns" in options else ()
    return Network(
        subnet=subnet,
        router=_parse_address("router", options["router"]) if "router" in options else "",
        servers=tuple(_parse_address("dns", one) for one in servers),
        excluded=" ".join(_parse_range(one) for one in options["exclude"].split(",")) if "exclude" in options else "",
    )


def _parse_range(text: str) -> str:
    """Return a range, or one address, as OVN writes it."""
    ends = [_parse_address("exclude", one) for one in text.split("-", 1)]
    if IPv4Address(ends[0]) > IPv4Address(ends[-1]):
        raise UsageError(f"-o exclude={text!r} ends before it begins.", hint="write FIRST-LAST")
    return "..".join(ends)


def _parse_address(key: str, text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        hint = f"write an address of IPv4, such as -o {key}=10.1.0.1"
        raise UsageError(f"-o {key}={text!r} is no address of IPv4.", hint=hint) from None


def find_address(attachment: Attachment) -> IPv4Interface | None:
    """Return the first static address of IPv4."""
    return next((one for one in attachment.addresses if one.version == 4), None)  # noqa: PLR2004 - IPv4


def _find_subnet(attachment: Attachment) -> IPv4Network | None:
    """Return the network of the first static address, if addresses can be given from it."""
    address = find_address(attachment)
    return address.network if address is not None and _can_give(address.network) else None


def _can_give(subnet: IPv4Network) -> bool:
    """Whether hosts can have addresses of the network, and ovn-northd, which keeps a bit for each, can keep them."""
    special = subnet.is_multicast or subnet.is_loopback or subnet.is_reserved or subnet.network_address in _THIS_NETWORK
    return has_broadcast(subnet) and subnet.prefixlen >= _PREFIX_MIN and not special


def _find_gateway(attachment: Attachment, subnet: IPv4Network | None) -> str:
    there = (one for one in attachment.gateways if isinstance(one, IPv4Address))
    return next((str(one) for one in there if subnet is not None and _is_host(one, subnet)), "")


def _is_host(address: IPv4Address, subnet: IPv4Network) -> bool:
    return address in subnet and address not in {subnet.network_address, subnet.broadcast_address}


def first_host(subnet: IPv4Network) -> str:
    """Return the address that OVN's own choice leaves to a router in any case (ovn-nb(5), other_config:subnet)."""
    return str(subnet.network_address + 1)


def list_notes(network: Network, told: Network) -> tuple[str, ...]:
    """Return `COLUMN:KEY=VALUE` of what the switch does not say yet."""
    new, old = _map_network(network), _map_network(told)
    return tuple(f"{key}={quote_atom(text)}" for key, text in new.items() if text and not old[key])


def forget_notes(name: str, network: Network, told: Network) -> tuple[str, ...]:
    """Return the words of `ovn-nbctl` that take back from the switch of that name what `list_notes` says."""
    new, old = _map_network(network), _map_network(told)
    keys = (key.partition(":") for key, text in new.items() if text and not old[key])
    return tuple(word for column, _, key in keys for word in ("--", "remove", "Logical_Switch", name, column, key))


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
    return is_dynamic(attachment) or (_parse_who(attachment) == "yes" and find_address(attachment) is not None)


def _asks_ipv4(attachment: Attachment) -> bool:
    return attachment.dhcp is not None and attachment.dhcp.family == 4  # noqa: PLR2004 - IPv4


def _parse_who(attachment: Attachment) -> str:
    said = dict(attachment.options).get("dhcp")
    if said not in {None, "yes", "no"}:
        raise UsageError(f"-o dhcp={said!r} is neither yes nor no.", hint="write -o dhcp=yes or -o dhcp=no")
    return said or ""


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
