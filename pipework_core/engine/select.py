"""Chooses the backend: what exists decides first, then the classic prefixes, then third parties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import names, ownership
from pipework_core.model.errors import HostError, UsageError
from pipework_core.plugins.builtin import CLAIMS
from pipework_core.toolkit.veth import VETH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Claims
    from pipework_core.model.link import GuestState, HostState, Link
    from pipework_core.model.plan import Command
    from pipework_core.plugins.api import LinkBackend
    from pipework_core.plugins.manager import PluginManager

#: How surely a backend is meant, the surest last.
_NO, _PREFIX, _EXISTS, _EXACTLY = range(4)


def find_listings(attachment: Attachment, host: HostState, plugins: PluginManager) -> Mapping[str, Command]:
    """Return the commands that list the names of a kind, by kind, if only these can tell what the name means."""
    name, link = attachment.host, host.find(attachment.host)
    if attachment.kind:
        listing = plugins.find_claims(attachment.kind).listing
        return {attachment.kind: listing} if listing else {}
    return {
        kind: claims.listing
        for kind, claims in CLAIMS.items()
        if claims.listing and (link.kind in claims.link_kinds if link else name.startswith(claims.prefix))
    }


def complete_request(
    attachment: Attachment, host: HostState, guest_state: GuestState, plugins: PluginManager
) -> tuple[Attachment, LinkBackend]:
    """Return the request with host, kind and guest interface filled in, and the backend for it.

    Raise HostError when nothing fits, PluginError when the named kind does not exist.
    """
    if attachment.host_mac:
        attachment = attachment._replace(host=_find_by_mac(attachment, host, guest_state, plugins), host_mac="")
    elsewhere = bool(attachment.kind) and plugins.find_claims(attachment.kind).elsewhere
    link = host.find(attachment.host) if not elsewhere else None
    if link is not None:  # named by an alternative name, perhaps
        attachment = attachment._replace(host=link.name)
    elif attachment.host and not elsewhere:  # only what exists has a longer one
        names.interface_name(attachment.host, what="host interface")
    if attachment.kind:
        _refuse_label(attachment, host, plugins)
        backend = plugins.find_backend(attachment.kind, explicit=True)
    else:
        backend = _find_claiming(attachment.host, host, plugins)
    interface = attachment.interface or backend.interface
    names.interface_name(interface)
    return attachment._replace(kind=backend.kind, interface=interface), backend


def _refuse_label(attachment: Attachment, host: HostState, plugins: PluginManager) -> None:
    """Raise UsageError for `eth1:lan` where eth1 is an interface and no kind: an address's label, and no name."""
    kind = attachment.kind
    if host.find(kind) is not None and not plugins.has_backend(kind):
        raise UsageError(
            f"{kind}:{attachment.host} is the label of an address of {kind}.", hint=f"the interface is called {kind}"
        )


def _find_by_mac(attachment: Attachment, host: HostState, guest_state: GuestState, plugins: PluginManager) -> str:
    """Return the name of the host interface with the asked MAC address; raise HostError for none or two."""
    mac = attachment.host_mac
    under = _leave_out_stacked(host.by_mac(mac))
    found = [link.name for link in under if not link.kind] or [link.name for link in under]
    if not found and attachment.kind and plugins.find_backend(attachment.kind).moves_nic:
        # Only now: what the host has, no guest can pretend to have.
        found = [name for name in (_find_moved(mac, guest_state),) if name]
    if not found:
        raise HostError(f"no interface of the host has the MAC address {mac}.", hint="`ip link` shows them")
    if len(found) > 1:
        raise HostError(
            f"{len(found)} interfaces have the MAC address {mac}: {', '.join(sorted(found))}.",
            hint="give the name of the one you mean",
        )
    return found[0]


def _leave_out_stacked(links: Sequence[Link]) -> list[Link]:
    """Return those that are not on top of another one: a NIC shares its MAC with its VLANs, bond and bridge.

    Those are not what a MAC is meant to name. A veth end names its peer as its parent, and is on top of nothing.
    """
    parents, masters = {link.name for link in links}, {link.master for link in links}
    return [
        link
        for link in links
        if link.name not in masters and (link.kind == VETH or link.parent == link.name or link.parent not in parents)
    ]


def _find_moved(mac: str, guest_state: GuestState) -> str:
    """Return the name on the host of a NIC that an earlier run moved into the guest; empty when it is not there."""
    for link in guest_state.links.values():
        tag = ownership.read_tag(link)
        if tag is not None and tag.nic and mac in {tag.mac, "" if tag.mac else link.mac}:
            return tag.parent if tag.vlan else tag.nic
    return ""


def _find_claiming(name: str, host: HostState, plugins: PluginManager) -> LinkBackend:
    kind = _choose_kind(name, host, CLAIMS.items())
    if not kind:
        claims = ((backend.kind, backend.claims) for backend in plugins.list_third_party_backends())
        kind = _choose_kind(name, host, claims)
    if not kind:
        from pipework_core.spec.suggest import find_close  # noqa: PLC0415 - only who mistyped pays for it

        close = find_close(name, host.links)
        makes = f"bridge:{name} or ovs:{name} makes a switch, br*, ovs* and dummy* do so by their name"
        raise HostError(
            f"the host has no interface {name!r}, and the name does not tell what to make.",
            hint=f"did you mean {close}? {makes}" if close else f"name the kind: {makes}",
        )
    return plugins.find_backend(kind)


def _choose_kind(name: str, host: HostState, claims: Iterable[tuple[str, Claims]]) -> str:
    """Return the kind with the strongest claim, the first of several; empty when none claims the name."""
    strengths = {kind: _rank_claim(kind, claim, name, host) for kind, claim in claims}
    best = max(strengths, key=lambda kind: strengths[kind], default="")
    return best if best and strengths[best] else ""


def _rank_claim(kind: str, claims: Claims, name: str, host: HostState) -> int:
    """Return how surely a kind claims the bare name: 0 for not at all; most for an existing link of that kind."""
    link = host.links.get(name)
    if claims.listing:
        exactly = name in host.listed.get(kind, ())
    else:
        exactly = link is not None and (link.kind in claims.link_kinds or link.layer in claims.link_layers)
    if exactly:
        return _EXACTLY
    if link is not None:
        return _EXISTS if claims.any_existing else _NO
    return _PREFIX if claims.prefix and name.startswith(claims.prefix) else _NO
