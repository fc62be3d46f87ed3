"""The Open vSwitch database: what `ovs-vsctl` prints of it, parsed, and values as it reads them. Pure functions."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipework_core.model.plan import Command
from pipework_core.model.records import Record
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds; ovs-vsctl(8) waits forever for a switch that does not run unless it is told not to.
VSCTL = ("ovs-vsctl", "--timeout=5")
#: The kernel's kinds of a bridge's device: in the datapath of the kernel, or a tap of the one in user space.
DEVICES = ("openvswitch", "tun")
#: Prints the names of all bridges, one a line.
BRIDGES = Command(argv=(*VSCTL, "list-br"), reason="read the names of Open vSwitch bridges")
#: The OpenFlow number of a bridge's own port, OFPP_LOCAL (ovs-fields(7)); a bridge without a datapath gets none.
LOCAL_PORT = 65534
#: The key whose presence says that a port is ours; the shell version wrote it, too.
OWN_KEY = "pipework.interface"
#: By this key ovn-controller, or whoever else has plans for a port, says which it is; pipework writes none.
FOREIGN_KEY = "iface-id"
#: A chassis of OVN has the address of its database, and may have the name of its bridge (ovn-controller(8)).
_OVN_REMOTE, _OVN_BRIDGE, _OVN_USUAL = "ovn-remote", "ovn-bridge", "br-int"
#: The key of a bridge that we made; the shell version marked none.
MADE_KEY = "pipework.made"

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")

_TABLES = {
    "Bridge": "name,ports,datapath_type,external_ids",
    "Port": "_uuid,name,tag,fake_bridge",
    "Interface": "name,external_ids,error,ofport",
    "Open_vSwitch": "external_ids",
}

#: One transaction reads the tables, each as a JSON document on a line of its own.
TABLES = Command(
    argv=(
        *(*VSCTL, "--format=json"),
        *(word for table, columns in _TABLES.items() for word in ("--", f"--columns={columns}", "list", table)),
    ),
    reason="read the bridges and ports of Open vSwitch",
)


class Port(Record):
    """A port of one interface: the bridge it is on, its VLAN (0: none of its own), and what the switch says of it."""

    name: str
    bridge: str
    tag: int = 0
    error: str = ""
    number: int = 0
    external_ids: Mapping[str, str] = MappingProxyType({})

    @property
    def ours(self) -> bool:
        """Whether pipework, this one or the shell version, made it, and it is nobody else's business."""
        return OWN_KEY in self.external_ids and FOREIGN_KEY not in self.external_ids


class Switch(Record):
    """The bridges with their datapath types, the ports, the VLANs of fake bridges, and the bridges that we made.

    `integration` is the bridge that OVN plugs its ports into; empty where the switch is no chassis of OVN. `chassis` is
    what the switch knows of itself for the likes of OVN (ovn-controller(8)): `system-id`, `ovn-remote`, ….
    """

    datapaths: Mapping[str, str] = MappingProxyType({})
    ports: Mapping[str, Port] = MappingProxyType({})
    fakes: Mapping[str, int] = MappingProxyType({})
    made: frozenset[str] = frozenset()
    integration: str = ""
    chassis: Mapping[str, str] = MappingProxyType({})


@lru_cache(maxsize=1)  # a topology plans hundreds of guests from one answer
@parser_of("ovs-vsctl")
def parse_tables(text: str) -> Switch:
    """Parse what `TABLES` prints; nothing at all is a switch without bridges.

    Raise HostError for what is no such answer.
    """
    documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    return _parse_documents(documents) if documents else Switch()


def _parse_documents(documents: list[Any]) -> Switch:
    bridges, ports, interfaces, *rest = (parse_rows(document) for document in documents)
    owner = {uuid: str(bridge["name"]) for bridge in bridges for uuid in parse_set(bridge["ports"])}
    tags = {str(port["name"]): int(next(iter(parse_set(port["tag"])), 0)) for port in ports}
    parents = {str(port["name"]): owner.get(port["_uuid"][1], "") for port in ports}
    # A fake bridge is no row of its own but a port of its parent; ports on it carry its tag (ovs-vsctl(8)).
    fakes = {str(port["name"]): tags[str(port["name"])] for port in ports if port["fake_bridge"]}
    fake_of = {(parents[name], tag): name for name, tag in fakes.items()}
    found = {}
    for interface in interfaces:
        name = str(interface["name"])
        parent, tag = parents.get(name, ""), tags.get(name, 0)
        fake = fake_of.get((parent, tag))
        found[name] = Port(
            name=name,
            bridge=fake or parent,
            tag=0 if fake else tag,
            error=str(next(iter(parse_set(interface["error"])), "")),
            number=int(next(iter(parse_set(interface["ofport"])), 0)),
            external_ids=dict(interface["external_ids"][1]),
        )
    datapaths = {str(bridge["name"]): str(bridge["datapath_type"] or "system") for bridge in bridges}
    made = frozenset(str(row["name"]) for row in bridges if MADE_KEY in dict(row.get("external_ids", ["map", []])[1]))
    told: dict[str, str] = dict(rest[0][0]["external_ids"][1]) if rest and rest[0] else {}
    integration = str(told.get(_OVN_BRIDGE, _OVN_USUAL)) if _OVN_REMOTE in told else ""
    return Switch(
        datapaths=datapaths,
        ports=found,
        fakes=fakes,
        made=made,
        integration=integration,
        chassis=MappingProxyType(told),
    )


def parse_rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table as `--format=json` prints it, by column."""
    return [dict(zip(document["headings"], row, strict=True)) for row in document["data"]]


def parse_set(value: object) -> list[Any]:
    """Return the members of a set as RFC 7047, 5.1, writes it: one member stands for itself, unless it is a UUID."""
    if isinstance(value, list) and value[0] == "set":
        return [member[1] if isinstance(member, list) else member for member in value[1]]
    return [value[1] if isinstance(value, list) else value]


def quote_atom(text: str) -> str:
    """Return `text` as a string of the database that arrives unchanged, whatever it holds.

    A bare word would end at a comma, a quote or a space; quoted ones have the syntax of JSON (ovs-vsctl(8)). The
    database holds UTF-8 only, so bytes that are none become question marks.
    """
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)


def quote_key(key: str) -> str:
    """Return `key` as people write it where that is safe, else as `quote_atom` does."""
    return key if _BARE.fullmatch(key) else quote_atom(key)
