"""The file's types. msgspec checks a file against them, and the JSON Schema for editors is made from them.

They say what kind of value goes where. Whether an address is one, say, is the command line's grammar to decide
(`build.py`); patterns and ranges are in the schema alone, so that an editor marks most of that as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from pipework_core.model.records import Record
from pipework_core.spec.grammar import MTU_MAX, MTU_MIN, VLAN_MAX

if TYPE_CHECKING:
    from pipework_core.model.errors import UsageError

_HEX = "[0-9a-fA-F]"
Text = Annotated[str, Meta(extra_json_schema={"minLength": 1})]
Address = Annotated[
    str,
    Meta(
        description="IP/N[@GATEWAY], dhclient, udhcpc, dhcpcd, dhcp, auto, 0/0 for none, or a pool: NETWORK/N[@GATEWAY]"
        " or FIRST-LAST/N[@GATEWAY], which gives every guest an address that stays with its name",
        extra_json_schema={"minLength": 1},
    ),
]
Gateway = Annotated[str, Meta(extra_json_schema={"pattern": f"^({_HEX}|[.:])+$"})]
Mac = Annotated[str, Meta(extra_json_schema={"pattern": f"^({_HEX}{{2}}(:{_HEX}{{2}}){{5}}|U:.+)$"})]
Mtu = Annotated[int, Meta(extra_json_schema={"minimum": MTU_MIN, "maximum": MTU_MAX})]
VlanId = Annotated[int, Meta(extra_json_schema={"minimum": 1})]
VlanText = Annotated[str, Meta(extra_json_schema={"pattern": f"^(0[xX])?{_HEX}{{1,4}}$"})]
Seconds = Annotated[float, Meta(extra_json_schema={"exclusiveMinimum": 0})]

#: Keys that have few values, and what to write for them.
CHOICES = {"family": "4 or 6, or leave it out"}


def _describe(words: str) -> Meta:
    return Meta(description=words)


class Defaults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What links written as keys have in common; a link's own value comes first, `options` are merged one by one."""

    host: Annotated[Text, _describe("HOSTIF, KIND:NAME or mac:ADDR, as on the command line")] | UnsetType = UNSET
    interface: Annotated[Text, _describe("the interface's name in the guest; eth1 when not given")] | UnsetType = UNSET
    address: Annotated[Address | list[Address], _describe("one address or several; 0/0 for none")] | UnsetType = UNSET
    gateway: Annotated[Gateway | list[Gateway], _describe("one for each family at most")] | UnsetType = UNSET
    vlan: (
        Annotated[
            VlanId | VlanText, _describe(f"1 to {VLAN_MAX}; on InfiniBand a partition key in hex, such as '0x8001'")
        ]
        | UnsetType
    ) = UNSET
    mtu: Annotated[Mtu, _describe("bytes; that of the bridge or parent when not given")] | UnsetType = UNSET
    options: Annotated[dict[str, str | int], _describe("options of the backend, as -o KEY=VALUE")] | UnsetType = UNSET
    family: Annotated[Literal[4, 6], _describe("refuse other addresses; with DHCP, 6 means DHCPv6")] | UnsetType = UNSET
    timeout: Annotated[Seconds, _describe("seconds for a lease or an answer")] | UnsetType = UNSET
    replace: Annotated[bool, _describe("give up an interface that pipework made for another request")] | UnsetType = (
        UNSET
    )
    dns: Annotated[bool, _describe("let the guest use the name servers that DHCP offers")] | UnsetType = UNSET
    no_dad: Annotated[bool, _describe("use IPv6 addresses at once")] | UnsetType = UNSET
    probe: Annotated[bool, _describe("ask first whether somebody has the address")] | UnsetType = UNSET


class LinkFields(Defaults, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One attachment, or one for each guest that matches a pattern."""

    guest: Annotated[Text, _describe("a guest as on the command line, or a pattern such as web*")]
    host_interface: Annotated[Text, _describe("the name of the link's end on the host")] | UnsetType = UNSET
    mac: Annotated[Mac, _describe("the interface's address, or U:STRING")] | UnsetType = UNSET


class HostFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The host's own part: an address on a bridge, or on a sibling of a NIC."""

    host: Annotated[Text, _describe("a bridge or a NIC")]
    address: Annotated[Address | list[Address], _describe("IP/N[@GATEWAY], one or several")]
    gateway: Annotated[Gateway | list[Gateway], _describe("one for each family at most")] | UnsetType = UNSET


_LINE = _describe("exactly what follows `pipework` on the command line, for an attachment; defaults do not apply")
_HOST_LINE = _describe("exactly what follows `pipework host` on the command line")


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A topology for `pipework up`. Keys that begin with x- are ignored: a place for anchors."""

    version: Annotated[Literal[1], _describe("the version of this format")]
    defaults: Defaults = Defaults()
    links: list[Annotated[str, _LINE] | LinkFields] = msgspec.field(default_factory=list)
    host: list[Annotated[str, _HOST_LINE] | HostFields] = msgspec.field(default_factory=list)


class CheckedFile(Record):
    """The entries of a file whose types are right, each with its number, and an error for each of the others."""

    defaults: Defaults
    links: tuple[tuple[int, str | LinkFields], ...]
    hosts: tuple[tuple[int, str | HostFields], ...]
    errors: tuple[UsageError, ...] = ()


def make_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file, as plain data."""
    made = msgspec.json.schema(File)
    top = made["$defs"]["File"]
    top["patternProperties"] = {"^x-": True}
    top["anyOf"] = [{"required": ["links"]}, {"required": ["host"]}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pipework topology", **made}


def list_keys_at(path: str) -> list[str]:
    """Return the keys that may stand at a path of the file, as msgspec writes it: `$.links[3]`."""
    return list_keys("links" if "links" in path else "host" if "host" in path else "defaults" if path else "")


def list_keys(part: str) -> list[str]:
    """Return the keys of a part of the file: `links`, `host`, `defaults`, or the file itself."""
    kinds: dict[str, type[Struct]] = {"links": LinkFields, "host": HostFields, "defaults": Defaults, "": File}
    return list(kinds[part].__struct_encode_fields__)
