"""What an interface has that can move to another one, and the commands that give and take it."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

from pipework_backends.host_access import routes as host_routes
from pipework_backends.links import nic_state
from pipework_core.model.records import Record
from pipework_core.state import facts
from pipework_core.toolkit.iproute import ip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Context
    from pipework_core.model.link import Route
    from pipework_core.model.plan import Command


class Held(Record):
    """What an interface has that can move: entries of `addr_info`, and routes of all tables.

    They are in the order in which they are to be given. `stale` are routes by a gateway that nothing of it leads
    to, which the kernel keeps, and would not take again.
    """

    addresses: tuple[dict[str, Any], ...] = ()
    routes: tuple[Route, ...] = ()
    stale: tuple[Route, ...] = ()


def held_by(context: Context, name: str) -> Held:
    """Return what the interface has; raise HostError for a route that words cannot put back."""
    infos = [info for info in _list_infos(context, name) if nic_state.is_assigned(info)]
    four = [info for info in infos if info.get("family") != "inet6"]
    # The kernel shows, and prefers, the IPv6 address that it got last.
    six = [info for info in reversed(infos) if info.get("family") == "inet6"]
    routes = host_routes.list_through(context.answers["routes"].stdout, name)
    networks = [
        ip_interface(format_address({**info, "local": info.get("address", info["local"])})).network for info in infos
    ]
    stale = host_routes.list_stale(routes, networks)
    return Held(
        addresses=(*four, *six), routes=tuple(route for route in routes if route not in stale), stale=tuple(stale)
    )


def list_advertised(context: Context, name: str) -> list[str]:
    """Return the addresses that the kernel makes of what routers advertise."""
    return [
        format_address(info)
        for info in _list_infos(context, name)
        if info.get("scope") == "global" and not nic_state.is_assigned(info)
    ]


def _list_infos(context: Context, name: str) -> list[dict[str, Any]]:
    documents = [facts.parse_json(line) for line in facts.json_lines(context.answers["home"].stdout)]
    links = documents[0] if documents else []
    return [info for link in links if link.get("ifname") == name for info in link.get("addr_info", ())]


def add_addresses(held: Held, old: str, new: str) -> list[Command]:
    """Return what gives `new` all that `old` has; both may be the same."""
    steps = [step for info in held.addresses for step in address_steps(change_label(info, old, new), new)]
    return steps + [host_routes.lead_through(route, old, new) for route in held.routes]


def remove_address(info: Mapping[str, Any], name: str) -> Command:
    """Return what takes an address away from the interface."""
    return ip("address", "delete", *find_position(info), "dev", name, reason=f"take {format_address(info)} off {name}")


def address_steps(info: Mapping[str, Any], name: str) -> list[Command]:
    """Return what gives an address as it was, at once: the host has it, so nobody needs to be asked whose it is.

    Behind that the word that said so is taken back: it would stay with the address.
    """
    argv = nic_state.restore_address(dict(info), name).argv
    usual = argv[2:]  # no family: the address tells it
    reason = f"give {name} the address {format_address(info)}"
    if info.get("family") != "inet6" or info.get("nodad"):
        return [ip(*usual, reason=reason)]
    return [ip(*usual, "nodad", reason=reason), ip("address", "change", *usual[2:])]


def change_label(info: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return an address as it is called on another interface."""
    return {**info, "label": label_on(info["label"], old, new)} if "label" in info else info


def label_on(label: str, old: str, new: str) -> str:
    """Return the label on another interface: it begins with the interface's name (ip-address(8))."""
    return new + label.removeprefix(old) if label.startswith(old) else label


def format_address(info: Mapping[str, Any]) -> str:
    """Return an address as IP/N."""
    return f"{info['local']}/{info['prefixlen']}"


def find_position(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words that name an address, with its peer, whose the prefix length is then."""
    peer = info.get("address")
    return (info["local"], "peer", f"{peer}/{info['prefixlen']}") if peer else (format_address(info),)
