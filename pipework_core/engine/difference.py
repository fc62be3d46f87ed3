"""What differs between an interface of ours and another request for it, in the words of requests."""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pipework_core.toolkit.veth import find_veth_peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.link import Link
    from pipework_core.model.ownership import Tag

#: What is asked for now, and what there is.
_Pair = tuple[str, str]


def describe_change(context: Context, link: Link, tag: Tag | None) -> str:
    """Return the second half of a sentence: what is asked for instead of what `link` is.

    Options leave no trace on it but the digest of the request: where nothing else differs, they do.
    """
    if tag is None:
        return "a run that was killed left it, of another request"
    pairs = [pair for pair in _list_pairs(context, link, tag) if pair[0] != pair[1]]
    if pairs:
        told = ", ".join(f"{asked} instead of {has}" for asked, has in pairs)
        return f"this asks for {told}"
    given = " ".join(_list_options(context.attachment))
    return f"was not made with {given}" if given else "was made with options that are not given now"


def _list_pairs(context: Context, link: Link, tag: Tag) -> Iterator[_Pair]:
    asked, peer = context.attachment, find_veth_peer(context, link)
    yield f"{asked.kind}:{asked.host}", f"{tag.kind}:{tag.nic or tag.parent}"
    yield _name_vlan(asked.vlan), _name_vlan(tag.vlan)
    client = asked.dhcp.tag if asked.dhcp else ""
    if client or tag.dhcp:
        yield client or _join_addresses(map(str, asked.addresses)), tag.dhcp or _join_addresses(link.addresses)
    else:
        yield _join_addresses(map(str, asked.addresses)), _join_addresses(link.addresses)
        yield from _list_gateways(context, link)
    if asked.mac:
        yield asked.mac, link.mac
    if asked.mtu:
        yield f"an MTU of {asked.mtu}", f"an MTU of {link.mtu}"
    if asked.host_name and peer is not None:
        yield f"-l {asked.host_name}", f"-l {peer.name}"


def _list_gateways(context: Context, link: Link) -> Iterator[_Pair]:
    for family in (4, 6):
        route = context.guest_state.default_route(family)
        has = f"the gateway {route.via}" if route is not None and route.dev == link.name else f"no IPv{family} gateway"
        asked = (f"the gateway {one}" for one in context.attachment.gateways if one.version == family)
        yield next(asked, f"no IPv{family} gateway"), has


def _join_addresses(addresses: Iterator[str] | tuple[str, ...]) -> str:
    """Return addresses in the order of requests that ask for the same; the kernel's own are nobody's request."""
    given = (str(ip_interface(one)) for one in addresses if not one.lower().startswith("fe80:"))
    return ",".join(sorted(given)) or "no address"


def _name_vlan(vlan: str) -> str:
    return f"VLAN {vlan}" if vlan else "no VLAN"


def _list_options(asked: Attachment) -> list[str]:
    words = [f"-o {key}={value}" for key, value in asked.options]
    return [*words, "--dns"] if asked.dns else words
