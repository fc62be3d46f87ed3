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
    from collections.abc import Mapping

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
#: A word on a command line, a part of a file's name, and a label of a host's name alike.
MACHINE_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}"
MachineName = Annotated[str, Meta(extra_json_schema={"pattern": f"^{MACHINE_NAME}$"})]

#: Keys that have few values, and what to write for them.
CHOICES = {"family": "4 or 6, or leave it out"}


def _describe(words: str) -> Meta:
    return Meta(description=words)


_ON = _describe("the machine, or a list of machines: each has its own; in a file with machines")


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
    on: Annotated[MachineName | list[MachineName], _ON] | UnsetType = UNSET


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
    on: Annotated[MachineName | list[MachineName], _ON] | UnsetType = UNSET


_DRIVER = _describe("local, ssh://[USER@]HOST[:PORT], or NAME:ADDRESS of another driver")


class MachineFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine whose underlay has another address than its driver's."""

    driver: Annotated[Text, _DRIVER]
    address: (
        Annotated[Text, _describe("the machine's IP address for tunnels; that of the driver when not given")]
        | UnsetType
    ) = UNSET


class OvnFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where OVN is."""

    nb: Annotated[
        Text, _describe("the northbound database as seen from here: tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH")
    ]


class NetworkFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A logical switch of OVN, for the links on ovn:NAME."""

    subnet: Annotated[Text, _describe("the network of its addresses, such as 10.1.0.0/24")] | UnsetType = UNSET
    gateway: Annotated[Gateway, _describe("the router that DHCP tells; no guest gets it from a pool")] | UnsetType = (
        UNSET
    )
    dhcp: (
        Annotated[bool, _describe("true: OVN gives addresses of the subnet to who asks by DHCP; false: a guest does")]
        | UnsetType
    ) = UNSET


_LINE = _describe("exactly what follows `pipework` on the command line, for an attachment; defaults do not apply")
_HOST_LINE = _describe("exactly what follows `pipework host` on the command line")


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A topology for `pipework up`. Keys that begin with x- are ignored: a place for anchors."""

    version: Annotated[Literal[1], _describe("the version of this format")]
    defaults: Defaults = Defaults()
    links: list[Annotated[str, _LINE] | LinkFields] = msgspec.field(default_factory=list)
    host: list[Annotated[str, _HOST_LINE] | HostFields] = msgspec.field(default_factory=list)
    machines: Annotated[
        dict[str, Annotated[str, _DRIVER] | MachineFields],
        _describe("the machines by name; then each entry is on one of them: NAME: LINE, or keys with on"),
    ] = msgspec.field(default_factory=dict)
    ovn: OvnFields | UnsetType = UNSET
    networks: Annotated[dict[str, NetworkFields], _describe("logical switches of OVN by name")] = msgspec.field(
        default_factory=dict
    )


#: The types of entries, by the part of the file that has them.
ENTRIES: dict[str, Any] = {
    "links": str | LinkFields,
    "host": str | HostFields,
    "machines": str | MachineFields,
    "networks": NetworkFields,
}


class CheckedFile(Record):
    """The entries of a file whose types are right, each with its number or name, and an error for each of the others.

    `lines_on` has the machine of a line that is written `MACHINE: LINE`, by the part of the file and the number.
    """

    frame: File
    links: tuple[tuple[int, str | LinkFields], ...]
    hosts: tuple[tuple[int, str | HostFields], ...]
    machines: dict[str, str | MachineFields]
    networks: dict[str, NetworkFields]
    lines_on: Mapping[tuple[str, int], str]
    errors: tuple[UsageError, ...] = ()


def make_schema(*, machines: bool = True) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file, as plain data; without `machines`, that of files about one."""
    made = msgspec.json.schema(File)
    top = made["$defs"]["File"]
    top["patternProperties"] = {"^x-": True}
    top["anyOf"] = [{"required": ["links"]}, {"required": ["host"]}]
    if machines:
        for part in ("links", "host"):
            kinds = top["properties"][part]["items"]["anyOf"]
            kinds.append(_describe_placed(kinds[0]))
        top["properties"]["machines"]["propertyNames"] = _describe_machine()
    else:
        del top["properties"]["machines"], made["$defs"]["MachineFields"]
        for fields in ("Defaults", "LinkFields", "HostFields"):
            del made["$defs"][fields]["properties"]["on"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pipework topology", **made}


def _describe_placed(line: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of `MACHINE: LINE`."""
    return {
        "type": "object",
        "description": "a line on a machine: the machine's name, and the line",
        "propertyNames": _describe_machine(),
        "additionalProperties": line,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _describe_machine() -> dict[str, Any]:
    return {"pattern": f"^{MACHINE_NAME}$", "not": {"enum": sorted(list_entry_keys())}}


def list_entry_keys() -> set[str]:
    """Return the keys of entries, as which no machine can be called."""
    return {*list_keys("links"), *list_keys("host")}


def list_keys_at(path: str) -> list[str]:
    """Return the keys that may stand at a path of the file, as msgspec writes it: `$.links[3]`."""
    return list_keys(path.strip("`").removeprefix("$").removeprefix(".").partition("[")[0].partition(".")[0])


def list_keys(part: str) -> list[str]:
    """Return the keys of a part of the file: those of one entry, or of the file itself."""
    kinds: dict[str, type[Struct]] = {
        "links": LinkFields,
        "host": HostFields,
        "defaults": Defaults,
        "machines": MachineFields,
        "networks": NetworkFields,
        "ovn": OvnFields,
        "": File,
    }
    return list(kinds[part].__struct_encode_fields__)
