"""Dummy interfaces: up, addressed, and connected to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Claims
from pipework_core.model.plan import Plan
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip

if TYPE_CHECKING:
    from pipework_core.model.context import Context


class Dummy(LinkBackend):
    """`dummy:NAME`; a bare name that starts with `dummy` and is nothing on the host. The name itself is not used."""

    kind = "dummy"
    link_kind = "dummy"
    noun = "a dummy"
    claims = Claims(prefix="dummy")
    unsupported = ("vlan", "host_name")

    def create(self, context: Context) -> Plan:
        """Create it straight in the guest."""
        attachment = context.attachment
        mtu = ("mtu", str(attachment.mtu)) if attachment.mtu else ()
        create = ip(
            *("link", "add", *iproute.guest_link_words(context, *mtu), "type", "dummy"),
            undo=[iproute.delete_guest_link(context)],
            reason=f"make the dummy {attachment.interface} in {context.guest.name}",
        )
        return Plan(steps=(create,))


@hookimpl
def pipework_backends() -> list[Dummy]:
    """Register it."""
    return [Dummy()]
