"""What the file says of OVN: where its northbound database is, and what its networks give to the links on them."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError, ip_address
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from pipework_core.model.errors import UsageError
from pipework_core.spec import grammar
from pipework_core.topology.model import Network

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipework_core.topology.model import Link, Source
    from pipework_core.topology.schema import CheckedFile, NetworkFields

OVN = "ovn"
#: A subnet has room for a router and a guest at least.
_PREFIX_MAX = 30
_NB_HINT = "write tcp:127.0.0.1:6641, ssl:HOST:6641 or unix:/run/ovn/ovnnb_db.sock; several with commas between"
#: One connection method of ovsdb(7) for clients.
_NB = r"(?:tcp|ssl):(?:\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[A-Za-z0-9_][\w.-]*):(?P<port>[0-9]{1,5})|unix:/\S+"
_PORT_MAX = 65535


def find_nb(document: Source, file: CheckedFile, errors: list[UsageError]) -> str:
    """Return the address of the northbound database, empty for none; add an error, with its place, for a bad one."""
    if file.frame.ovn is UNSET:
        return ""
    text = file.frame.ovn.nb
    for one in text.split(","):
        found = re.fullmatch(_NB, one, re.ASCII)
        if not found or (found["port"] and not 1 <= int(found["port"]) <= _PORT_MAX):
            place = document.find_place(("ovn", "nb"))
            errors.append(place.error(f"{one[:80]!r} is not the address of a northbound database.", hint=_NB_HINT))
    return text


def build_networks(document: Source, file: CheckedFile, errors: list[UsageError]) -> dict[str, Network]:
    """Return the file's networks by name; add an error, with its place, for each that makes no sense."""
    found: dict[str, Network] = {}
    for name, fields in file.networks.items():
        try:
            found[name] = _build_network(document, name, fields)
        except UsageError as error:
            errors.append(error)
    return found


def _build_network(document: Source, name: str, fields: NetworkFields) -> Network:
    place = document.find_place(("networks", name), of_key=True)
    bare = name.removeprefix(f"{OVN}:")
    try:
        grammar.split_host(f"{OVN}:{bare}")
    except UsageError as error:
        raise place.error(str(error), hint=error.hint) from None
    if bare != name:
        raise place.error(f"{name} is how links name the network.", hint=f"write {bare}: here")
    subnet: IPv4Network | None = None
    gateway: IPv4Address | None = None
    if fields.subnet is not UNSET:
        subnet = _parse_at(document, name, "subnet", _parse_subnet, fields.subnet)
    elif fields.dhcp is True or fields.gateway is not UNSET:
        key = "dhcp" if fields.dhcp is True else "gateway"
        place = document.find_place(("networks", name, key))
        raise place.error(f"{name} has {key} and no subnet.", hint="add subnet:, such as 10.1.0.0/24")
    if fields.gateway is not UNSET and subnet is not None:
        gateway = _parse_at(document, name, "gateway", lambda text: _parse_gateway(text, subnet), fields.gateway)
    return Network(name, place, subnet, gateway, None if fields.dhcp is UNSET else fields.dhcp)


def _parse_at(document: Source, name: str, key: str, parse: Any, text: str) -> Any:  # noqa: ANN401 - as `parse` returns
    try:
        return parse(text)
    except UsageError as error:
        raise document.find_place(("networks", name, key)).error(str(error), hint=error.hint) from None


def _parse_subnet(text: str) -> IPv4Network:
    try:
        whole = IPv4Network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        if ":" in text:
            hint = "leave it out: the IPv6 addresses of guests need none"
            raise UsageError(f"{text[:80]!r}: OVN gives addresses of IPv4 subnets alone.", hint=hint) from None
        raise UsageError(f"{text[:80]!r} is not a subnet.", hint="write a network, such as 10.1.0.0/24") from None
    if "/" not in text or whole.prefixlen > _PREFIX_MAX:
        hint = f"write one of /{_PREFIX_MAX} or larger, such as 10.1.0.0/24"
        raise UsageError(f"{text} has no room for guests.", hint=hint)
    if text.partition("/")[0] != str(whole.network_address):
        raise UsageError(f"{text} is an address of the network {whole}.", hint=f"write {whole}")
    if whole.is_multicast or whole.is_loopback or whole.network_address.is_unspecified:
        raise UsageError(f"{text} is no network that guests can be in.", hint="write one such as 10.1.0.0/24")
    return whole


def _parse_gateway(text: str, subnet: IPv4Network) -> IPv4Address:
    try:
        found = ip_address(text)
    except ValueError:
        hint = f"write an IP address, such as {subnet.network_address + 1}"
        raise UsageError(f"{text[:80]!r} is not a gateway's address.", hint=hint) from None
    if not isinstance(found, IPv4Address) or not _is_host(found, subnet):
        hint = f"write one of its hosts, such as {subnet.network_address + 1}"
        raise UsageError(f"the gateway {found} is no host of the subnet {subnet}.", hint=hint)
    return found


def _is_host(address: object, subnet: IPv4Network) -> bool:
    ends = {subnet.network_address, subnet.broadcast_address}
    return isinstance(address, IPv4Address) and address in subnet and address not in ends


def apply_network(link: Link, networks: Mapping[str, Network], nb: str) -> Link:
    """Return a link on OVN with what the file gives it as options of the kind, each below the link's own.

    `nb` is the northbound database, empty where a way to the link's machine carries it. Raise UsageError when an
    address, a pool or a gateway of IPv4 lies outside of the network's subnet.
    """
    asked = link.attachment
    if asked.kind != OVN:
        return link
    network = networks.get(asked.host)
    given = {"nb": nb} if nb else {}
    if network is not None:
        _refuse_outside(link, network)
        given |= dict(_list_options(network))
    return link._replace(attachment=asked._replace(options=tuple(sorted({**given, **dict(asked.options)}.items()))))


def _list_options(network: Network) -> Iterator[tuple[str, str]]:
    """Yield the options of a link on this network."""
    if network.subnet is not None:
        yield "subnet", str(network.subnet)
    if network.gateway is not None:
        yield "router", str(network.gateway)
    if network.dhcp is not None:
        yield "dhcp", "yes" if network.dhcp else "no"


def _refuse_outside(link: Link, network: Network) -> None:
    for written in _list_outside(link, network):
        hint = f"choose one of {network.subnet}, or change the subnet in {network.place.short}"
        raise UsageError(f"{written} is not of {network.subnet}, the subnet of {network.name}.", hint=hint)


def _list_outside(link: Link, network: Network) -> Iterable[str]:
    """Yield what the link writes that lies outside of the subnet."""
    subnet = network.subnet
    if subnet is None:
        return
    for address in link.attachment.addresses:
        if address.version == subnet.version and not _is_host(address.ip, subnet):
            yield str(address)
    for pool in link.pools:
        ends = (IPv4Address(number) for number in (pool.first, pool.last) if pool.network.version == subnet.version)
        if any(end not in subnet for end in ends):
            yield f"the pool {pool.text}"
    for gateway in link.attachment.gateways:
        if gateway.version == subnet.version and gateway not in subnet:
            yield f"the gateway {gateway}"


def suggest_address(network: Network) -> str:
    """Return the hint for a link on the network that has no address."""
    if network.subnet is None:
        return "add address: IP/N, or address: 0/0 for none"
    pool = f"address: {network.subnet}, a pool of {network.name}"
    if network.dhcp:
        return f"add address: udhcpc, or another DHCP client, which asks {network.name}; or {pool}"
    return f"add {pool}, or one address of it"


def share_networks(links: Sequence[Link], networks: Mapping[str, Network]) -> list[Link]:
    """Return the links with what the file gives of a network kept from OVN, where OVN gives addresses of it as well.

    OVN gives the lowest address that is free. A pool that is the whole subnet keeps its upper half: there would be none
    left for OVN.
    """
    shared = {name: network.subnet for name, network in networks.items() if _asks_ovn(links, network)}
    kept = [_narrow_pools(link, shared[link.attachment.host]) if _is_on(link, shared) else link for link in links]
    words = {name: _write_ranges(link for link in kept if _is_on(link, {name})) for name in shared}
    return [_exclude(link, words[link.attachment.host]) if _is_on(link, shared) else link for link in kept]


def _asks_ovn(links: Iterable[Link], network: Network) -> bool:
    """Whether the file has OVN give addresses of a network: it says so, or a link asks by DHCP."""
    asks = any(link.attachment.dhcp is not None for link in links if _is_on(link, {network.name}))
    return network.subnet is not None and (asks if network.dhcp is None else network.dhcp)


def _is_on(link: Link, names: Collection[str]) -> bool:
    return link.attachment.kind == OVN and link.attachment.host in names


def _narrow_pools(link: Link, subnet: IPv4Network | None) -> Link:
    pools = (
        pool._replace(first=pool.first + pool.size // 2) if "-" not in pool.text and pool.network == subnet else pool
        for pool in link.pools
    )
    return link._replace(pools=tuple(pools))


def _write_ranges(links: Iterable[Link]) -> str:
    """Return what the file gives of IPv4, as `FIRST-LAST` with commas between; neighbours are one range."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(pair for link in links for pair in _list_ranges(link)):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return ",".join(f"{IPv4Address(first)}-{IPv4Address(last)}" for first, last in found)


def _list_ranges(link: Link) -> Iterator[tuple[int, int]]:
    for address in link.attachment.addresses:
        if isinstance(address.ip, IPv4Address):
            yield int(address.ip), int(address.ip)
    for pool in link.pools:
        if isinstance(pool.network, IPv4Network):
            yield pool.first, pool.last


def _exclude(link: Link, words: str) -> Link:
    asked = link.attachment
    options = {**({"exclude": words} if words else {}), **dict(asked.options)}
    return link._replace(attachment=asked._replace(options=tuple(sorted(options.items()))))
