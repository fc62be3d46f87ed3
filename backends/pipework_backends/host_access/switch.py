"""The host's own part in a network: an address on a switch, or a sibling of a NIC that takes its addresses over.

A macvlan and the NIC below it cannot talk to each other (macvlan.c hands frames to other macvlans and to the wire); a
macvlan of the host's own, in bridge mode, can talk to those of guests. So it gets all that the NIC had.
"""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pipework_backends.host_access import nic, routes
from pipework_backends.links import nic_state
from pipework_core.model import ownership
from pipework_core.model.attachment import request_digest
from pipework_core.model.errors import ConflictError, HostError
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit.iproute import broadcast_words, ip
from pipework_core.toolkit.shared import is_made_by_us, lower_link, raise_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Context, SharedResource
    from pipework_core.model.link import Link
    from pipework_core.plugins.api import LinkBackend

#: The kinds of backends whose link is a switch that the host can have an address on.
_SWITCHES = frozenset({"bridge", "ovs"})
#: What a mark says of somebody else's switch where the host takes part.
KIND = "host"


class HostAccessPlanner:
    """Plans `pipework host`; see `pipework_core.plugins.api.HostAccessPlanner`."""

    QUERY = nic_state.QUERY
    GUARDS = nic.GUARDS
    name = "switch"
    programs = ("arping",)

    def named(self, context: Context) -> Context:
        """Return the context with the interface that gets the addresses; raise HostError for what cannot have any."""
        kind, name = context.attachment.kind, context.attachment.host
        if kind not in {*_SWITCHES, "macvlan"}:
            raise HostError(
                f"the host takes part by bridges and by Ethernet interfaces, and {name} is neither ({kind}).",
                hint="name a bridge or a NIC",
            )
        interface = name if kind in _SWITCHES else nic.sibling_name(context)
        return context._replace(attachment=context.attachment._replace(interface=interface))

    def queries(self, context: Context) -> Mapping[str, Command]:
        """Read how strictly the kernel checks where packets come from."""
        return {} if context.attachment.kind in _SWITCHES else nic.list_queries(context)

    def half(self, context: Context) -> str:
        """Say what an earlier run left of a sibling."""
        return "" if context.attachment.kind in _SWITCHES else nic.find_half(context)

    def plan(self, context: Context, backend: LinkBackend, *, confirm: int) -> Plan:
        """Return what makes the host take part."""
        if context.attachment.kind in _SWITCHES:
            return _on_switch(context, backend, confirm)
        return nic.plan_sibling(context, confirm=confirm)

    def withdrawal(self, context: Context) -> tuple[Plan, Context]:
        """Return what takes it back, and the context as it is then."""
        if context.attachment.kind in _SWITCHES:
            return _off_switch(context)
        return nic.plan_withdrawal(context, arping="arping" in context.programs)

    def shared_resources(self, next_context: Context, backend: LinkBackend) -> tuple[SharedResource, ...]:
        """Return the switch that nobody needs any more when it is ours, or what was changed on it or on the NIC."""
        asked = next_context.attachment
        found = backend.shared_resources(next_context, Tag(kind=asked.kind, parent=asked.host))
        return found or (lower_link(next_context.host_state, asked.host) if asked.kind == "ovs" else ())


def _on_switch(context: Context, backend: LinkBackend, confirm: int) -> Plan:
    name, link = context.attachment.host, context.host_state.links.get(context.attachment.host)
    digest = request_digest(context.attachment)
    before = ownership.read_tag(link) if link is not None else None
    if before is not None and before.new and before.req != digest:
        raise ConflictError(
            f"the host takes part in {name} already, with {', '.join(ownership.added_from(before.new))}.",
            hint=f"take that back first: pipework host --remove {name}",
        )
    if link is not None and link.alias and before is None:
        raise ConflictError(
            f"{name} has an alias of somebody else's, and that is where pipework notes what it adds.",
            hint=f"if nobody needs it: ip link set dev {name} alias ''",
        )
    nic.refuse_elsewhere(context, {name})
    has = {str(ip_interface(address)) for address in (link.addresses if link is not None else ())}
    missing = [address for address in context.attachment.addresses if str(address) not in has]
    defaults = nic.new_defaults(context, name, name)
    added = ownership.added_words(map(str, missing), [via for via, _ in defaults])
    made = backend.make_switch(context)
    steps = list(made.steps)
    if missing or defaults:
        if before is not None and before.new:  # something of it was taken away by hand, or a run was killed
            added = before.new
        steps.append(_set_tag(link, name, _make_tag(backend, link, before)._replace(new=added, req=digest)))
    for address in missing:
        undo = [ip("address", "delete", str(address), "dev", name)]
        words = ("address", "add", str(address), *broadcast_words(address), "dev", name)
        steps.append(ip(*words, undo=undo, reason=f"give the host the address {address} on {name}"))
    if backend.kind == "ovs" and (link is None or not link.up):
        steps.append(raise_link(link) if link is not None else _raise_link(name))
    steps += [step for _, step in defaults]
    if defaults and confirm:
        steps.append(nic.ask_gateways(confirm, name, [via for via, _ in defaults]))
    notes = () if steps else (*made.notes, f"the host takes part in {name}, with all that was asked for")
    return made._replace(steps=tuple(steps), notes=notes, warnings=made.warnings + _warn_of_shadows(context, name))


def _raise_link(name: str) -> Command:
    """Raise what was made by the same plan, and goes with it."""
    return ip("link", "set", "dev", name, "up", reason=f"raise {name}")


def _make_tag(backend: LinkBackend, link: Link | None, before: Tag | None) -> Tag:
    """Return the mark that the switch has, or will have: one that we made says so."""
    if before is not None:
        return before
    ours = backend.kind == "bridge" and (link is None or is_made_by_us(link, "bridge"))
    return Tag(kind="bridge" if ours else KIND)


def _set_tag(link: Link | None, name: str, tag: Tag) -> Command:
    words = ("link", "set", "dev", name, "alias")
    undo = [ip(*words, link.alias)] if link is not None else []
    return ip(*words, tag.alias, undo=undo, reason=f"note on {name} what the host gets there")


def _warn_of_shadows(context: Context, name: str) -> tuple[str, ...]:
    """Say which interfaces the host has in the same networks: what it sends there goes on leaving through them."""
    networks = {address.network for address in context.attachment.addresses}
    found = (
        (link, ip_interface(known))
        for link in context.host_state.links.values()
        if link.name != name
        for known in (*link.addresses, *link.leased)
    )
    return tuple(
        f"{link.name} is in {known.network} as well, with {known}; the host may go on reaching it through there."
        for link, known in found
        if known.network in networks
    )


def _off_switch(context: Context) -> tuple[Plan, Context]:
    name, link = context.attachment.host, context.host_state.links.get(context.attachment.host)
    if link is None:
        return Plan(warnings=(f"the host has no interface {name!r}, and so no part in its network.",)), context
    tag = ownership.read_tag(link)
    if tag is None or not tag.new:
        return Plan(notes=(f"pipework gave the host no part in {name}",)), context
    added = ownership.added_from(tag.new)
    steps, gone = [], [address for address in added if "/" in address and address in _list_addresses(link)]
    for route in context.guest_state.routes:
        if route.dst == "default" and route.dev == name and route.via in added:
            moved = routes.list_words(route)
            undo = [ip("route", "replace", *moved)]
            steps.append(ip("route", "delete", *moved, undo=undo, reason=f"take the default route by {route.via} back"))
    for address in gone:
        words = (address, *broadcast_words(ip_interface(address)), "dev", name)
        undo = [ip("address", "replace", *words)]
        steps.append(ip("address", "delete", address, "dev", name, undo=undo, reason=f"take {address} off {name}"))
    kept = tag._replace(new="", req="")
    steps.append(
        _set_tag(link, name, kept)._replace(argv=_list_alias_words(name, "" if tag.kind == KIND else kept.alias))
    )
    not_removed = tuple(address for address in link.addresses if address not in gone)
    alias = "" if tag.kind == KIND else kept.alias
    links = {**context.host_state.links, name: link._replace(addresses=not_removed, alias=alias)}
    return Plan(steps=tuple(steps)), context._replace(host_state=context.host_state._replace(links=links))


def _list_alias_words(name: str, alias: str) -> tuple[str, ...]:
    return ("ip", "link", "set", "dev", name, "alias", alias)


def _list_addresses(link: Link) -> set[str]:
    return {str(ip_interface(address)) for address in link.addresses}


@hookimpl
def pipework_host_access() -> list[HostAccessPlanner]:
    """Register the planner."""
    return [HostAccessPlanner()]
