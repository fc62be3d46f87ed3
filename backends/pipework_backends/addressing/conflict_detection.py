"""The question, before addresses are used, whether somebody on the segment has them already (`--probe`)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from pipework_backends import script
from pipework_core.model.errors import HostError
from pipework_core.model.plan import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.attachment import Address
    from pipework_core.model.context import Context

#: Seconds that probe.py takes at most once there is a carrier: a random second, two times two, and two more.
_PROBING = 7.0


def probe_addresses(context: Context, addresses: Iterable[Address]) -> Command:
    """Return the question about these addresses; raise HostError where it cannot be asked."""
    attachment = context.attachment
    if attachment.kind == "ipoib":
        raise HostError("nobody can be asked for an address on InfiniBand.", hint="leave out --probe")
    plain = [str(address.ip) for address in addresses]
    seconds = str(ceil(attachment.timeout))
    return Command(
        argv=("python3", "-I", "-S", script("probe.py"), seconds, attachment.interface, *plain),
        netns=context.guest.netns,
        timeout=attachment.timeout + _PROBING,
        reason=f"make sure that nobody has {' or '.join(plain)}",
    )
