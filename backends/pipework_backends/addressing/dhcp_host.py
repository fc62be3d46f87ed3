"""Addresses from a DHCP server, by a client of the host: the methods `dhclient`, `udhcpc` and `dhcpcd`.

What a client does, and how nothing of it reaches the host, is in scripts/lease.sh.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_backends.addressing import dhcp_common
from pipework_core.model.errors import GuestError, HostError
from pipework_core.model.plan import Command, Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import restore_route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment, Dhcp
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.ownership import Tag

_PACKAGES = {
    "dhclient": "package isc-dhcp-client",
    "udhcpc": "package udhcpc",
    "udhcpc6": "a busybox with it; that of Debian 12 has none",
    "dhcpcd": "package dhcpcd-base",
}
#: Seconds beyond the time limit, for a client to start and to end.
_MARGIN = 3.0


class HostClient:
    """One of the clients."""

    options: Mapping[str, str] = {"metric": dhcp_common.METRIC_HELP}

    def __init__(self, method: str) -> None:
        self.method = method
        self.programs: tuple[str, ...] = ("udhcpc", "udhcpc6") if method == "udhcpc" else (method,)

    def queries(self, attachment: Attachment, guest: Guest) -> Mapping[str, Command]:
        """Ask which leases are kept on this host; one that does not stay leaves an address that ends with its lease."""
        del guest
        if attachment.dhcp is None or not attachment.dhcp.keep:
            return {}
        reason = "find the leases that are kept"
        return {self.method: Command(argv=("sh", script("leases.sh"), "kept"), reason=reason)}

    def plan(self, context: Context, tag: Tag) -> Plan:
        """Return the request for a lease, unless there is one; raise HostError for a client that is not installed."""
        del tag
        dhcp, name = dhcp_common.find_request(context), context.attachment.interface
        present = self._explain_needless(context)
        if present:
            return Plan(notes=(present,))
        program = f"{self.method}6" if (self.method, dhcp.family) == ("udhcpc", 6) else self.method
        if program not in context.programs:
            raise HostError(f"{program} is not installed here.", hint=f"install it ({_PACKAGES[program]})")
        if context.attachment.dns and not context.guest.pid:
            raise GuestError(
                f"{context.guest.name} has no process, and therefore no /etc/resolv.conf of its own.",
                hint="leave out --dns",
            )
        words = _list_words(context, dhcp.client, dhcp.family, keep=dhcp.keep)
        step = _get_lease(
            context,
            "get",
            *words,
            *dhcp_common.list_wishes(context),
            "--",
            *dhcp.words,
            timeout=ceil(context.attachment.timeout) + _MARGIN,
            undo=(_stop_client(context), *_undo_lease(context, dhcp)),
            reason=f"get an address for {name} by {self.method}{dhcp_common.tell_expired(context)}",
        )
        return Plan(steps=(step,), notes=dhcp_common.list_notes(context))

    def release(self, context: Context, tag: Tag) -> Plan:
        """Return what ends the client that stays, or asks for the lease of one that did not, to give it back."""
        family, keep = dhcp_common.find_remembered(tag.dhcp)
        words, name = _list_words(context, self.method, family, keep=keep), context.attachment.interface
        stop = _stop_client(context)._replace(timeout=10.0) if keep else None
        reason = (
            f"end {self.method}, giving the lease back" if keep else f"give the lease of {name} back by {self.method}"
        )
        return dhcp_common.given_back(context, words, lease=_get_lease, stop=stop, margin=_MARGIN, reason=reason)

    def _explain_needless(self, context: Context) -> str:
        """Say what makes a request for a lease needless; empty when nothing does.

        A client that stays is enough only with the address there: a run at the same time may still ask for it.
        """
        dhcp, name = dhcp_common.find_request(context), context.attachment.interface
        if context.existing is None:
            return ""
        if dhcp.keep:
            wanted = [dhcp_common.make_identity(context.guest, name), dhcp.client, str(dhcp.family)]
            lines = [line.split() for line in context.answers[self.method].stdout.splitlines()]
            there = {*context.existing.leased, *context.existing.addresses}
            kept = any(words[:3] == wanted and there.intersection(words[3:4]) for words in lines)
            return f"{dhcp.client} keeps the lease of {name}" if kept else ""
        address = dhcp_common.find_leased_address(context)
        return f"{name} has {address} from a DHCP server" if address else ""


def _get_lease(
    context: Context, verb: str, *words: str, timeout: float, undo: tuple[Command, ...] = (), reason: str = ""
) -> Command:
    argv = ("sh", script("lease.sh"), verb, *words)
    return Command(argv=argv, netns=context.guest.netns, timeout=timeout, undo=undo, reason=reason)


def _stop_client(context: Context) -> Command:
    """Return what ends the client, whether it stays or still asks; it looks through the host's processes."""
    identity = dhcp_common.make_identity(context.guest, context.attachment.interface)
    return Command(argv=("sh", script("leases.sh"), "stop", identity))


def _list_words(context: Context, client: str, family: int, *, keep: bool) -> tuple[str, ...]:
    """Return what identifies the client and the lease, the same at every time."""
    attachment, guest = context.attachment, context.guest
    return (
        f"id={dhcp_common.make_identity(context.guest, context.attachment.interface)}",
        f"guest={guest.netns.path}",
        f"client={client}",
        f"family={family}",
        f"interface={attachment.interface}",
        f"hostname={guest.name}",
        f"timeout={ceil(attachment.timeout)}",
        *(("keep=1",) if keep else ()),
        *dhcp_common.shared_mac(context, family),
    )


def _undo_lease(context: Context, dhcp: Dhcp) -> tuple[Command, ...]:
    """Return what takes the lease from an interface that stays, and gives a default route back that it replaced."""
    netns, name = context.guest.netns, context.attachment.interface
    before = context.guest_state.default_route(dhcp.family) if context.attachment.option("metric") == "0" else None
    flush = ip(f"-{dhcp.family}", "address", "flush", "dev", name, "dynamic", netns=netns)
    return (*((flush,) if context.existing else ()), *((restore_route(before, netns),) if before else ()))


@hookimpl
def pipework_addressing() -> list[HostClient]:
    """Register the methods."""
    return [HostClient(method) for method in ("dhclient", "udhcpc", "dhcpcd")]
