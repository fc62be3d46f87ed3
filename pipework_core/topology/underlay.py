"""Tunnels between the machines of a file: what `remote=` of a VXLAN network is, when the file does not say.

A pair of machines sends to each other when both have a link on `vxlan:NUMBER` in the file, whether guests are there or
not, so that nobody's remotes depend on who is there today.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from pipework_core.topology.model import Link, Machine, Topology

VXLAN = "vxlan"
#: Options that say where a network's other machines are.
_SAID = ("remote", "group")


def fill_remotes(topology: Topology, find_address: Callable[[str], str]) -> Topology:
    """Return the file with `remote=` in each link on a VXLAN network that several of its machines are in.

    Links that name `remote` or `group` themselves stay as they are. `find_address` returns the IP address of a name,
    and raises UsageError for none. Raise UsageError, with the place of a machine, when its address is unknown, or no
    other machine could send to it, or when one network would have addresses of two families.
    """
    members: dict[str, set[str]] = {}
    for link in topology.links:
        if link.machine and link.attachment.kind == VXLAN:
            members.setdefault(link.attachment.host, set()).add(link.machine)
    asking = {link.attachment.host for link in topology.links if _needs_remotes(link, members)}
    needed = {name for network in asking for name in members[network]}
    found = {one.name: _find_underlay(one, find_address) for one in topology.machines if one.name in needed}
    for network in sorted(asking):
        _refuse_mixed(topology, network, members[network], found)

    def fill(link: Link) -> Link:
        if not _needs_remotes(link, members):
            return link
        others = members[link.attachment.host] - {link.machine}
        return _add_remotes(link, [address for name, address in found.items() if name in others])

    return topology._replace(links=tuple(map(fill, topology.links)))


def _needs_remotes(link: Link, members: dict[str, set[str]]) -> bool:
    asked = link.attachment
    several = asked.kind == VXLAN and len(members.get(asked.host, ())) > 1
    return several and not any(asked.option(key) for key in _SAID)


def _add_remotes(link: Link, remotes: Iterable[str]) -> Link:
    options = (*link.attachment.options, ("remote", ",".join(remotes)))
    return link._replace(attachment=link.attachment._replace(options=tuple(sorted(options))))


def _find_underlay(machine: Machine, find_address: Callable[[str], str]) -> str:
    """Return the address that other machines send to."""
    hint = f"write {machine.name}: {{driver: {machine.driver}, address: IP}}, with the one that the others send to"
    if not machine.address:
        raise machine.place.error(f"which address {machine.name} has for tunnels is unknown.", hint=hint)
    try:
        found = ip_address(machine.address)
    except ValueError:
        try:
            found = ip_address(find_address(machine.address))
        except UsageError as error:
            raise machine.place.error(str(error), hint=hint) from None
    if found.is_loopback or found.is_unspecified or found.is_multicast:
        message = f"{machine.name} has the address {found}, to which no other machine can send."
        raise machine.place.error(message, hint=hint)
    return str(found)


def _refuse_mixed(topology: Topology, network: str, names: Collection[str], found: dict[str, str]) -> None:
    """Raise UsageError for a network whose machines have addresses of both families."""
    first, *others = [machine for machine in topology.machines if machine.name in names]
    for other in others:
        if (":" in found[other.name]) != (":" in found[first.name]):
            message = (
                f"{VXLAN}:{network} would lead from {found[first.name]} of {first.name} to {found[other.name]}, "
                "which is of another family."
            )
            raise other.place.error(message, hint=f"give {other.name} an address: of the other's family")


def find_address(name: str) -> str:
    """Return the IP address of a machine's name as this machine knows it, IPv4 first; raise UsageError for none."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            found = socket.getaddrinfo(name, None, family, socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            continue
        return str(found[0][4][0])
    raise UsageError(f"no address is known for the machine's name {name!r}.", hint="write its IP address")
