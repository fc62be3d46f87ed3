"""macvlan: an interface with a MAC of its own on top of one of the host's; the default for a physical NIC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links.lower_device import LowerDeviceBackend
from pipework_core.model import ownership
from pipework_core.model.context import Claims
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.ownership import Tag
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Context
    from pipework_core.model.link import Link


class Macvlan(LowerDeviceBackend):
    """`macvlan:NIC`; any bare name of an interface that no other backend claims."""

    kind = "macvlan"
    link_kind = "macvlan"
    modes = ("bridge", "private", "vepa", "passthru", "source")
    default_mode = "bridge"
    claims = Claims(any_existing=True)
    options: Mapping[str, str] = {"mode": f"one of {', '.join(modes)}; {default_mode} when not given"}

    def find_shared_tag(self, link: Link) -> Tag | None:
        """Return the tag of the parent that was raised, or of the VLAN of a parent that was made."""
        if ownership.read_changes(link) & ownership.DETACHING:
            return Tag(kind=self.kind, parent=link.name)
        if link.kind == "vlan" and link.parent:
            return Tag(kind=self.kind, parent=link.parent, vlan=str(link.data.get("id", "")))
        return None

    def check_request(self, context: Context, parent: Link) -> None:
        """Refuse parents without Ethernet, which the kernel refuses in fewer words (macvlan.c, macvlan_port_create).

        And a MAC in passthru mode, which the kernel passes over without a word (macvlan_common_newlink).
        """
        if context.attachment.mac and context.attachment.option("mode") == "passthru":
            raise UsageError(
                f"a macvlan in passthru mode has the MAC of its parent {parent.name}.", hint="leave the MAC out"
            )
        if parent.layer != "ether":
            raise HostError(
                f"{parent.name} is no Ethernet interface ({parent.layer}), which macvlan needs.",
                hint="name another interface",
            )


@hookimpl
def pipework_backends() -> list[Macvlan]:
    """Register it."""
    return [Macvlan()]
