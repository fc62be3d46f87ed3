"""The host's own part in a network, as asked for: `pipework host`. Pure, no I/O; imported by nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipework_core import request
from pipework_core.errors import UsageError
from pipework_core.request import Attachment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.contract import Backend, Leftover, Scene
    from pipework_core.driver import Driver
    from pipework_core.options import Words
    from pipework_core.plan import Command, Plan

#: Seconds for the gateway to answer behind the move, when nothing else is said, and the most.
CONFIRM, CONFIRM_MAX = 10, 600
_SECONDS = re.compile(r"\d{1,3}", re.ASCII)
_EXAMPLE = "write for instance pipework host br1 192.168.1.254/24"


class HostPart(NamedTuple):
    """What `pipework host` is to do; `attachment` has no guest.

    `confirm` is in seconds; with 0 nobody is asked. `remove` takes the part back, `keep` then leaves a bridge of ours
    that nobody uses any more.
    """

    attachment: Attachment
    confirm: int = CONFIRM
    remove: bool = False
    keep: bool = False


class HostSide(Protocol):
    """Describes how the host takes part. No I/O: facts in, plan out.

    A scene has the host's own links and routes as those of the `inside`, too, and the answer to `QUERY` as `home`.
    """

    #: Reads all addresses and routes of the host.
    QUERY: Command
    #: Prints something as long as anybody watches over an earlier run's move, and may take it back.
    GUARDS: Command

    def named(self, scene: Scene) -> Scene:
        """Return the scene with the interface filled in that gets the addresses; raise HostError for an unfit kind."""

    def reads(self, scene: Scene) -> Mapping[str, Command]:
        """Return further reads that the plan needs."""

    def half(self, scene: Scene) -> str:
        """Say what an earlier run left: `asking` (it may be at work), `broken` (it is not), or nothing of either."""

    def plan(self, scene: Scene, backend: Backend, *, confirm: int) -> Plan:
        """Return what makes the host take part; raise HostError or ConflictError when that cannot be."""

    def withdrawal(self, scene: Scene) -> tuple[Plan, Scene]:
        """Return what takes it back, and the scene as it is then; an empty plan says why in a note."""

    def leftovers(self, then: Scene, backend: Backend) -> tuple[Leftover, ...]:
        """Return what of the host has perhaps no use behind that."""


def parse(words: Words) -> HostPart:
    """Return what scanned words ask for; raise UsageError for what cannot be."""
    remove = words.has("remove")
    where, address = _operands(words.operands, remove=remove)
    kind, host, mac = request.host_part(where)
    attachment = Attachment(guest="", kind=kind, host=host, host_mac=mac)
    if remove:
        if words.has("confirm-within"):
            raise UsageError("--confirm-within and --remove contradict each other.", hint="leave one of them out")
        return HostPart(attachment, remove=True, keep=words.has("keep-bridge"))
    if words.has("keep-bridge"):
        raise UsageError("--keep-bridge goes with --remove.", hint="leave it out")
    asked = request.address_list(address)
    if asked.dhcp is not None or asked.auto:
        raise UsageError(
            f"the host takes part with addresses of its own, and {address} asks the network for one.",
            hint="give an address; for DHCP on a bridge run a client of the host on it",
        )
    attachment = attachment._replace(addresses=asked.addresses, gateways=asked.gateways)
    _check(attachment)
    return HostPart(attachment, confirm=_confirm(words.get("confirm-within")))


def _operands(found: tuple[str, ...], *, remove: bool) -> tuple[str, str]:
    wanted = ("HOSTIF",) if remove else ("HOSTIF", "ADDRESS")
    if len(found) < len(wanted):
        raise UsageError(f"host lacks {' and '.join(wanted[len(found) :])}.", hint=_EXAMPLE)
    if len(found) > len(wanted):
        hint = "write pipework host --remove HOSTIF" if remove else "several addresses are one word: IP/N,IP/N"
        raise UsageError(f"{found[len(wanted)]!r} is one word too many.", hint=hint)
    return found[0], "" if remove else found[1]


def _confirm(text: str | None) -> int:
    if text is None:
        return CONFIRM
    if not _SECONDS.fullmatch(text) or int(text) > CONFIRM_MAX:
        raise UsageError(
            f"{text!r} is not a number of seconds from 0 to {CONFIRM_MAX}.",
            hint="write for instance --confirm-within 10, or 0 to ask nobody",
        )
    return int(text)


def _check(attachment: Attachment) -> None:
    if not attachment.addresses:
        raise UsageError("the host takes part by an address, and none is given.", hint=_EXAMPLE)
    for address in attachment.addresses:
        if address.version == 6 and address.ip.is_link_local:  # noqa: PLR2004 - IPv6
            raise UsageError(f"{address} is link-local, which the kernel gives by itself.", hint="leave it out")
    for gateway in attachment.gateways:
        near = gateway.version == 6 and gateway.is_link_local  # noqa: PLR2004 - IPv6
        if not near and not any(gateway in address.network for address in attachment.addresses):
            raise UsageError(f"the gateway {gateway} is in the subnet of no address.", hint="name one that is")


def side(driver: Driver) -> HostSide:
    """Return who plans it. It is found by name: the core imports no backend."""
    from importlib import import_module  # noqa: PLC0415 - start-up is a feature

    found: HostSide = import_module("pipework_backends.host_part").HostSide(arping=driver.finds("arping"))
    return found
