"""The host's own part in a network, as asked for: `pipework host`. Pure, no I/O; imported by nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.model.attachment import CONFIRM, CONFIRM_MAX, Attachment, HostAccess
from pipework_core.model.errors import UsageError
from pipework_core.spec import grammar

if TYPE_CHECKING:
    from pipework_core.spec.options import ParsedArgs

_SECONDS = re.compile(r"\d{1,3}", re.ASCII)
_EXAMPLE = "write for instance pipework host br1 192.168.1.254/24"


def parse_host_access(words: ParsedArgs) -> HostAccess:
    """Return what scanned words ask for; raise UsageError for what cannot be."""
    remove = words.has("remove")
    where, address = _split_operands(words.operands, remove=remove)
    kind, host, mac = grammar.split_host(where)
    attachment = Attachment(guest="", kind=kind, host=host, host_mac=mac)
    if remove:
        if words.has("confirm-within"):
            raise UsageError("--confirm-within and --remove contradict each other.", hint="leave one of them out")
        return HostAccess(attachment, remove=True, keep=words.has("keep-bridge"))
    if words.has("keep-bridge"):
        raise UsageError("--keep-bridge goes with --remove.", hint="leave it out")
    asked = grammar.parse_addresses(address)
    if asked.dhcp is not None or asked.auto:
        raise UsageError(
            f"the host takes part with addresses of its own, and {address} asks the network for one.",
            hint="give an address; for DHCP on a bridge run a client of the host on it",
        )
    attachment = attachment._replace(addresses=asked.addresses, gateways=asked.gateways)
    _check_addresses(attachment)
    return HostAccess(attachment, confirm=_parse_seconds(words.get("confirm-within")))


def _split_operands(found: tuple[str, ...], *, remove: bool) -> tuple[str, str]:
    wanted = ("HOSTIF",) if remove else ("HOSTIF", "ADDRESS")
    if len(found) < len(wanted):
        raise UsageError(f"host lacks {' and '.join(wanted[len(found) :])}.", hint=_EXAMPLE)
    if len(found) > len(wanted):
        hint = "write pipework host --remove HOSTIF" if remove else "several addresses are one word: IP/N,IP/N"
        raise UsageError(f"{found[len(wanted)]!r} is one word too many.", hint=hint)
    return found[0], "" if remove else found[1]


def _parse_seconds(text: str | None) -> int:
    if text is None:
        return CONFIRM
    if not _SECONDS.fullmatch(text) or int(text) > CONFIRM_MAX:
        raise UsageError(
            f"{text!r} is not a number of seconds from 0 to {CONFIRM_MAX}.",
            hint="write for instance --confirm-within 10, or 0 to ask nobody",
        )
    return int(text)


def _check_addresses(attachment: Attachment) -> None:
    if not attachment.addresses:
        raise UsageError("the host takes part by an address, and none is given.", hint=_EXAMPLE)
    for address in attachment.addresses:
        if address.version == 6 and address.ip.is_link_local:  # noqa: PLR2004 - IPv6
            raise UsageError(f"{address} is link-local, which the kernel gives by itself.", hint="leave it out")
    for gateway in attachment.gateways:
        near = gateway.version == 6 and gateway.is_link_local  # noqa: PLR2004 - IPv6
        if not near and not any(gateway in address.network for address in attachment.addresses):
            raise UsageError(f"the gateway {gateway} is in the subnet of no address.", hint="name one that is")
