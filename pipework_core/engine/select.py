"""Which backend: what exists decides first, then the classic prefixes, then third parties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model import names, ownership
from pipework_core.model.context import Claim
from pipework_core.model.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.link import GuestState, HostState
    from pipework_core.plugins.api import Backend
    from pipework_core.plugins.manager import PluginManager

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
) -> tuple[Attachment, Backend]:
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


def _claimed(name: str, host: HostState, plugins: PluginManager) -> Backend:
    best = _best(name, host, plugins.iterate_built_in_backends()) or _best(
        name, host, plugins.list_third_party_backends()
    )
    if best is None:
        raise HostError(
            f"the host has no interface {name!r}, and the name does not tell what to make.",
            hint=f"name the kind: bridge:{name} or ovs:{name} makes a switch, br*, ovs* and dummy* do so by their name",
        )
    return best


def _best(name: str, host: HostState, backends: Iterable[Backend]) -> Backend | None:
    """Return the backend with the strongest claim, the first of several; none is asked behind one that is exact."""
    best, strongest = None, Claim.NO
    for backend in backends:
        claim = backend.claims(name, host)
        if claim > strongest:
            best, strongest = backend, claim
        if claim is Claim.EXACTLY:
            break
    return best
