"""ipvlan: an interface that shares its parent's MAC, for switches and Wi-Fi that let only one through."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pipework_backends.links.lower_device import LowerDeviceBackend
from pipework_core.model.errors import UsageError
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Context, Replacement
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command


class Ipvlan(LowerDeviceBackend):
    """`ipvlan:NIC`; never chosen for a bare name."""

    kind = "ipvlan"
    link_kind = "ipvlan"
    modes = ("l2", "l3", "l3s")
    default_mode = "l2"
    options: Mapping[str, str] = {
        "mode": f"one of {', '.join(modes)}; {default_mode} when not given; all on one parent share the last one"
    }

    def check_request(self, context: Context, parent: Link) -> None:
        """Refuse a MAC: it has its parent's (Documentation/networking/ipvlan.rst)."""
        if context.attachment.mac:
            raise UsageError(f"an ipvlan has the MAC of its parent {parent.name}.", hint="leave the MAC out")

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Rename it aside in such a way that another ipvlan of the same parent can be created.

        The parent's ipvlans have all the mode that came last, which undoing sets again, and no address twice
        (ipvlan_set_port_mode, ipvlan_addr_busy).
        """
        clearing = super().replacement(context, link, tag)
        if context.detaching or context.attachment.kind != self.kind:
            return clearing
        aside, rename, *others = clearing.before.steps
        mode = link.data.get("mode")
        if mode not in {None, self._choose_mode(context)}:
            again = ip("link", "set", "dev", link.name, "type", self.kind, "mode", str(mode), netns=context.guest.netns)
            aside = aside._replace(undo=(*aside.undo, again))
        steps = (aside, *_free_addresses(context, link), rename, *others)
        return clearing._replace(before=clearing.before._replace(steps=steps))


def _free_addresses(context: Context, link: Link) -> list[Command]:
    """Return what removes the IPv4 addresses of a link that is down; the kernel has removed those of IPv6."""
    netns, dev = context.guest.netns, ("dev", link.name)
    addresses = [ip_interface(address) for address in link.addresses if ":" not in address]
    back = [ip("address", "add", str(known), *iproute.broadcast_words(known), *dev, netns=netns) for known in addresses]
    flush = ip("-4", "address", "flush", *dev, netns=netns, undo=back, reason=f"free the addresses of {link.name}")
    return [flush] if addresses else []


@hookimpl
def pipework_backends() -> list[Ipvlan]:
    """Register it."""
    return [Ipvlan()]
