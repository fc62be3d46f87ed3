"""IP over InfiniBand: a child of the host's interface, which is to InfiniBand what a macvlan is to Ethernet.

A child is made on the host and then moved. The kernel's `newlink` would take a namespace (drivers/infiniband/ulp/ipoib/
ipoib_netlink.c), but nobody relies on it: Mellanox's ipoib-cni makes its children on the host because of "a kernel
bug" (pkg/ipoib/ipoib.go, pull request 29), and the shell version has always done so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import ownership
from pipework_core.model.context import Claims
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.names import NAME_MAX, hash_host_name
from pipework_core.model.ownership import PENDING_GROUP
from pipework_core.model.plan import HOST, Plan
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.shared import has_parent, lower_link, raise_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.context import Context, SharedResource
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command
    from pipework_core.model.snapshot import Snapshot

MODES = ("datagram", "connected")
#: The top bit of a partition key says "full member", and the kernel sets it on every child; the rest is the partition
#: (InfiniBand Architecture Specification 1, 10.9.1.1).
_FULL_MEMBER, _KEY_MAX = 0x8000, 0xFFFF
_INFINIBAND = "infiniband"


class IPoIB(LinkBackend):
    """`ipoib:NAME`; any bare name of an InfiniBand interface."""

    kind = "ipoib"
    link_kind = "ipoib"
    interface = "ib0"
    #: The hardware addresses of InfiniBand have 20 bytes, and a user of the shell version saw kernels panic over an
    #: announcement (jpetazzo/pipework, issue 217).
    announces = False
    claims = Claims(link_layers=(_INFINIBAND,))
    unsupported = ("host_name",)
    options: Mapping[str, str] = {"mode": f"{' or '.join(MODES)}; the driver's own default when not given"}

    def matches(self, context: Context, link: Link) -> bool:
        """Accept a child of the parent with the partition and, if one was asked for, the mode."""
        parent = context.host_state.links.get(context.attachment.host)
        mode = _choose_mode(context)
        return (
            parent is not None
            and link.layer == _INFINIBAND
            and link.peer == parent.ifindex
            and _read_partition(link) == (_parse_partition(context) or _read_partition(parent))
            and (not mode or link.data.get("mode") == mode)
        )

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Lower the parent that was raised for its children."""
        return lower_link(context.host_state, tag.parent)

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Accept a child whose parent is on the host."""
        return super().recognises(snapshot, link, tag, host_end) and has_parent(snapshot, link, tag)

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Delete the children that the kernel moved back to the host."""
        from pipework_backends.links import garbage  # noqa: PLC0415 - an attachment does not need it

        return garbage.delete_children(snapshot)

    def create(self, context: Context) -> Plan:
        """Raise the parent, make the child on the host, move it into the guest."""
        parent = _find_parent(context)
        # The driver sets the MTU of a new child by the mode and the fabric and ignores the one given.
        sized = (_set_mtu(context),) if context.attachment.mtu else ()
        return Plan(steps=(*_delete_orphans(context), *_raise_parent(parent), *_create_child(context, parent), *sized))

    def complete(self, context: Context, link: Link) -> Plan:
        """Raise the parent, and set the MTU that was asked for."""
        parent = _find_parent(context)
        sized = (_set_mtu(context, link),) if context.attachment.mtu not in {None, link.mtu} else ()
        steps = (*_delete_orphans(context), *_raise_parent(parent), *sized)
        return Plan(steps=steps, notes=(f"{link.name} is a child of {parent.name}",))


def _find_parent(context: Context) -> Link:
    """Return the parent; raise for a request that InfiniBand cannot meet."""
    attachment = context.attachment
    if attachment.mac:
        raise UsageError(
            "an InfiniBand interface has 20 bytes of address, which the fabric gives it.", hint="leave the MAC out"
        )
    _parse_partition(context)
    _choose_mode(context)
    parent = iproute.find_parent(context)
    if parent.layer != _INFINIBAND:
        raise HostError(
            f"{parent.name} is no InfiniBand interface ({parent.layer}).", hint="leave ipoib: out, or name another"
        )
    if parent.parent or parent.peer_elsewhere:
        above = parent.parent or "the interface it was made of"
        raise HostError(f"{parent.name} is a child itself, and children have none.", hint=f"name {above}")
    iproute.choose_mtu(context, parent)  # raises for one that does not fit
    return parent


def _parse_partition(context: Context) -> int:
    """Return the partition key after `@`, hexadecimal and 16 bits, as full member; 0 when none was given."""
    text = context.attachment.vlan
    if not text:
        return 0
    key = int(text, 16)
    # A key whose lower 15 bits are zero names no partition (ibid.); ipoib_vlan.c refuses it.
    if not key & ~_FULL_MEMBER or key > _KEY_MAX:
        raise UsageError(f"@{text} is no partition key.", hint="write 0001 to ffff in hexadecimal, such as @8001")
    return key | _FULL_MEMBER


def _read_partition(link: Link) -> int:
    """Return the partition of a link; `ip -json` calls it `key` (iproute2, ip/iplink_ipoib.c)."""
    return int(str(link.data.get("key", "0")), 16) | _FULL_MEMBER


def _choose_mode(context: Context) -> str:
    mode = context.attachment.option("mode")
    if context.attachment.option("mode", MODES[0]) not in MODES:
        raise UsageError(f"ipoib has no mode {mode!r}.", hint=f"the modes are {', '.join(MODES)}")
    return mode


def _raise_parent(parent: Link) -> tuple[Command, ...]:
    if parent.up:
        return ()
    return (raise_link(parent),)


def _delete_orphans(context: Context) -> tuple[Command, ...]:
    """Delete the children of guests that are gone: the kernel moves them back to the host (`netns_refund`).

    Only those with our tag, which no interface of the host itself has. There is no undo: nobody uses them.
    """
    name = context.attachment.host
    return tuple(
        ip("link", "delete", "dev", link.name, reason=f"delete {link.name}, which a guest that is gone had of {name}")
        for link in context.host_state.links.values()
        if (tag := ownership.read_tag(link)) is not None and (tag.kind, tag.parent) == (IPoIB.kind, name)
    )


def _create_child(context: Context, parent: Link) -> tuple[Command, ...]:
    attachment, guest = context.attachment, context.guest
    name = _choose_name(context)
    key, mode = _parse_partition(context), _choose_mode(context)
    words = (*(("pkey", f"0x{key:04x}") if key else ()), *(("mode", mode) if mode else ()))
    made = context.host_state.links.get(name)
    steps = []
    if made is None:
        create = ip(
            *("link", "add", "link", parent.name, "name", name, "group", PENDING_GROUP, "type", "ipoib", *words),
            undo=[ip("link", "delete", "dev", name)],
            reason=f"make a child of {parent.name}" + (f" in partition 0x{key:04x}" if key else ""),
        )
        steps.append(create)
    elif made.group != PENDING_GROUP or made.parent != parent.name:
        raise ConflictError(f"the host has an interface {name} already.", hint=f"rename {name}")
    move = ip(
        *("link", "set", "dev", name, "netns", guest.netns.path, "name", attachment.interface),
        undo=[
            ip("link", "set", "dev", attachment.interface, "netns", HOST.path, "name", name, netns=guest.netns),
        ],
        reason=f"move it into {guest.name}, as {attachment.interface}",
    )
    return (*steps, move)


def _choose_name(context: Context) -> str:
    """Return the name of the child before it is moved: where it fits, the one of the shell version."""
    attachment = context.attachment
    number = context.guest.pid or context.guest.inode
    name = ".".join(word for word in (attachment.host, attachment.vlan, str(number)) if word)
    return name if len(name.encode()) <= NAME_MAX else hash_host_name(f"{attachment.host}{attachment.vlan}", number)


def _set_mtu(context: Context, existing: Link | None = None) -> Command:
    interface, netns = context.attachment.interface, context.guest.netns
    words = ("link", "set", "dev", interface, "mtu")
    undo = [ip(*words, str(existing.mtu), netns=netns)] if existing else []
    mtu = str(context.attachment.mtu)
    return ip(*words, mtu, netns=netns, undo=undo, reason=f"set the MTU of {interface} to {mtu} bytes")


@hookimpl
def pipework_backends() -> list[IPoIB]:
    """Register it."""
    return [IPoIB()]
