"""Addresses from a DHCP server, by a client of the host: the methods `dhclient`, `udhcpc` and `dhcpcd`.

What a client does, and how nothing of it reaches the host, is in scripts/lease.sh.
"""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING

from pipework_backends.common import ip, put_back, script
from pipework_core.errors import GuestError, HostError, UsageError
from pipework_core.plan import Command, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Guest, Scene
    from pipework_core.dynamic import Dhcp
    from pipework_core.marks import Mark
    from pipework_core.request import Attachment

_PACKAGES = {
    "dhclient": "package isc-dhcp-client",
    "udhcpc": "package udhcpc",
    "udhcpc6": "a busybox with it; that of Debian 12 has none",
    "dhcpcd": "package dhcpcd-base",
}
#: Seconds beyond the time limit, for a client to start and to end.
_MARGIN = 3.0
#: Seconds that detaching waits for a server to be found again.
_PARTING = 4
#: The metric of a default route beside one that the guest has; the first that is free from here on.
_METRIC = 100


class HostClient:
    """One of the clients."""

    options: Mapping[str, str] = {
        "metric": "metric of the default route from the lease; 0 replaces the guest's, without it that one stays first"
    }

    def __init__(self, method: str) -> None:
        self.method = method
        self.programs: tuple[str, ...] = ("udhcpc", "udhcpc6") if method == "udhcpc" else (method,)

    def reads(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Ask which clients stay on this host; one that does not stay leaves an address that ends with its lease."""
        dhcp, name = attachment.dhcp, attachment.interface
        if dhcp is None:
            return {}
        if dhcp.keep:
            why = "find the DHCP clients that stay"
            return {self.method: Command(argv=("sh", script("lease.sh"), "list"), why=why)}
        words = (f"-{dhcp.family}", "-json", "address", "show", "dev", name, "scope", "global", "dynamic")
        why = f"read what leases have brought {name}"
        return {self.method: Command(argv=("ip", *words), netns=guest.netns, ok_codes=frozenset({0, 1}), why=why)}

    def plan(self, scene: Scene, mark: Mark) -> Plan:
        """Return the request for a lease, unless there is one; raise HostError for a client that is not installed."""
        del mark
        dhcp, name = _asked(scene), scene.attachment.interface
        present = self._present(scene)
        if present:
            return Plan(notes=(present,))
        program = f"{self.method}6" if (self.method, dhcp.family) == ("udhcpc", 6) else self.method
        if program not in scene.programs:
            raise HostError(f"{program} is not installed here.", hint=f"install it ({_PACKAGES[program]})")
        if scene.attachment.dns and not scene.guest.pid:
            raise GuestError(
                f"{scene.guest.name} has no process, and therefore no /etc/resolv.conf of its own.",
                hint="leave out --dns",
            )
        words = _words(scene, dhcp.client, dhcp.family, keep=dhcp.keep)
        step = _lease(
            scene,
            "get",
            *words,
            *_wishes(scene),
            "--",
            *dhcp.words,
            patience=ceil(scene.attachment.timeout) + _MARGIN,
            undo=(_stop(scene), *_undo(scene, dhcp)),
            why=f"get an address for {name} by {self.method}",
        )
        return Plan(steps=(step,))

    def release(self, scene: Scene, mark: Mark) -> Plan:
        """Return what ends the client that stays, or asks for the lease of one that did not, to give it back."""
        client, keep = mark.dhcp.removesuffix("-f"), mark.dhcp.endswith("-f")
        family = 6 if client.endswith("6") else 4
        name = scene.attachment.interface
        words = _words(scene, self.method, family, keep=keep)
        routed = [route.metric for route in scene.inside.routes if (route.dst, route.dev) == ("default", name)]
        metric = tuple(f"metric={number}" for number in routed[:1] if number)
        again = _lease(scene, "get", *words, *metric, "--", patience=scene.attachment.timeout + _MARGIN)
        if keep:
            stop = _stop(scene)._replace(patience=10.0, undo=(again,), why=f"end {self.method}, giving the lease back")
            return Plan(steps=(stop,))
        # A server that does not answer, or a client that is not installed any more, is no reason to stay attached.
        step = _lease(
            scene,
            "release",
            *(word for word in words if not word.startswith("timeout=")),
            f"timeout={_PARTING}",
            "nodad=1",
            "--",
            patience=_PARTING + _MARGIN + 3,
            undo=(again,),
            why=f"give the lease of {name} back by {self.method}",
        )
        return Plan(steps=(step._replace(ok_codes=frozenset({0, 1})),))

    def _present(self, scene: Scene) -> str:
        """Say what makes a request for a lease needless; empty when nothing does."""
        link, dhcp = scene.existing, _asked(scene)
        if link is None:
            return ""
        answer = scene.answers[self.method].stdout
        if dhcp.keep:
            kept = any(line.split()[:3] == [_id(scene), dhcp.client, str(dhcp.family)] for line in answer.splitlines())
            return f"{dhcp.client} keeps the lease of {link.name}" if kept else ""
        return next((f"{link.name} has {address} from a DHCP server" for address in _leased(answer)), "")


def _leased(answer: str) -> list[str]:
    """Return the addresses that a lease brought, as `IP/N`; the kernel says which are from advertisements instead."""
    infos = [info for entry in json.loads(answer or "[]", strict=False) for info in entry.get("addr_info", ())]
    return [f"{i['local']}/{i['prefixlen']}" for i in infos if "local" in i and "mngtmpaddr" not in i]


def _asked(scene: Scene) -> Dhcp:
    dhcp = scene.attachment.dhcp
    if dhcp is None:
        raise ValueError("the engine asks only the method that was asked for")
    return dhcp


def _id(scene: Scene) -> str:
    """Return what the client of this interface is found by."""
    return f"{scene.guest.inode}-{scene.attachment.interface}"


def _lease(
    scene: Scene, verb: str, *words: str, patience: float, undo: tuple[Command, ...] = (), why: str = ""
) -> Command:
    argv = ("sh", script("lease.sh"), verb, *words)
    return Command(argv=argv, netns=scene.guest.netns, patience=patience, undo=undo, why=why)


def _stop(scene: Scene) -> Command:
    """Return what ends the client, whether it stays or still asks; it looks through the host's processes."""
    return Command(argv=("sh", script("lease.sh"), "stop", f"id={_id(scene)}"))


def _words(scene: Scene, client: str, family: int, *, keep: bool) -> tuple[str, ...]:
    """Return what identifies the client and the lease, the same at every time."""
    attachment, guest = scene.attachment, scene.guest
    return (
        f"id={_id(scene)}",
        f"guest={guest.netns.path}",
        f"client={client}",
        f"family={family}",
        f"interface={attachment.interface}",
        f"hostname={guest.name}",
        f"timeout={ceil(attachment.timeout)}",
        *(("keep=1",) if keep else ()),
        *_shared_mac(scene, family),
    )


def _wishes(scene: Scene) -> tuple[str, ...]:
    """Return what is to be done with the lease."""
    attachment = scene.attachment
    metric = route_metric(scene)
    return (
        *((f"metric={metric}",) if metric else ()),
        *(("mtu=1",) if attachment.mtu is None else ()),
        *((f"dns={scene.guest.pid}",) if attachment.dns else ()),
        *(("nodad=1",) if attachment.no_dad else ()),
    )


def route_metric(scene: Scene) -> int:
    """Return the metric of the lease's default route, 0 for none; raise UsageError when it is no number.

    A default route that the guest has keeps its place unless `-o metric=0` says otherwise: the mark remembers, for
    detaching, only what was replaced by request.
    """
    given = scene.attachment.option("metric")
    if given:
        if not (given.isascii() and given.isdigit() and int(given) < 1 << 32):
            raise UsageError(f"metric={given} is no metric of a route.", hint="write a number, such as -o metric=100")
        return int(given)
    others = {
        route.metric
        for route in scene.inside.routes
        if (route.dst, route.family) == ("default", 4) and route.dev != scene.attachment.interface
    }
    return next(n for n in range(_METRIC, _METRIC + len(others) + 1) if n not in others) if others else 0


def _shared_mac(scene: Scene, family: int) -> tuple[str, ...]:
    """Give an interface that has its parent's MAC an identity of its own, and answers that reach it.

    A server knows clients by their MAC where nothing else tells them apart (RFC 2131, 4.2), and its answers to an
    address that is not there yet would go to the parent. The identity rests on the names, so that it lasts: opaque
    bytes for DHCPv4 (type 0; RFC 2132, 9.14), a UUID for DHCPv6 (DUID-UUID; RFC 6355).
    """
    if scene.attachment.kind != "ipvlan":
        return ()
    from hashlib import sha256  # noqa: PLC0415 - for this kind alone

    seed = f"{scene.guest.name}\0{scene.attachment.interface}".encode("utf-8", "surrogateescape")
    digest = sha256(seed).digest()[:16]
    head = bytes((0,)) if family == 4 else bytes((0, 4))  # noqa: PLR2004 - IPv4
    return ("broadcast=1", f"clientid={(head + digest).hex(':')}")


def _undo(scene: Scene, dhcp: Dhcp) -> tuple[Command, ...]:
    """Return what takes the lease from an interface that stays, and gives a default route back that it replaced."""
    netns, name = scene.guest.netns, scene.attachment.interface
    before = scene.inside.default_route(dhcp.family) if scene.attachment.option("metric") == "0" else None
    flush = ip(f"-{dhcp.family}", "address", "flush", "dev", name, "dynamic", netns=netns)
    return (*((flush,) if scene.existing else ()), *((put_back(before, netns),) if before else ()))


def pipework_addressing() -> list[HostClient]:
    """Register the methods."""
    return [HostClient(method) for method in ("dhclient", "udhcpc", "dhcpcd")]
