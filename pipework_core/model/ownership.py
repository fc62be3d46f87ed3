"""The mark on an interface of ours: ownership and what undo needs, kept by the kernel and nowhere else.

A finished interface carries its mark as alias, which survives a move between namespaces (255 bytes, IFALIASZ in
linux/if.h). The kernel ignores an alias at creation, so a link is *born* in a group of ours, and leaves the group
when it gets its alias: whatever moment a run was killed at, its links can be told from somebody else's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.link import LOCKABLE, METRICS
from pipework_core.model.names import ALTERNATIVE_MAX, NAME_MAX, interface_name
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipework_core.model.link import Link, Route

#: The group of a link that has no alias yet ("pw" in ASCII); any group number is free for use (ip-link(8)).
PENDING_GROUP = str(int.from_bytes(b"pw"))

#: What we changed on a link of the host that is not ours, in its group where that was free: a number above the one
#: above, the sum of what holds. No guest can write it, and whoever detaches last can put it back.
RAISED, FILTERING = 1, 2
#: Nobody is to need the link any more: what a killed run did not take away, the next one does.
DETACHING = 4
_CHANGES = {str(int(PENDING_GROUP) + bits): bits for bits in range(1, 2 * DETACHING)}

_PREFIX = "pipework:1"
_ALIAS_MAX = 255
#: Interface names hold neither "/" nor ":", so none of these can be a part of one. Nor do addresses hold them.
#: Words of ip-route(8) that put a route back: those that stand alone, and those with a value (metrics among them).
_ALONE = frozenset({"onlink", "nexthop"})
_WITH_VALUE = frozenset({"via", "dev", "src", "metric", "proto", "weight", "pref"}) | METRICS
#: What may stand between the two.
_BEFORE_VALUE = frozenset({("via", "inet6"), *((metric, "lock") for metric in LOCKABLE)})
_SEPARATOR, _BETWEEN, _WORDS = "/", ":=", ":,"
#: An MTU and an inode number are 32 bits, a VLAN is 12.
_NUMBER_MAX, _VLAN_MAX = 10, 6
_DECIMAL, _HEX = frozenset("0123456789"), frozenset("0123456789abcdefABCDEF")


class Tag(Record):
    """What an alias says. Empty fields are left out of it.

    `kind` is the backend, `parent` the bridge or parent, `vlan` its VLAN, `req` a digest of the request, `gw4` and
    `gw6` the default routes that ours replaced, `nic` and `state` the name and the admin state a physical NIC came
    with, `mac` and `mtu` what it had of these where the request changed them, `phy` the radio it belongs to. On the
    host's end of a veth pair `netns` is the inode number of the guest's namespace. `dhcp` is the client to stop, or
    whose lease to give back (`dynamic.Dhcp.tag`). `new` is what the host was given of addresses and gateways for its
    own part in a network (`added_words`).
    """

    kind: str
    parent: str = ""
    vlan: str = ""
    req: str = ""
    gw4: str = ""
    gw6: str = ""
    nic: str = ""
    state: str = ""
    mac: str = ""
    mtu: str = ""
    phy: str = ""
    netns: str = ""
    dhcp: str = ""
    new: str = ""

    @property
    def alias(self) -> str:
        """The alias; raise UsageError when it would not fit."""
        pairs = [f"{key}{_BETWEEN}{value}" for key, value in zip(_KEYS, self, strict=True) if value]
        text = _SEPARATOR.join((_PREFIX, *pairs))
        if len(text.encode()) > _ALIAS_MAX:
            raise UsageError(
                f"what pipework must remember of this attachment takes {len(text.encode())} bytes, and an interface "
                f"holds {_ALIAS_MAX}.",
                hint="use shorter interface names",
            )
        return text


#: What the fields are called in an alias, in their order.
_KEYS = tuple("on" if field == "parent" else field for field in Tag._fields)


def read_tag(link: Link) -> Tag | None:
    """Return the mark of a link, or None when it carries none that this version could have written.

    The root of a guest can write any alias, and what stands here becomes words of commands that root runs on the host.
    """
    tag = _parse_alias(link.alias)
    return tag if tag is not None and next(_list_unsound(tag), "") == "" else None


def salvage_tag(link: Link) -> tuple[Tag | None, tuple[str, ...]]:
    """Return what of a link's mark makes sense, and the fields that do not, by their names in the alias.

    It is for detaching: what a guest's root did to an alias is no reason to stay attached.
    """
    tag = _parse_alias(link.alias)
    if tag is None:
        return None, ()
    wrong = tuple(_list_unsound(tag))
    left = tag._replace(**dict.fromkeys(wrong, "")) if wrong else tag
    return (left if left.kind else None), tuple("on" if field == "parent" else field for field in wrong)


def _parse_alias(alias: str) -> Tag | None:
    first, *pairs = alias.split(_SEPARATOR)
    if first != _PREFIX:
        return None
    values = dict(pair.split(_BETWEEN, 1) for pair in pairs if _BETWEEN in pair)
    return Tag(*(values.get(key, "") for key in _KEYS))


def _list_unsound(tag: Tag) -> Iterator[str]:
    """Yield the fields that hold something else than what they are for."""
    for field, value in zip(Tag._fields, tag, strict=True):
        if value and not _CHECKS[field](value):
            yield field


def _is_word(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _is_number(text: str) -> bool:
    return set(text) <= _DECIMAL and len(text) <= _NUMBER_MAX


def _is_vlan(text: str) -> bool:
    """Whether it is a number as it was written: 10, or a partition key of InfiniBand, 0x8001."""
    return set(text.removeprefix("0x")) <= _HEX and len(text) <= _VLAN_MAX


def _is_client(text: str) -> bool:
    return text.isascii() and text.replace("-", "").isalnum()


def _is_state(text: str) -> bool:
    return text in {"up", "down"}


def _is_mac(text: str) -> bool:
    """Whether it is a hardware address of six bytes, or of twenty (InfiniBand)."""
    parts = text.split(":")
    return len(parts) in {6, 20} and all(len(part) == 2 and set(part) <= _HEX for part in parts)  # noqa: PLR2004 - Ethernet, InfiniBand


def _is_packed_route(text: str) -> bool:
    return _is_route(route_from(text))


def _are_addresses(text: str) -> bool:
    return all(_is_address(word) for word in added_from(text))


def _is_name(text: str, most: int = NAME_MAX) -> bool:
    try:
        interface_name(text, most=most)
    except UsageError:
        return False
    return True


def _is_parent(text: str) -> bool:
    """Whether it is the name of what can be attached to; a logical switch may have a longer one than an interface."""
    return _is_name(text, ALTERNATIVE_MAX)


def _is_address(word: str) -> bool:
    from ipaddress import ip_interface  # noqa: PLC0415 - only the host's own part has any

    try:
        ip_interface(word)
    except ValueError:
        return False
    return word.isascii() and "%" not in word


def _is_route(words: tuple[str, ...]) -> bool:
    """Whether the words are those of a default route as `facts.Route` writes them: key and value, few of them alone."""
    todo = list(words)
    while todo:
        key = todo.pop(0)
        if key in _ALONE:
            continue
        if key not in _WITH_VALUE or not todo:
            return False
        value = todo.pop(0)
        if (key, value) in _BEFORE_VALUE and todo:
            value = todo.pop(0)
        good = (
            _is_name(value)
            if key == "dev"
            else all(char.isascii() and (char.isalnum() or char in ".:") for char in value)
        )
        if not good or not value:
            return False
    return True


#: Whether a field that is not empty holds what it is for, and nothing else.
_CHECKS = {
    **dict.fromkeys(("kind", "req"), _is_word),
    **dict.fromkeys(("nic", "phy"), _is_name),
    "parent": _is_parent,
    **dict.fromkeys(("gw4", "gw6"), _is_packed_route),
    **dict.fromkeys(("mtu", "netns"), _is_number),
    "vlan": _is_vlan,
    "state": _is_state,
    "mac": _is_mac,
    "dhcp": _is_client,
    "new": _are_addresses,
}


def names_attachment(link: Link, tag: Tag) -> bool:
    """Whether the tag of a link is that of one attachment: it names its request, or its NIC.

    Other tags are on what attachments share. On a switch of ours, the request may be that for the host's own part.
    """
    return bool(tag.req or tag.nic) and not (tag.new and tag.kind == link.kind)


def is_pending(link: Link) -> bool:
    """Whether the link is of a run of ours that did not get as far as giving it its alias.

    A NIC that moves has one from before the move already, and keeps the group until the request is known to be met.
    """
    return link.group == PENDING_GROUP and (not link.alias or read_tag(link) is not None)


def read_changes(link: Link) -> int:
    """Return what we changed on a link of the host: a sum of RAISED, FILTERING and LEAVING."""
    return _CHANGES.get(link.group, 0)


def group_for(bits: int) -> str:
    """Return the group of a link on which that was changed."""
    return str(int(PENDING_GROUP) + bits) if bits else "default"


def route_words(route: Route | None) -> str:
    """Return a replaced default route as the one word that a mark can hold."""
    return _WORDS.join(route.words) if route else ""


def route_from(word: str) -> tuple[str, ...]:
    """Return the words after `ip route replace default` that `route_words` packed."""
    return tuple(word.split(_WORDS)) if word else ()


def added_words(addresses: Iterable[str], gateways: Iterable[str]) -> str:
    """Return addresses as IP/N, and gateways, as the one word that a mark can hold."""
    return ",".join([address.replace("/", "-") for address in addresses] + list(gateways))


def added_from(word: str) -> tuple[str, ...]:
    """Return the addresses as IP/N, and the gateways without it, that `added_words` packed."""
    return tuple(part.replace("-", "/") for part in word.split(",")) if word else ()


def fits_alias(tag: Tag) -> bool:
    """Whether an alias can hold all of it."""
    try:
        return bool(tag.alias)
    except UsageError:
        return False
