"""What OVN has: the northbound database and this machine's part in it, as `ovn_read.sh` prints them. Pure functions."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipework_backends import script
from pipework_backends.links import ovsdb
from pipework_backends.links.ovsdb import Switch, parse_rows, parse_set
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.plan import Command
from pipework_core.model.records import Record
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.model.attachment import Attachment

#: Keys of a logical switch port that say whose it is; `HOST_KEY` says as well that pipework made it.
HOST_KEY, GUEST_KEY, INTERFACE_KEY = "pipework.host", "pipework.guest", "pipework.interface"
#: Keys of the same for the host's end of the pair, and for what the machine calls itself.
END_KEY, HOSTNAME_KEY = "pipework.end", "pipework.hostname"
#: The key by which an interface of Open vSwitch remembers a database that was named with -o nb=.
NB_KEY = "pipework.nb"
#: The key of a port's options that says on which machine alone it may be.
CHASSIS_KEY = "requested-chassis"
#: Options that say how the database is reached, in the order of `Remote`.
WAYS = ("nb", "key", "cert", "ca")
#: Columns of a port that are restored as they were, beside those that `LogicalPort` names.
_REST = ("enabled", "dhcpv4_options", "dhcpv6_options")
_READ_OK = frozenset(range(128))
_NOT_INSTALLED = 127
_MAC = r"([0-9a-f]{2}:){5}[0-9a-f]{2}"
#: Ways to reach a database (ovsdb(7), Connection Methods), and the path of a file. Neither needs quotes anywhere.
_DATABASES = r"(?a)(tcp|ssl|unix):[\w.:/@%+\[\]-]+(,(tcp|ssl|unix):[\w.:/@%+\[\]-]+)*"
_FILE = r"(?a)/[\w./@%+:-]+"
#: Seconds for a database that is not there to be given up, and for starting programs.
_PATIENCE = 7.0


class Remote(Record):
    """Where a northbound database is, and the files for TLS (empty: none)."""

    db: str
    key: str = ""
    certificate: str = ""
    ca: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The options for TLS, which ovn-nbctl(8) and ovsdb-client(1) share."""
        options = {"--private-key": self.key, "--certificate": self.certificate, "--ca-cert": self.ca}
        return tuple(f"{option}={file}" for option, file in options.items() if file)


class LogicalPort(Record):
    """A logical switch port. `addresses` and `security` are as they stand in the database, `dynamic` what OVN chose.

    `rest` has further columns with values as ovn-nbctl reads them.
    """

    name: str
    switch: str
    kind: str = ""
    addresses: tuple[str, ...] = ()
    dynamic: str = ""
    security: tuple[str, ...] = ()
    up: bool = False
    options: Mapping[str, str] = MappingProxyType({})
    external_ids: Mapping[str, str] = MappingProxyType({})
    rest: Mapping[str, str] = MappingProxyType({})

    @property
    def machine(self) -> str:
        """The machine of ours that it is for; empty for a port of somebody else."""
        return self.external_ids.get(HOST_KEY, "")

    @property
    def mac(self) -> str:
        """The MAC address; empty for none of its own."""
        return self.addresses[0].partition(" ")[0] if self.addresses else ""

    @property
    def taken(self) -> frozenset[str]:
        """The MAC and IP addresses that nobody else on the switch may have."""
        words = " ".join((*self.addresses, self.dynamic)).lower().split()
        return frozenset(map(_normalize, words)) - {"unknown", "dynamic", "router"}


class LogicalSwitch(Record):
    """A logical switch: its ports' names, whether pipework made it, and its `other_config` (`subnet`, …).

    `holders` are the names of the ports that have an address, by the address.
    """

    name: str
    ports: tuple[str, ...] = ()
    made: bool = False
    config: Mapping[str, str] = MappingProxyType({})
    external_ids: Mapping[str, str] = MappingProxyType({})
    holders: Mapping[str, tuple[str, ...]] = MappingProxyType({})


class DhcpOptions(Record):
    """A row of DHCP_Options: a network and what its guests are told."""

    uuid: str
    cidr: str
    options: Mapping[str, str] = MappingProxyType({})
    external_ids: Mapping[str, str] = MappingProxyType({})


class Northbound(Record):
    """A northbound database; `error` says why it could not be read. `twice` are names that several switches have."""

    remote: Remote = Remote(db="")
    error: str = ""
    switches: Mapping[str, LogicalSwitch] = MappingProxyType({})
    ports: Mapping[str, LogicalPort] = MappingProxyType({})
    dhcp: tuple[DhcpOptions, ...] = ()
    twice: frozenset[str] = frozenset()


class Reading(Record):
    """All that was read: the switch, the MTU of the link with the tunnels' address (0: no link), and the databases.

    The first database is the one that was named, or the usual one.
    """

    switch: Switch = Switch()
    underlay_mtu: int = 0
    databases: tuple[Northbound, ...] = ()


def make_query(attachment: Attachment) -> Command:
    """Return the read for an attachment; raise UsageError for an option that names no database or file."""
    given = {key: text for key, text in attachment.options if key in WAYS}
    for key, text in given.items():
        if re.fullmatch(_DATABASES if key == "nb" else _FILE, text) is None:
            raise UsageError(
                f"-o {key}={text!r} is no {'address of a database' if key == 'nb' else 'path of a file'}.",
                hint="write for instance -o nb=tcp:HOST:6641 or -o nb=ssl:HOST:6641, several with commas"
                if key == "nb"
                else f"write the whole path, such as -o {key}=/etc/openvswitch/{key}.pem",
            )
    return query_databases(*(given.get(key, "-") for key in WAYS if given))


def query_databases(*words: str) -> Command:
    """Return the read of the database that the words name (see `ovn_read.sh`), or of all that this machine uses."""
    argv = ("sh", script("ovn_read.sh"), *words)
    return Command(argv=argv, ok_codes=_READ_OK, timeout=_PATIENCE, reason="read what OVN has")


@lru_cache(maxsize=4)  # a topology plans hundreds of guests from one answer
@parser_of("ovn-nbctl")
def parse_reading(text: str) -> Reading:
    """Parse what `ovn_read.sh` prints; raise HostError for what is no such answer."""
    lines = text.split("\n")
    marks = [number for number, line in enumerate(lines) if line.startswith(("underlay ", "nb "))]
    switch = ovsdb.parse_tables("\n".join(lines[: marks[0]]))
    parts = [lines[start:end] for start, end in zip(marks, [*marks[1:], len(lines)], strict=True)]
    return Reading(
        switch=switch,
        underlay_mtu=_parse_mtu(parts[0][0].partition(" ")[2]),
        databases=tuple(_parse_database(part) for part in parts[1:]),
    )


def read_outcome(code: int, stdout: str, stderr: str) -> Reading:
    """Return what was read; raise HostError where Open vSwitch is not installed, or cannot be asked."""
    if code == _NOT_INSTALLED:
        raise HostError("Open vSwitch and OVN are not installed here.", hint="apt install ovn-host (in Debian)")
    if code:
        raise HostError(
            f"cannot read what Open vSwitch has: {' '.join(stderr.split())}",
            hint="is it running? systemctl status openvswitch-switch",
        )
    return parse_reading(stdout)


def _normalize(word: str) -> str:
    """Return an address as Python writes it: one of IPv6 has several forms."""
    if ":" not in word or re.fullmatch(_MAC, word):
        return word
    try:
        return str(ip_address(word))
    except ValueError:  # such as that of an IPv6 network with its length
        return word


def _parse_mtu(text: str) -> int:
    links = json.loads(text) if text.strip() else []
    return next((int(link["mtu"]) for link in links if "mtu" in link), 0)


def _parse_database(lines: list[str]) -> Northbound:
    words = lines[0].split(" ")[1:]
    remote = Remote(*("" if word == "-" else word for word in words))
    documents = [json.loads(line) for line in lines[1:] if line.startswith("{")]
    code = next((line.partition(" ")[2] for line in lines if line.startswith("code ")), "")
    if code != "0":
        said = " ".join(line for line in lines[1:] if line and not line.startswith(("{", "code ")))
        return Northbound(remote=remote, error=said or f"exit code {code}")
    switches, ports, dhcp = (parse_rows(document) for document in documents)
    names = {port["_uuid"][1]: str(port["name"]) for port in ports}
    found = [_parse_switch(row, names) for row in switches]
    owner = {name: switch.name for switch in found for name in switch.ports}
    known = [switch.name for switch in found]
    rows = {str(row["name"]): _parse_port(row, owner.get(str(row["name"]), "")) for row in ports}
    return Northbound(
        remote=remote,
        switches={switch.name: switch._replace(holders=_find_holders(switch, rows)) for switch in found},
        ports=rows,
        dhcp=tuple(
            DhcpOptions(row["_uuid"][1], str(row["cidr"]), _parse_map(row["options"]), _parse_map(row["external_ids"]))
            for row in dhcp
        ),
        twice=frozenset(name for name in known if known.count(name) > 1),
    )


def _find_holders(switch: LogicalSwitch, rows: Mapping[str, LogicalPort]) -> Mapping[str, tuple[str, ...]]:
    holders: dict[str, tuple[str, ...]] = {}
    for name in switch.ports:
        for address in rows[name].taken:
            holders[address] = (*holders.get(address, ()), name)
    return holders


def _parse_switch(row: Mapping[str, Any], names: Mapping[str, str]) -> LogicalSwitch:
    told = _parse_map(row["external_ids"])
    return LogicalSwitch(
        name=str(row["name"]),
        ports=tuple(names[uuid] for uuid in parse_set(row["ports"]) if uuid in names),
        made=ovsdb.MADE_KEY in told,
        config=_parse_map(row["other_config"]),
        external_ids=told,
    )


def _parse_port(row: Mapping[str, Any], switch: str) -> LogicalPort:
    return LogicalPort(
        name=str(row["name"]),
        switch=switch,
        kind=str(row["type"]),
        addresses=tuple(map(str, parse_set(row["addresses"]))),
        dynamic=" ".join(map(str, parse_set(row["dynamic_addresses"]))),
        security=tuple(map(str, parse_set(row["port_security"]))),
        up=parse_set(row["up"]) == [True],
        options=_parse_map(row["options"]),
        external_ids=_parse_map(row["external_ids"]),
        rest=MappingProxyType(dict(_list_rest(row))),
    )


def _list_rest(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the columns that have a value, which is a boolean or the UUID of another row."""
    for column in _REST:
        for value in parse_set(row[column]):
            yield column, str(value).lower()


def _parse_map(value: Any) -> Mapping[str, str]:  # noqa: ANN401 - from JSON
    return MappingProxyType(dict(value[1]))
