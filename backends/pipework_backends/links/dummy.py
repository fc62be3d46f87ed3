"""Dummy interfaces: up, addressed, and connected to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Claim
from pipework_core.model.errors import UsageError
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Plan
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import rename_aside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Replacement, SharedResource
    from pipework_core.model.link import HostState, Link
    from pipework_core.model.plan import Command


class Dummy:
    """`dummy:NAME`; a bare name that starts with `dummy` and is nothing on the host. The name itself is not used."""

    kind = "dummy"
    interface = "eth1"
    options: Mapping[str, str] = {}

    def claims(self, name: str, host: HostState) -> Claim:
        """Claim the classic prefix."""
        return Claim.PREFIX if name.startswith("dummy") and name not in host.links else Claim.NO

    def reads(self, attachment: Attachment, host: HostState) -> Mapping[str, Command]:
        """Need nothing more."""
        del attachment, host
        return {}

    def matches(self, context: Context, link: Link) -> bool:
        """Accept any dummy."""
        del context
        return link.kind == "dummy"

    def tag(self, context: Context) -> Tag:
        """Remember the kind."""
        return Tag(kind=self.kind, parent=context.attachment.host)

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Park it."""
        return rename_aside(context, link, tag)

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Leave nothing on the host."""
        del context, tag
        return ()

    def plan(self, context: Context) -> Plan:
        """Make it straight in the guest."""
        attachment = context.attachment
        if attachment.vlan:
            raise UsageError("a dummy has no VLAN.", hint="leave the @ part out")
        if attachment.host_name:
            raise UsageError("a dummy has no end on the host that -l could name.", hint="leave -l out")
        if context.existing is not None:
            return Plan(notes=(f"{attachment.interface} is a dummy already",))
        mtu = ("mtu", str(attachment.mtu)) if attachment.mtu else ()
        create = ip(
            *("link", "add", *iproute.in_guest(context, *mtu), "type", "dummy"),
            undo=[iproute.delete_in_guest(context)],
            reason=f"make the dummy {attachment.interface} in {context.guest.name}",
        )
        return Plan(steps=(create,))


@hookimpl
def pipework_backends() -> list[Dummy]:
    """Register it."""
    return [Dummy()]
