"""DHCP by busybox in a container that shares the guest's network: the method `dhcp`.

Nothing of the guest's is joined but its network, and the host needs no client. The work is done by
`scripts/lease_container.sh`, which runs on the host and speaks to the guest's own runtime.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.addressing import dhcp_common
from pipework_core.model.errors import GuestError, UsageError
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment, Dhcp
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.ownership import Tag

IMAGE = "busybox"
_RUNTIMES = ("docker", "podman")
#: Seconds for the engine, beyond those that the client has.
_STARTING = 5.0
#: Seconds for a client to give its lease back, and for its container to be removed.
_STOPPING = 12.0
_READ = "dhcp"
#: What an image's name can consist of; Docker says the rest.
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@")


class DhcpBusybox:
    """Leases for the containers of Docker and Podman."""

    method = "dhcp"
    options: Mapping[str, str] = {
        "image": f"the image with udhcpc for the method dhcp, {IMAGE} if not given",
        "metric": dhcp_common.METRIC_HELP,
    }
    programs: tuple[str, ...] = ()

    def queries(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Ask whether the container of a client that stays is there; of another, there is only an address."""
        if guest.runtime not in _RUNTIMES or attachment.dhcp is None or not attachment.dhcp.keep:
            return {}
        words = ("container", "inspect", "--format", "{{.State.Running}}", container_name(guest, attachment.interface))
        reason = f"ask {guest.runtime} for the DHCP client of {attachment.interface}"
        return {_READ: Command(argv=(guest.runtime, *words), ok_codes=frozenset({0, 1, 125}), reason=reason)}

    def plan(self, context: Context, tag: Tag) -> Plan:
        """Return what obtains the lease, unless it is there; raise GuestError where no container can do it."""
        del tag
        guest, name = context.guest, context.attachment.interface
        if guest.runtime not in _RUNTIMES:
            raise GuestError(
                f"{guest.name!r} is no container of Docker or Podman, and dhcp needs one whose network it can share.",
                hint="use a client of the host: dhclient, udhcpc or dhcpcd",
            )
        client = dhcp_common.find_request(context)
        if _is_there(context, client):
            return Plan(notes=(f"{name} of {guest.name} has its lease",))
        step = _get_lease(
            context,
            "get",
            *_list_words(context, client.family, keep=client.keep),
            *dhcp_common.list_wishes(context),
            "--",
            *client.words,
            timeout=context.attachment.timeout + _STARTING,
            undo=(stop_client(guest, name, dns=context.attachment.dns),),
            reason=f"get a DHCPv{client.family} lease for {name}{dhcp_common.tell_expired(context)}",
        )
        return Plan(steps=(step,), notes=dhcp_common.list_notes(context))

    def release(self, context: Context, tag: Tag) -> Plan:
        """Return what ends the client that stays, or asks for the lease of one that did not, to give it back."""
        guest, name = context.guest, context.attachment.interface
        family, keep = dhcp_common.find_remembered(tag.dhcp)
        if guest.runtime not in _RUNTIMES:
            return Plan()
        words = _list_words(context, family, keep=keep)
        stop = (
            stop_client(guest, name, dns=False)._replace(timeout=_STOPPING, ok_codes=dhcp_common.ANY) if keep else None
        )
        reason = f"end the DHCP client of {name}, giving the lease back" if keep else f"give the lease of {name} back"
        return dhcp_common.given_back(context, words, lease=_get_lease, stop=stop, margin=_STARTING, reason=reason)


def container_name(guest: Guest, interface: str) -> str:
    """Return what the container for an interface of a guest is called, the same every time and for no other."""
    # Docker takes letters, digits, "_", "." and "-", and an interface may be called almost anything.
    plain = (char if char.isascii() and (char.isalnum() or char in ".-") else f"_{ord(char):02x}" for char in interface)
    return f"pipework-{guest.inode}-{''.join(plain)}"


def stop_client(guest: Guest, interface: str, *, dns: bool) -> Command:
    """Return what ends the client that stays, if it does, and gives name servers back."""
    words = (
        f"runtime={guest.runtime}",
        f"name={container_name(guest, interface)}",
        f"id={dhcp_common.make_identity(guest, interface)}",
    )
    further = (f"dns={guest.pid}", f"interface={interface}") if dns else ()
    argv = ("sh", script("lease_container.sh"), "stop", guest.netns.path, *words, *further)
    return Command(argv=argv, reason=f"end the DHCP client of {interface}")


def _get_lease(
    context: Context, verb: str, *words: str, timeout: float, undo: tuple[Command, ...] = (), reason: str = ""
) -> Command:
    argv = ("sh", script("lease_container.sh"), verb, context.guest.netns.path, *words)
    return Command(argv=argv, timeout=timeout, undo=undo, reason=reason)


def _is_there(context: Context, client: Dhcp) -> bool:
    """Whether an interface that exists has a lease already, and the client that is to stay is there."""
    if context.existing is None or not client.keep:
        return bool(dhcp_common.find_leased_address(context))
    return context.answers[_READ].stdout.strip() == "true" and dhcp_common.has_further_address(context)


def _list_words(context: Context, family: int, *, keep: bool) -> tuple[str, ...]:
    """Return what identifies the client and the lease, the same at every time."""
    attachment, guest = context.attachment, context.guest
    image = attachment.option("image", IMAGE)
    if not image or image.startswith("-") or not _NAME.issuperset(image):
        raise UsageError(f"{image!r} is no name of an image.", hint="write for instance -o image=busybox:1.37")
    return (
        f"runtime={guest.runtime}",
        f"container={guest.id}",
        f"image={image}",
        f"name={container_name(guest, attachment.interface)}",
        f"guest={guest.netns.path}",
        f"id={dhcp_common.make_identity(guest, attachment.interface)}",
        f"family={family}",
        f"interface={attachment.interface}",
        f"hostname={guest.name}",
        f"timeout={ceil(attachment.timeout)}",
        *(("keep=1",) if keep else ()),
        *dhcp_common.shared_mac(context, family),
    )


@hookimpl
def pipework_addressing() -> list[DhcpBusybox]:
    """Register the method."""
    return [DhcpBusybox()]
