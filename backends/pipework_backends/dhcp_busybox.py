"""DHCP by busybox in a container that shares the guest's network: the method `dhcp`.

Nothing of the guest's is joined but its network, and the host needs no client. The work is done by
`scripts/lease_container.sh`, which runs on the host and speaks to the guest's own runtime.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from pipework_backends.common import script
from pipework_core.errors import GuestError, UsageError
from pipework_core.marks import newborn
from pipework_core.plan import Command, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Guest, Scene
    from pipework_core.dynamic import Dhcp
    from pipework_core.marks import Mark
    from pipework_core.request import Attachment

IMAGE = "busybox"
IPV4, IPV6 = 4, 6
_RUNTIMES = ("docker", "podman")
#: Of a gateway that comes with a lease to a guest that has a default route already: later than whatever is there.
_LATER = "1024"
#: Seconds for the engine, beyond those that the client has.
_STARTING = 5.0
_READ = "dhcp"
#: What an image's name can consist of; Docker says the rest.
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@")


class DhcpBusybox:
    """Leases for the containers of Docker and Podman."""

    method = "dhcp"
    options: Mapping[str, str] = {
        "image": f"the image with udhcpc for the method dhcp, {IMAGE} if not given",
        "metric": "of the default route that comes with a lease; 0 lets it replace the one that is there",
    }
    programs: tuple[str, ...] = ()

    def reads(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Ask whether the container of a client that stays is there, or whether the lease of another is in force."""
        client, name = _wanted(attachment), attachment.interface
        if guest.runtime not in _RUNTIMES:
            return {}
        if not client.keep:
            # "mngtmpaddr" marks what router advertisements brought.
            which = ("dynamic", *(("-mngtmpaddr",) if client.family == IPV6 else ()))
            argv = ("ip", f"-{client.family}", "-oneline", "address", "show", "dev", name, "scope", "global", *which)
            why = f"read the lease of {name}"
            return {_READ: Command(argv=argv, netns=guest.netns, ok_codes=frozenset({0, 1}), why=why)}
        words = ("container", "inspect", "--format", "{{.State.Running}}", container_name(guest, attachment.interface))
        why = f"ask {guest.runtime} for the DHCP client of {attachment.interface}"
        return {_READ: Command(argv=(guest.runtime, *words), ok_codes=frozenset({0, 1, 125}), why=why)}

    def plan(self, scene: Scene, mark: Mark) -> Plan:
        """Return what obtains the lease, unless it is there; raise GuestError where no container can do it."""
        del mark
        guest, name = scene.guest, scene.attachment.interface
        if guest.runtime not in _RUNTIMES:
            raise GuestError(
                f"{guest.name!r} is no container of Docker or Podman, and dhcp needs one whose network it can share.",
                hint="use a client of the host: dhclient, udhcpc or dhcpcd",
            )
        client = _wanted(scene.attachment)
        if _is_there(scene, client):
            return Plan(notes=(f"{name} of {guest.name} has its lease",))
        return Plan(
            steps=(
                Command(
                    argv=("sh", script("lease_container.sh"), "get", guest.netns.path, *_words(scene, client)),
                    undo=(stopped(guest, name, dns=scene.attachment.dns),),
                    patience=scene.attachment.timeout + _STARTING,
                    why=f"get a DHCPv{client.family} lease for {name}",
                ),
            )
        )


def container_name(guest: Guest, interface: str) -> str:
    """Return what the container for an interface of a guest is called, the same every time and for no other."""
    # Docker takes letters, digits, "_", "." and "-", and an interface may be called almost anything.
    plain = (char if char.isascii() and (char.isalnum() or char in ".-") else f"_{ord(char):02x}" for char in interface)
    return f"pipework-{guest.inode}-{''.join(plain)}"


def stopped(guest: Guest, interface: str, *, dns: bool) -> Command:
    """Return what ends the client that stays, if it does, and gives name servers back."""
    words = (f"runtime={guest.runtime}", f"name={container_name(guest, interface)}", f"id={guest.inode}-{interface}")
    further = (f"dns={guest.pid}", f"interface={interface}") if dns else ()
    argv = ("sh", script("lease_container.sh"), "stop", guest.netns.path, *words, *further)
    return Command(argv=argv, why=f"end the DHCP client of {interface}")


def _wanted(attachment: Attachment) -> Dhcp:
    if attachment.dhcp is None:
        raise AssertionError("the method dhcp was chosen without a request for it")
    return attachment.dhcp


def _is_there(scene: Scene, client: Dhcp) -> bool:
    """Whether an interface that exists has a lease already, and the client that is to stay is there."""
    link = scene.existing
    if link is None or newborn(link):
        return False
    said = scene.answers[_READ].stdout.strip()
    return said == "true" if client.keep else bool(said)


def _words(scene: Scene, client: Dhcp) -> tuple[str, ...]:
    """Return the words of lease_container.sh behind the namespace."""
    attachment, guest = scene.attachment, scene.guest
    image = attachment.option("image", IMAGE)
    if not image or image.startswith("-") or not _NAME.issuperset(image):
        raise UsageError(f"{image!r} is no name of an image.", hint="write for instance -o image=busybox:1.37")
    pairs = {
        "runtime": guest.runtime,
        "container": guest.id,
        "image": image,
        "name": container_name(guest, attachment.interface),
        "guest": guest.netns.path,
        "id": f"{guest.inode}-{attachment.interface}",
        "family": str(client.family),
        "interface": attachment.interface,
        "hostname": guest.name,
        "timeout": str(ceil(attachment.timeout)),
        "keep": "1" if client.keep else "",
        "metric": _metric(scene, client),
        "mtu": "" if attachment.mtu else "1",
        "dns": str(guest.pid) if attachment.dns else "",
        "nodad": "1" if attachment.no_dad else "",
        **(_own_identity(scene, client) if attachment.kind == "ipvlan" else {}),
    }
    return (*(f"{key}={value}" for key, value in pairs.items() if value), "--", *client.words)


def _metric(scene: Scene, client: Dhcp) -> str:
    """Return the metric of the default route; empty for none, where the guest has no such route of its own."""
    asked = scene.attachment.option("metric")
    if asked:
        if not (asked.isascii() and asked.isdigit() and int(asked) < 1 << 32):
            raise UsageError(f"metric={asked} is no number.", hint="write for instance -o metric=100")
        return asked
    before = scene.inside.default_route(client.family)
    return _LATER if before is not None and before.dev != scene.attachment.interface else ""


def _own_identity(scene: Scene, client: Dhcp) -> dict[str, str]:
    """Identify an interface that shares its MAC with others, whose answers are to be broadcast for the same reason."""
    from hashlib import md5  # noqa: PLC0415 - ipvlan alone needs it

    text = f"{scene.guest.name}/{scene.attachment.interface}"
    digest = md5(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    # A DUID-UUID (RFC 6355), or an identifier that is no hardware address (RFC 2132, 9.14).
    head = b"\0" if client.family == IPV4 else b"\0\4"
    return {"broadcast": "1" if client.family == IPV4 else "", "clientid": (head + digest).hex(":")}


def pipework_addressing() -> list[DhcpBusybox]:
    """Register the method."""
    return [DhcpBusybox()]
