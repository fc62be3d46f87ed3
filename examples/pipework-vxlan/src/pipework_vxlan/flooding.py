"""Where frames for all go: the kernel sends a copy to each entry for the address of zeros (bridge(8), fdb append)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipework_core.api import Command, Plan, parse_json
from pipework_vxlan import underlay

if TYPE_CHECKING:
    from pipework_core.api import Context, HostState, Link
    from pipework_vxlan.network import Network

_ALL = "00:00:00:00:00:00"
_KEY = "flood list"


class Destination(NamedTuple):
    """One other host, and the interface that leads there where the kernel was told."""

    remote: str
    via: str = ""


def list_queries(network: Network, host: HostState) -> dict[str, Command]:
    """Return what reads the list of a device that there is."""
    if network.tunnel not in host.links:
        return {}
    argv = ("bridge", "-json", "fdb", "show", "dev", network.tunnel)
    return {_KEY: Command(argv=argv, reason=f"read where {network.tunnel} sends what is for all")}


def fill_list(network: Network) -> Plan:
    """Return what completes the list of a new device, which has the first entry already, and which they go with."""
    return Plan(
        steps=tuple(_append_destination(network, Destination(remote, network.dev)) for remote in network.remotes[1:])
    )


def adjust_list(context: Context, network: Network, tunnel: Link) -> Plan:
    """Return what adds the missing entries, and with `--replace` takes away those that the request does not name.

    Without it they may be another guest's: all guests of the host in this network share the list.
    """
    if not network.remotes:
        return Plan()
    there = _read_list(context)
    via = network.dev or str(tunnel.data.get("link", ""))
    known = {entry.remote for entry in there}
    missing = [Destination(remote, via) for remote in network.remotes if remote not in known]
    extra = [entry for entry in there if entry.remote not in network.remotes]
    narrow = _warn_of_narrow_way(context, network._replace(remotes=tuple(entry.remote for entry in missing)), tunnel)
    # What is appended, somebody else may have begun to count on while a lease is waited for.
    steps = [
        _append_destination(network, one)._replace(
            undo=(_delete_destination(network, one)._replace(only_if_uncontended=True),)
        )
        for one in missing
    ]
    if not context.attachment.replace:
        names = ", ".join(entry.remote for entry in extra)
        more = f"{network.tunnel} sends to {names} as well, which --replace would end"
        return Plan(steps=tuple(steps), notes=(more,) if extra else (), warnings=narrow)
    steps += [_delete_destination(network, one)._replace(undo=(_append_destination(network, one),)) for one in extra]
    return Plan(steps=tuple(steps), warnings=narrow)


def _warn_of_narrow_way(context: Context, new: Network, tunnel: Link) -> tuple[str, ...]:
    """Return a warning when a new way carries less than what guests send; raise HostError when there is none."""
    room = underlay.find_room(context, new) if new.remotes else tunnel.mtu
    if room >= tunnel.mtu:
        return ()
    names = ", ".join(new.remotes)
    return (f"guests in VXLAN {new.vni} send packets of {tunnel.mtu} bytes, and the way to {names} carries {room}",)


def _read_list(context: Context) -> list[Destination]:
    rows = parse_json(context.answers[_KEY].stdout or "[]") if _KEY in context.answers else []
    found = (row for row in rows if row.get("mac") == _ALL and row.get("dst"))
    return [Destination(str(row["dst"]), str(row.get("viaIf", ""))) for row in found]


def _append_destination(network: Network, entry: Destination) -> Command:
    return _change_list("append", network, entry, reason=f"send what is for all to {entry.remote}")


def _delete_destination(network: Network, entry: Destination) -> Command:
    return _change_list("delete", network, entry, reason=f"send {entry.remote} nothing any more that is for all")


def _change_list(verb: str, network: Network, entry: Destination, *, reason: str) -> Command:
    via = ("via", entry.via) if entry.via else ()
    return Command(argv=("bridge", "fdb", verb, _ALL, "dev", network.tunnel, "dst", entry.remote, *via), reason=reason)
