"""The mark on an interface of ours: ownership and what undo needs, kept by the kernel and nowhere else.

A finished interface carries its mark as alias, which survives a move between namespaces (255 bytes, IFALIASZ in
linux/if.h). The kernel ignores an alias at creation, so a link is *born* in a group of ours, and leaves the group
when it gets its alias: whatever moment a run was killed at, its links can be told from somebody else's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.link import LOCKABLE, METRICS
from pipework_core.model.names import interface_name
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    first, *pairs = link.alias.split(_SEPARATOR)
    if first != _PREFIX:
        return None
    values = dict(pair.split(_BETWEEN, 1) for pair in pairs if _BETWEEN in pair)
    tag = Tag(*(values.get(key, "") for key in _KEYS))
    return tag if _is_sound(tag) else None


def _is_sound(tag: Tag) -> bool:
    """Whether every field holds what it is for, and nothing else."""
    plain = (tag.kind, tag.vlan, tag.req, tag.netns)
    return (
        all(value.isascii() and (value.isalnum() or not value) for value in plain)
        and all(_is_name(name) for name in (tag.parent, tag.nic, tag.phy) if name)
        and all(char.isascii() and (char.isalnum() or char == "-") for char in tag.dhcp)
        and tag.state in {"", "up", "down"}
        and (not tag.mtu or (tag.mtu.isascii() and tag.mtu.isdigit()))
        and all(char in "0123456789abcdefABCDEF:" for char in tag.mac)
        and all(_is_route(route_from(word)) for word in (tag.gw4, tag.gw6))
        and (not tag.new or all(_is_address(word) for word in added_from(tag.new)))
    )


def _is_name(text: str) -> bool:
    try:
        interface_name(text)
    except UsageError:
        return False
    return True


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
