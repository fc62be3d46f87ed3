"""Which backend: what exists decides first, then the classic prefixes, then third parties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import names, ownership
from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Claims
    from pipework_core.model.link import GuestState, HostState
    from pipework_core.plugins.api import LinkBackend
    from pipework_core.plugins.manager import PluginManager

#: How surely a backend is meant, the surest last.
_NO, _PREFIX, _EXISTS, _EXACTLY = range(4)
#: The device of a bridge in Open vSwitch's user-space datapath is a tap; in the kernel's it has a kind of its own.
_OVS_KINDS = frozenset({"openvswitch", "tun"})


def needs_ovs(attachment: Attachment, host: HostState) -> bool:
    """Whether only Open vSwitch itself can tell what that name is."""
    link = host.links.get(attachment.host)
    if attachment.kind:
        return attachment.kind == "ovs" or (attachment.kind == "phys" and link is not None and link.kind in _OVS_KINDS)
    if link is None:
        return attachment.host.startswith("ovs")
    return link.kind in _OVS_KINDS


def complete(
    attachment: Attachment, host: HostState, guest_state: GuestState, plugins: PluginManager
) -> tuple[Attachment, LinkBackend]:
    """Return the request with host, kind and guest interface filled in, and the backend for it.

    Raise HostError when nothing fits, PluginError when the named kind does not exist.
    """
    if attachment.host_mac:
        attachment = attachment._replace(host=_by_mac(attachment, host, guest_state), host_mac="")
    if attachment.kind:
        backend = plugins.find_backend(attachment.kind, explicit=True)
    else:
        backend = _claimed(attachment.host, host, plugins)
    interface = attachment.interface or backend.interface
    names.interface_name(interface)
    return attachment._replace(kind=backend.kind, interface=interface), backend


def _by_mac(attachment: Attachment, host: HostState, guest_state: GuestState) -> str:
    mac = attachment.host_mac
    # A NIC shares its MAC with its VLANs, bond and bridge, and those are not what a MAC is meant to name.
    found = [link.name for link in host.by_mac(mac) if not link.kind] or [link.name for link in host.by_mac(mac)]
    if not found and attachment.kind == "phys":
        # Only now: what the host has, no guest can pretend to have.
        found = [name for name in (_moved(mac, guest_state),) if name]
    if not found:
        raise HostError(f"no interface of the host has the MAC address {mac}.", hint="`ip link` shows them")
    if len(found) > 1:
        raise HostError(
            f"{len(found)} interfaces have the MAC address {mac}: {', '.join(sorted(found))}.",
            hint="give the name of the one you mean",
        )
    return found[0]


def _moved(mac: str, guest_state: GuestState) -> str:
    """Return what a NIC in the guest, moved there by an earlier run, was called on the host; empty: it is not there."""
    for link in guest_state.links.values():
        tag = ownership.read_tag(link)
        if tag is not None and tag.nic and mac in {tag.mac, "" if tag.mac else link.mac}:
            return tag.parent if tag.vlan else tag.nic
    return ""


def _claimed(name: str, host: HostState, plugins: PluginManager) -> LinkBackend:
    best = _best(name, host, plugins.iterate_built_in_backends()) or _best(
        name, host, plugins.list_third_party_backends()
    )
    if best is None:
        raise HostError(
            f"the host has no interface {name!r}, and the name does not tell what to make.",
            hint=f"name the kind: bridge:{name} or ovs:{name} makes a switch, br*, ovs* and dummy* do so by their name",
        )
    return best


def _best(name: str, host: HostState, backends: Iterable[LinkBackend]) -> LinkBackend | None:
    """Return the backend with the strongest claim, the first of several; none is asked after one that is exact."""
    best, strongest = None, _NO
    for backend in backends:
        strength = claim_strength(backend.claims, name, host)
        if strength > strongest:
            best, strongest = backend, strength
        if strength == _EXACTLY:
            break
    return best


def claim_strength(claims: Claims, name: str, host: HostState) -> int:
    """Return how surely the claims mean the bare name: 0 is not at all, a kind of its own is the surest."""
    link = host.links.get(name)
    if claims.listing:
        exactly = name in (host.ovs_bridges or ())
    else:
        exactly = link is not None and (link.kind in claims.link_kinds or link.layer in claims.link_layers)
    if exactly:
        return _EXACTLY
    if link is not None:
        return _EXISTS if claims.any_existing else _NO
    return _PREFIX if claims.prefix and name.startswith(claims.prefix) else _NO
