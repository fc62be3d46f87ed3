"""What macvlan and ipvlan share: an interface on top of a parent of the host, and the parent's VLANs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_backends.links.lower_causes import refuse_busy
from pipework_core.model.context import SharedResource
from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.model.names import NAME_MAX
from pipework_core.model.ownership import PENDING_GROUP, Tag
from pipework_core.model.plan import Plan
from pipework_core.plugins.api import LinkBackend
from pipework_core.spec.grammar import parse_vlan
from pipework_core.toolkit import iproute
from pipework_core.toolkit.iproute import ip
from pipework_core.toolkit.replace import rename_aside
from pipework_core.toolkit.shared import has_parent, is_made_by_us, is_used, lower_link, raise_link

if TYPE_CHECKING:
    from pipework_core.model.context import Context, Replacement
    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command
    from pipework_core.model.snapshot import Snapshot

_STACKED = frozenset({"macvlan", "ipvlan"})


class LowerDeviceBackend(LinkBackend):
    """Base class of the two. A subclass sets `kind`, `modes`, `default_mode` and its claims."""

    modes: tuple[str, ...]
    default_mode: str
    unsupported = ("host_name",)

    def matches(self, context: Context, link: Link) -> bool:
        """Accept a link of the kind on the same parent, with the same mode and, if one was asked for, MAC."""
        parent = context.host_state.links.get(self.parent_name(context))
        wanted = context.attachment
        return (
            link.kind == self.kind
            and parent is not None
            and link.peer == parent.ifindex
            and link.data.get("mode", self._choose_mode(context)) == self._choose_mode(context)
            and wanted.mac in {"", link.mac}
        )

    def replacement(self, context: Context, link: Link, tag: Tag) -> Replacement:
        """Rename it aside; raise ConflictError when its parent takes no other link while it exists.

        A parent carries either macvlans or ipvlans, and a macvlan in passthru mode alone (macvlan.c, ipvlan_main.c).
        """
        if context.detaching:
            return rename_aside(context, link, tag)
        attachment = context.attachment
        parent = context.host_state.links.get(self.parent_name(context))
        if attachment.kind in _STACKED and parent is not None and link.peer == parent.ifindex:
            alone = "passthru" in {link.data.get("mode"), attachment.option("mode")}
            if attachment.kind != self.kind or alone:
                raise ConflictError(
                    f"{parent.name} takes no {attachment.kind} as long as {link.name} of {context.guest.name} "
                    "is on it.",
                    hint=f"delete {link.name} in the guest, and run this again",
                )
        return rename_aside(context, link, tag)

    def shared_resources(self, context: Context, tag: Tag) -> tuple[SharedResource, ...]:
        """Name the VLAN that pipework made, and the parent that it raised.

        The host cannot tell what guests have on them.
        """
        if not tag.vlan:
            return lower_link(context.host_state, tag.parent)
        name = self.parent_name(context)
        link = context.host_state.links.get(name)
        if link is not None and not is_made_by_us(link, "vlan"):
            return (*lower_link(context.host_state, name), *lower_link(context.host_state, tag.parent))
        if link is not None and is_used(context.host_state, link):
            return ()
        remove = ip("link", "delete", "dev", name, reason=f"remove VLAN {tag.vlan} of {tag.parent}, which nobody uses")
        vlan = (SharedResource(name=name, remove=remove, hidden=True),) if link is not None else ()
        return (*vlan, *lower_link(context.host_state, tag.parent, without=(name,)))

    def recognises(self, snapshot: Snapshot, link: Link, tag: Tag, host_end: Link | None) -> bool:
        """Accept a link whose parent is on the host."""
        return super().recognises(snapshot, link, tag, host_end) and has_parent(snapshot, link, tag)

    def garbage(self, snapshot: Snapshot) -> Plan:
        """Delete what killed runs left in guests; ipvlan, which is asked last, deletes the VLANs of both kinds."""
        from pipework_backends.links import garbage  # noqa: PLC0415 - an attachment does not need it

        found = garbage.delete_unfinished(snapshot, self.kind)
        return found + garbage.delete_vlans(snapshot, *sorted(_STACKED)) if self.kind == "ipvlan" else found

    def create(self, context: Context) -> Plan:
        """Prepare the parent, and create the link straight in the guest."""
        attachment = context.attachment
        before = self._prepare_parent(context)
        parent = iproute.find_parent(context)
        refuse_busy(context, self.parent_name(context), self.kind)
        # A VLAN that somebody else made may have a smaller MTU than its parent.
        mtu = iproute.choose_mtu(context, context.host_state.links.get(self.parent_name(context), parent))
        create = ip(
            *("link", "add", "link", self.parent_name(context)),
            *iproute.guest_link_words(context, "mtu", str(mtu)),
            *("type", self.kind, "mode", self._choose_mode(context)),
            undo=[iproute.delete_guest_link(context)],
            reason=f"make {attachment.interface} in {context.guest.name} on top of {self.parent_name(context)}",
        )
        return before + Plan(steps=(create,))

    def complete(self, context: Context, link: Link) -> Plan:
        """Prepare the parent, which may have changed since."""
        note = f"{link.name} is on top of {self.parent_name(context)}"
        return self._prepare_parent(context) + Plan(notes=(note,))

    def _prepare_parent(self, context: Context) -> Plan:
        """Raise the parent, and make its VLAN where one is asked for."""
        parent = iproute.find_parent(context)
        self.check_request(context, parent)
        return _raise_parent(parent) + (self._prepare_vlan(context, parent) if context.attachment.vlan else Plan())

    def check_request(self, context: Context, parent: Link) -> None:
        """Raise for a request that the kind cannot meet."""

    def parent_name(self, context: Context) -> str:
        """Return the host interface that the link is on top of: the named one or its VLAN, under any name."""
        attachment = context.attachment
        if not attachment.vlan:
            return attachment.host
        vid = parse_vlan(attachment.vlan)
        usual = f"{attachment.host}.{vid}"
        names = [link.name for link in context.host_state.links.values() if _is_vlan(link, attachment.host, vid)]
        return usual if usual in names or not names else names[0]

    def _choose_mode(self, context: Context) -> str:
        mode = context.attachment.option("mode", self.default_mode)
        if mode not in self.modes:
            raise UsageError(f"{self.kind} has no mode {mode!r}.", hint=f"the modes are {', '.join(self.modes)}")
        return mode

    def _prepare_vlan(self, context: Context, parent: Link) -> Plan:
        """Make `eth0.10`, or use the existing one if it really is VLAN 10 of eth0."""
        name, vid = self.parent_name(context), parse_vlan(context.attachment.vlan)
        link = context.host_state.links.get(name)
        if link is not None:
            if not _is_vlan(link, parent.name, vid):
                raise HostError(
                    f"the host has an interface {name} that is not VLAN {vid} of {parent.name}.",
                    hint=f"rename it, or look at it with ip -details link show dev {name}",
                )
            return _finish_vlan(link) + _raise_parent(link)
        if len(name.encode()) > NAME_MAX:
            raise HostError(
                f"{name} has more than {NAME_MAX} characters, and the VLAN's interface would be called so.",
                hint=f"make one by hand: ip link add link {parent.name} name NAME type vlan id {vid}, and name it",
            )
        create = ip(
            *("link", "add", "link", parent.name, "name", name, "group", PENDING_GROUP, "type", "vlan", "id", str(vid)),
            undo=[ip("link", "delete", "dev", name, only_if_uncontended=True)],
            reason=f"make VLAN {vid} of {parent.name}",
        )
        return Plan(steps=(create, _tag_vlan(name)))


def _is_vlan(link: Link, parent: str, vid: int) -> bool:
    """Whether the link is that VLAN of the parent; the kernel makes no second one (8021q, vlan_check_real_dev)."""
    return (
        link.kind == "vlan"
        and link.parent == parent
        and link.data.get("id") == vid
        and link.data.get("protocol", "802.1Q") == "802.1Q"
    )


def _finish_vlan(link: Link) -> Plan:
    return Plan(steps=(_tag_vlan(link.name),)) if link.group == PENDING_GROUP else Plan()


def _tag_vlan(name: str) -> Command:
    alias = Tag(kind="vlan").alias
    return ip(
        *("link", "set", "dev", name, "group", "default", "alias", alias, "up"),
        reason=f"raise {name} and mark it as made by pipework",
    )


def _raise_parent(link: Link) -> Plan:
    if link.up or link.group == PENDING_GROUP:
        return Plan(notes=(f"{link.name} is up",))
    return Plan(steps=(raise_link(link),))
