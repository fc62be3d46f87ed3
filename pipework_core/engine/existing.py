"""What to do about an interface that is there already: complete it, replace it, or refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.engine import detach, name_clash
from pipework_core.model import ownership
from pipework_core.model.attachment import describe_request
from pipework_core.model.context import Replacement
from pipework_core.model.errors import ConflictError
from pipework_core.model.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.link import GuestState, HostState, Link
    from pipework_core.model.ownership import Tag
    from pipework_core.model.plan import Command
    from pipework_core.plugins.api import LinkBackend
    from pipework_core.plugins.manager import PluginManager


def reconcile(context: Context, backend: LinkBackend, digest: str, plugins: PluginManager) -> Replacement:
    """Return the context to plan from, and what clears the way before and after; raise ConflictError.

    An interface that carries the digest of this very request, or that a run of it was killed over, is completed.
    Another one of ours is replaced when that was asked for. What is not ours is never touched.
    """
    link = context.guest_state.links.get(context.attachment.interface)
    if link is None:
        return name_clash.finish_naming(context, backend)
    tag = ownership.read_tag(link)
    is_pending = ownership.is_pending(link)
    if tag is None and not is_pending:
        raise ConflictError(
            f"{context.guest.name} has an interface {_describe_link(link)} that is not pipework's; "
            f"asked for {describe_request(context.attachment)}.",
            hint="choose another name with -i",
        )
    if (tag is not None and tag.req == digest) or (is_pending and backend.matches(context, link)):
        return Replacement(context=context._replace(existing=link))
    if not context.attachment.replace:
        from pipework_core.engine.difference import describe_change  # noqa: PLC0415 - only a conflict needs it

        raise ConflictError(
            f"{context.guest.name} has {link.name} already, and {describe_change(context, link, tag)}.",
            hint="repeat with --replace to give up what is there, or choose another name with -i",
        )
    old = tag or ownership.Tag(kind=backend.kind)
    clearing = plugins.find_backend(old.kind).replacement(context, link, old)
    return clearing._replace(before=_release_lease(context, link, old, plugins) + clearing.before)


def find_replaced_reads(
    attachment: Attachment, guest: Guest, host: HostState, guest_state: GuestState, plugins: PluginManager
) -> Mapping[str, Command]:
    """Return what has to be read to replace an interface of another kind, what of which is elsewhere than here."""
    link = guest_state.links.get(attachment.interface) if attachment.replace else None
    tag = ownership.read_tag(link) if link is not None else None
    if link is None or tag is None or tag.kind == attachment.kind or not plugins.find_claims(tag.kind).elsewhere:
        return {}
    return plugins.find_backend(tag.kind).queries(detach.make_request(link, tag, guest), host)


def find_replaced(before: Context, after: Context) -> Link | None:
    """Return the interface that reconciling replaces; contexts before and after it."""
    link = before.guest_state.links.get(before.attachment.interface)
    return link if after.existing is None else None


def _release_lease(context: Context, link: Link, tag: Tag, plugins: PluginManager) -> Plan:
    """Return what gives the lease of a link that is replaced back, and ends its client, while it still works."""
    method = plugins.find_releasing(tag.dhcp)
    if method is None:
        return Plan()
    backend = plugins.find_backend(tag.kind)
    former = detach.make_request(link, tag, context.guest)
    next_context = context._replace(attachment=former, existing=link, keeps_lease=backend.keeps_lease(context, link))
    return method.release(next_context, tag)


def read_existing_tag(context: Context) -> Tag | None:
    """Return the mark of the interface that is being completed."""
    return ownership.read_tag(context.existing) if context.existing else None


def _describe_link(link: Link) -> str:
    """Say what an interface of somebody else is."""
    kind = f" ({link.kind})" if link.kind else ""
    return f"{link.name}{kind} with {','.join(_list_global(link))}" if _list_global(link) else f"{link.name}{kind}"


def _list_global(link: Link) -> list[str]:
    return [address for address in link.addresses if not address.lower().startswith("fe80:")]
