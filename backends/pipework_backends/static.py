"""Static addressing: mark the interface, give it its addresses, raise it, route through it, tell the neighbours."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pipework_backends.common import broadcast, ip, put_back
from pipework_core.errors import HostError
from pipework_core.marks import BIRTH_GROUP
from pipework_core.plan import Command, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Guest, Scene
    from pipework_core.facts import Route
    from pipework_core.marks import Mark
    from pipework_core.request import Attachment, Gateway


class Static:
    """Addresses from the command line."""

    method = "static"
    options: Mapping[str, str] = {}
    programs: tuple[str, ...] = ()

    def reads(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Need nothing more."""
        del attachment, guest
        return {}

    def plan(self, scene: Scene, mark: Mark) -> Plan:
        """Return what is missing. What dies with an interface that is made by this very plan needs no undo."""
        steps = [*_marked(scene, mark), *_ipv6(scene), *_addresses(scene), *_raised(scene), *_routes(scene)]
        interface = scene.attachment.interface
        notes = () if steps else (f"{interface} of {scene.guest.name} is up, with all that was asked for",)
        return Plan(steps=tuple(steps), announce=_announce(scene) if steps else (), notes=notes)


def _marked(scene: Scene, mark: Mark) -> list[Command]:
    link = scene.existing
    if link is not None and link.alias == mark.alias and link.group != BIRTH_GROUP:
        return []
    return [
        ip(
            *("link", "set", "dev", scene.attachment.interface, "group", "default", "alias", mark.alias),
            netns=scene.guest.netns,
            why=f"mark {scene.attachment.interface} as pipework's",
        )
    ]


def _ipv6(scene: Scene) -> list[Command]:
    """Turn IPv6 on for this interface where the guest has it off and the request needs it.

    The file is the guest's own: /proc/sys/net belongs to the namespace of whoever opens it (ip-sysctl.rst).
    """
    missing = [a for a in scene.attachment.addresses if a.version == 6 and str(a) not in _present(scene)]  # noqa: PLR2004
    if not missing or not scene.inside.ipv6_off:
        return []
    name = scene.attachment.interface
    return [
        Command(
            argv=("tee", f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"),
            netns=scene.guest.netns,
            stdin="0",
            why=f"turn IPv6 on for {name}, since {scene.guest.name} has it off",
        )
    ]


def _present(scene: Scene) -> set[str]:
    return {str(ip_interface(address)) for address in scene.existing.addresses} if scene.existing else set()


def _addresses(scene: Scene) -> list[Command]:
    netns, name = scene.guest.netns, scene.attachment.interface
    present = _present(scene)
    steps = []
    for address in scene.attachment.addresses:
        if str(address) in present:
            continue
        _refuse_taken(scene, str(address.ip))
        words = (f"{address}", *broadcast(address), "dev", name)
        undo = [ip("address", "delete", str(address), "dev", name, netns=netns)] if scene.existing else []
        steps.append(ip("address", "add", *words, netns=netns, undo=undo, why=f"give {name} its address {address}"))
    return steps


def _refuse_taken(scene: Scene, address: str) -> None:
    for link in scene.inside.links.values():
        if link.name == scene.attachment.interface:
            continue
        if any(known.partition("/")[0] == address for known in link.addresses):
            raise HostError(
                f"{scene.guest.name} has the address {address} already, on {link.name}.", hint="choose another address"
            )


def _raised(scene: Scene) -> list[Command]:
    link, name, netns = scene.existing, scene.attachment.interface, scene.guest.netns
    if link is not None and link.up:
        return []
    undo = [ip("link", "set", "dev", name, "down", netns=netns)] if link else []
    return [ip("link", "set", "dev", name, "up", netns=netns, undo=undo, why=f"raise {name}")]


def _routes(scene: Scene) -> list[Command]:
    steps: list[Command] = []
    for gateway in scene.attachment.gateways:
        name, family = scene.attachment.interface, f"-{gateway.version}"
        before = scene.inside.default_route(gateway.version)
        if before is not None and before.dev == name and _same(before, gateway):
            continue
        if before is not None and before.special:
            raise HostError(
                f"{scene.guest.name} has a default route that could not be given back ({before.special}).",
                hint="delete it first, if the guest can do without it",
            )
        if not _reachable(scene, gateway):
            host = f"{gateway}/{gateway.max_prefixlen}"
            steps.append(
                ip(
                    *(family, "route", "replace", host, "dev", name),
                    netns=scene.guest.netns,
                    undo=_undo_route(scene, family, host, name),
                    why=f"reach the gateway {gateway}, which is outside the subnet",
                )
            )
        steps.append(
            ip(
                *(family, "route", "replace", "default", "via", str(gateway), "dev", name),
                netns=scene.guest.netns,
                undo=_undo_default(scene, before, family, name),
                why=f"make {gateway} the default gateway",
            )
        )
    return steps


def _same(route: Route, gateway: Gateway) -> bool:
    return route.via == str(gateway)


def _reachable(scene: Scene, gateway: Gateway) -> bool:
    if gateway.version == 6 and gateway.is_link_local:  # noqa: PLR2004 - IPv6
        return True
    return any(gateway in address.network for address in scene.attachment.addresses)


def _undo_route(scene: Scene, family: str, host: str, name: str) -> list[Command]:
    before = next((r for r in scene.inside.routes if r.dst == host.partition("/")[0]), None)
    if before is not None:
        return [put_back(before, scene.guest.netns)]
    if scene.existing is None:
        return []
    return [ip(family, "route", "delete", host, "dev", name, netns=scene.guest.netns)]


def _undo_default(scene: Scene, before: Route | None, family: str, name: str) -> list[Command]:
    if before is not None:
        return [put_back(before, scene.guest.netns)]
    if scene.existing is None:
        return []
    return [ip(family, "route", "delete", "default", "dev", name, netns=scene.guest.netns)]


def _announce(scene: Scene) -> tuple[Command, ...]:
    """Tell the neighbours who has the addresses now: three gratuitous ARP, a second apart, that nobody waits for.

    Not on InfiniBand, whose hardware addresses have 20 bytes: a user of the shell version saw kernels panic over it
    (jpetazzo/pipework, issue 217).
    """
    if scene.attachment.kind == "ipoib":
        return ()
    return tuple(
        Command(
            argv=("arping", "-q", "-U", "-c", "3", "-I", scene.attachment.interface, str(address.ip)),
            netns=scene.guest.netns,
            why=f"tell the neighbours about {address.ip}",
        )
        for address in scene.attachment.addresses
        if address.version == 4  # noqa: PLR2004 - IPv4; neighbours of an IPv6 address ask again by themselves
    )


def pipework_addressing() -> list[Static]:
    """Register the method."""
    return [Static()]
