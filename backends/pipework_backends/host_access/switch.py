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
from pipework_core.model.ownership import Mark
from pipework_core.model.plan import Command, Plan
from pipework_core.toolkit.iproute import broadcast, ip
from pipework_core.toolkit.shared import lowered, made_by_us, raise_shared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Leftover, Scene
    from pipework_core.model.link import Link
    from pipework_core.plugins.api import Backend

#: The kinds of backends whose link is a switch that the host can have an address on.
_SWITCHES = frozenset({"bridge", "ovs"})
#: What a mark says of somebody else's switch where the host takes part.
KIND = "host"


class HostSide:
    """Plans `pipework host`; see `pipework_core.plugins.api.HostSide`."""

    QUERY = nic_state.QUERY
    GUARDS = nic.GUARDS

    def __init__(self, *, arping: bool = False) -> None:
        self._arping = arping

    def named(self, scene: Scene) -> Scene:
        """Return the scene with the interface that gets the addresses; raise HostError for what cannot have any."""
        kind, name = scene.attachment.kind, scene.attachment.host
        if kind not in {*_SWITCHES, "macvlan"}:
            raise HostError(
                f"the host takes part by bridges and by Ethernet interfaces, and {name} is neither ({kind}).",
                hint="name a bridge or a NIC",
            )
        interface = name if kind in _SWITCHES else nic.sibling_name(scene)
        return scene._replace(attachment=scene.attachment._replace(interface=interface))

    def reads(self, scene: Scene) -> Mapping[str, Command]:
        """Read how strictly the kernel checks where packets come from."""
        return {} if scene.attachment.kind in _SWITCHES else nic.reads(scene)

    def half(self, scene: Scene) -> str:
        """Say what an earlier run left of a sibling."""
        return "" if scene.attachment.kind in _SWITCHES else nic.half(scene)

    def plan(self, scene: Scene, backend: Backend, *, confirm: int) -> Plan:
        """Return what makes the host take part."""
        if scene.attachment.kind in _SWITCHES:
            return _on_switch(scene, backend, confirm)
        return nic.plan(scene, confirm=confirm)

    def withdrawal(self, scene: Scene) -> tuple[Plan, Scene]:
        """Return what takes it back, and the scene as it is then."""
        if scene.attachment.kind in _SWITCHES:
            return _off_switch(scene)
        return nic.withdrawal(scene, arping=self._arping)

    def leftovers(self, then: Scene, backend: Backend) -> tuple[Leftover, ...]:
        """Return the switch that nobody needs any more when it is ours, or what was changed on it or on the NIC."""
        asked = then.attachment
        found = backend.leftovers(then, Mark(kind=asked.kind, on=asked.host))
        return found or (lowered(then.host, asked.host) if asked.kind == "ovs" else ())


def _on_switch(scene: Scene, backend: Backend, confirm: int) -> Plan:
    name, link = scene.attachment.host, scene.host.links.get(scene.attachment.host)
    switch = getattr(backend, "switch", None)
    if switch is None:
        raise HostError(f"{backend.kind} has no bridges that the host could take part in.", hint="name a Linux bridge")
    digest = request_digest(scene.attachment)
    before = ownership.read(link) if link is not None else None
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
    nic.refuse_elsewhere(scene, {name})
    has = {str(ip_interface(address)) for address in (link.addresses if link is not None else ())}
    missing = [address for address in scene.attachment.addresses if str(address) not in has]
    defaults = nic.new_defaults(scene, name, name)
    added = ownership.added_words(map(str, missing), [via for via, _ in defaults])
    made: Plan = switch(scene)
    steps = list(made.steps)
    if missing or defaults:
        if before is not None and before.new:  # something of it was taken away by hand, or a run was killed
            added = before.new
        steps.append(_noted(link, name, _mark(backend, link, before)._replace(new=added, req=digest)))
    for address in missing:
        undo = [ip("address", "delete", str(address), "dev", name)]
        words = ("address", "add", str(address), *broadcast(address), "dev", name)
        steps.append(ip(*words, undo=undo, why=f"give the host the address {address} on {name}"))
    if backend.kind == "ovs" and (link is None or not link.up):
        steps.append(raise_shared(link) if link is not None else _raised(name))
    steps += [step for _, step in defaults]
    if defaults and confirm:
        steps.append(nic.ask(confirm, name, [via for via, _ in defaults]))
    notes = () if steps else (*made.notes, f"the host takes part in {name}, with all that was asked for")
    return made._replace(steps=tuple(steps), notes=notes, warnings=made.warnings + _shadowed(scene, name))


def _raised(name: str) -> Command:
    """Raise what was made by the same plan, and goes with it."""
    return ip("link", "set", "dev", name, "up", why=f"raise {name}")


def _mark(backend: Backend, link: Link | None, before: Mark | None) -> Mark:
    """Return the mark that the switch has, or will have: one that we made says so."""
    if before is not None:
        return before
    ours = backend.kind == "bridge" and (link is None or made_by_us(link, "bridge"))
    return Mark(kind="bridge" if ours else KIND)


def _noted(link: Link | None, name: str, mark: Mark) -> Command:
    words = ("link", "set", "dev", name, "alias")
    undo = [ip(*words, link.alias)] if link is not None else []
    return ip(*words, mark.alias, undo=undo, why=f"note on {name} what the host gets there")


def _shadowed(scene: Scene, name: str) -> tuple[str, ...]:
    """Say which interfaces the host has in the same networks: what it sends there goes on leaving through them."""
    networks = {address.network for address in scene.attachment.addresses}
    found = (
        (link, ip_interface(known))
        for link in scene.host.links.values()
        if link.name != name
        for known in (*link.addresses, *link.leased)
    )
    return tuple(
        f"{link.name} is in {known.network} as well, with {known}; the host may go on reaching it through there."
        for link, known in found
        if known.network in networks
    )


def _off_switch(scene: Scene) -> tuple[Plan, Scene]:
    name, link = scene.attachment.host, scene.host.links.get(scene.attachment.host)
    if link is None:
        raise HostError(f"the host has no interface {name!r}.", hint="`ip link` shows those it has")
    mark = ownership.read(link)
    if mark is None or not mark.new:
        return Plan(notes=(f"pipework gave the host no part in {name}",)), scene
    added = ownership.added_from(mark.new)
    steps, gone = [], [address for address in added if "/" in address and address in _of(link)]
    for route in scene.inside.routes:
        if route.dst == "default" and route.dev == name and route.via in added:
            moved = routes.words(route)
            undo = [ip("route", "replace", *moved)]
            steps.append(ip("route", "delete", *moved, undo=undo, why=f"take the default route by {route.via} back"))
    for address in gone:
        words = (address, *broadcast(ip_interface(address)), "dev", name)
        undo = [ip("address", "replace", *words)]
        steps.append(ip("address", "delete", address, "dev", name, undo=undo, why=f"take {address} off {name}"))
    kept = mark._replace(new="", req="")
    steps.append(_noted(link, name, kept)._replace(argv=_alias(name, "" if mark.kind == KIND else kept.alias)))
    stays = tuple(address for address in link.addresses if address not in gone)
    alias = "" if mark.kind == KIND else kept.alias
    links = {**scene.host.links, name: link._replace(addresses=stays, alias=alias)}
    return Plan(steps=tuple(steps)), scene._replace(host=scene.host._replace(links=links))


def _alias(name: str, alias: str) -> tuple[str, ...]:
    return ("ip", "link", "set", "dev", name, "alias", alias)


def _of(link: Link) -> set[str]:
    return {str(ip_interface(address)) for address in link.addresses}
