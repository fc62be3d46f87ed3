"""Interfaces of the host that several attachments share: bridges, VLANs, parents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import SharedResource
from pipework_core.model.names import stable_mac
from pipework_core.model.ownership import FILTERING, RAISED, group_for, is_pending, read_changes, read_tag
from pipework_core.model.plan import Command
from pipework_core.toolkit.iproute import ip

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipework_core.model.link import HostState, Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Outcome
    from pipework_core.model.snapshot import Snapshot


#: A number that the machine keeps (machine-id(5)); a machine without one has no answer.
MACHINE_QUERY = Command(
    argv=("cat", "/etc/machine-id"), ok_codes=frozenset({0, 1}), reason="read the machine's identity"
)


def choose_bridge_mac(name: str, machine: Outcome | None) -> str:
    """Return the MAC of a bridge that is made, the same for its name on this machine; empty where it has no identity.

    Left to itself, a bridge takes the lowest MAC of its ports, another one whenever such a port comes or goes, and
    whoever has it for a gateway loses it for as long as the old one is remembered. As systemd does it
    (MACAddressPolicy=persistent; systemd.link(5)).
    """
    identity = machine.stdout.strip() if machine is not None and machine.code == 0 else ""
    return stable_mac(f"{identity} {name}") if identity.isalnum() else ""


def raise_link(link: Link) -> Command:
    """Return the command that raises a bridge or parent on the host, which others may use as soon as it is up."""
    words = ("link", "set", "dev", link.name)
    undo = [ip(*words, "down", *change_words(link, 0), only_if_uncontended=True)]
    return ip(*words, "up", *change_words(link, RAISED), undo=undo, reason=f"raise {link.name}")


def change_words(link: Link, bits: int) -> tuple[str, ...]:
    """Return the words that note in the link's group what is changed on it now, where nobody else uses the group."""
    before = read_changes(link)
    return ("group", group_for(before | bits)) if before or link.group == "default" else ()


def lower_link(host: HostState, name: str, *, without: Collection[str] = ()) -> tuple[SharedResource, ...]:
    """Return what lowers a parent that we raised, unless the host uses it for more than the links of `without`."""
    link = host.links.get(name)
    if link is None or not read_changes(link) & RAISED or is_used(host, link, without=without):
        return ()
    words = ("down", "group", group_for(read_changes(link) & FILTERING))
    remove = ip("link", "set", "dev", name, *words, reason=f"lower {name} again, which nobody uses")
    return (SharedResource(name=name, remove=remove, hidden=True),)


def is_made_by_us(link: Link, kind: str) -> bool:
    """Whether pipework made a bridge or VLAN of the host: by its tag, or because a killed run left it pending."""
    tag = read_tag(link)
    return (tag is not None and tag.kind == kind) or (tag is None and is_pending(link) and link.kind == kind)


def has_parent(snapshot: Snapshot, link: Link, tag: Tag) -> bool:
    """Whether a guest's link is on top of an interface of the host, and on the one that its tag names, or its VLAN."""
    parent = snapshot.find_parent(link)
    return parent is not None and tag.parent in {"", parent.name, parent.parent}


def is_used(host: HostState, link: Link, *, without: Collection[str] = ()) -> bool:
    """Whether the host itself uses the link: by an address on it, a link on top of it, as somebody's port or bridge.

    Those of `without` do not count, nor do the addresses that the kernel makes by itself: link-local ones, and those
    of router advertisements, which are /64 (RFC 4862), while one from DHCPv6 is /128.
    """
    leased = [address for address in link.leased if ":" not in address or address.endswith("/128")]
    addresses = [address for address in link.addresses if not address.startswith("fe80:")]
    others = (other for other in host.links.values() if other.name not in without)
    # A veth end names its peer as its parent.
    around = any(link.name in {other.master, other.kind != "veth" and other.parent} for other in others)
    return bool(addresses or leased or link.master or around)
