"""What the network of a host or guest looks like, without what changes by itself.

Left out on purpose: interface indexes, counters, lifetimes, carrier, IPv6 link-local addresses and
what the kernel derives from addresses (table `local`, multicast), queueing disciplines that the
kernel chose, and the MAC of a bridge that nobody pinned (it follows the ports).
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Mapping

#: A guest: the PID of one of its processes inside, the name of a network namespace, or None: the host itself.
Guest = int | str | None
#: The network of one namespace: lists of plain values, sorted, ready for `==`.
Network = dict[str, list[Any]]
#: One JSON object of `ip -json`.
Row = dict[str, Any]
#: What one namespace answered to `QUESTIONS`, by the keys of `ANSWERS`.
Answers = dict[str, list[Row]]

#: Flags that somebody set (netdevice(7)); the others follow the state of the wire.
SET_FLAGS = frozenset(("UP", "NOARP", "PROMISC", "ALLMULTI", "MULTICAST", "BROADCAST"))
#: Per kind of link: the parts of its details that are configuration.
DETAILS = ("id", "protocol", "mode", "vlan_filtering", "vlan_default_pvid", "pkey", "umode", "remote", "port")
#: `addr_assign_type` of a MAC that somebody set (linux/netdevice.h, NET_ADDR_SET).
MAC_WAS_SET = "3"

#: Everything that a namespace is asked; `--` stands between the answers of two processes.
QUESTIONS = """
ip -details -json -batch - <<'.'
link show
address show
.
for family in -4 -6; do
echo --
ip $family -details -json -batch - <<'.'
route show table all
rule show
.
done
echo --
bridge -json vlan show
echo --
tc -json qdisc show
"""
#: The answers of each process, in the order of their lines.
ANSWERS = (("links", "addresses"), ("routes -4", "rules -4"), ("routes -6", "rules -6"), ("vlans",), ("queues",))
#: How each link of the host came by its MAC, as `name number`.
PINNED = """
for file in /sys/class/net/*/addr_assign_type; do
read -r assigned < "$file"
file=${file%/*}
echo "${file##*/} $assigned"
done
"""


class Host(Protocol):
    """What is asked for its network: a private host."""

    def enter(self, guest: Guest) -> tuple[str, ...]:
        """Return the words that enter the network of a guest."""

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end."""


def ask_host(host: Host, guests: Iterable[Guest]) -> list[Answers]:
    """Read all of some namespaces in few processes, which are what costs most: the answers of each by key."""
    asked = [" ".join((*map(shlex.quote, host.enter(guest)), "sh", "-ec", '"$1"')) for guest in guests]
    said = host.run("sh", "-ec", " && echo == && ".join(asked), "sh", QUESTIONS).stdout
    return [parse_answers(part) for part in said.split("==\n")]


def parse_answers(said: str) -> Answers:
    """Parse what one namespace answered."""
    found: Answers = {}
    for keys, part in zip(ANSWERS, said.split("--\n"), strict=True):
        # One line is one answer; `bridge` says nothing at all where there is no port.
        lines = [json.loads(line, strict=False) for line in part.split("\n") if line.strip()]
        found |= dict(zip(keys, lines or [[]] * len(keys), strict=True))
    return found


def pinned_macs(host: Host) -> set[str]:
    """Return the links of the host whose MAC somebody set."""
    words = host.run("sh", "-ec", PINNED).stdout.split()
    return {name for name, assigned in zip(words[::2], words[1::2], strict=True) if assigned == MAC_WAS_SET}


def clean_link(row: Row) -> Row:
    """Reduce one link of `ip -details -json link` to what was configured."""
    info = row.get("linkinfo", {})
    data = info.get("info_data", {})
    kind = info.get("info_kind", "")
    return {
        "name": row["ifname"],
        "kind": kind,
        "type": row.get("link_type"),
        "mac": row.get("address"),
        "mtu": row.get("mtu"),
        "group": row.get("group", "default"),
        "flags": sorted(SET_FLAGS.intersection(row.get("flags", ()))),
        "alias": row.get("ifalias", ""),
        "altnames": sorted(row.get("altnames", ())),
        "master": row.get("master", ""),
        # The other end of a veth pair says nothing of its own; the parent of a VLAN does.
        "parent": "" if kind == "veth" else row.get("link", ""),
        "details": {key: data[key] for key in DETAILS if key in data},
    }


def clean_links(rows: list[Row], pinned: Callable[[], set[str]]) -> list[Row]:
    """Return the links of a namespace, by name; ask for those with a MAC of somebody's choice where that matters."""
    found = sorted((clean_link(row) for row in rows), key=lambda row: str(row["name"]))
    bridges = [row for row in found if row["kind"] == "bridge"]
    chosen = pinned() if bridges else set()
    for row in bridges:
        if row["name"] not in chosen:
            row["mac"] = "follows the ports"
    return found


def clean_addresses(rows: list[Row]) -> list[str]:
    """Return the addresses of a namespace as `interface address/prefix scope`."""
    found = [
        f"{row['ifname']} {info['local']}/{info['prefixlen']} {info.get('scope', '')}"
        for row in rows
        for info in row.get("addr_info", ())
        if info.get("scope") != "link"
    ]
    return sorted(found)


def clean_routes(rows: list[Row]) -> list[str]:
    """Return the routes that are not derived from addresses."""
    left_out = ("expires", "flags")
    found = []
    for row in rows:
        destination = str(row.get("dst", ""))
        if row.get("table") == "local" or destination.startswith(("fe80:", "ff00:")):
            continue
        words = {key: value for key, value in row.items() if key not in left_out}
        found.append(" ".join(f"{key}={words[key]}" for key in sorted(words)))
    return sorted(found)


def clean_rules(rows: Mapping[str, list[Row]]) -> list[str]:
    """Return the routing rules of all families."""
    return sorted(f"{family} {json.dumps(row, sort_keys=True)}" for family, found in rows.items() for row in found)


def clean_vlans(rows: list[Row]) -> list[str]:
    """Return the VLANs of all bridge ports (bridge(8)) as `port vlan flags`."""
    found = [
        f"{row['ifname']} {vlan['vlan']}-{vlan.get('vlanEnd', vlan['vlan'])} " + ",".join(sorted(vlan.get("flags", ())))
        for row in rows
        for vlan in row.get("vlans", ())
    ]
    return sorted(found)


def clean_queues(rows: list[Row]) -> list[str]:
    """Return the queueing disciplines that somebody made; the kernel's own have the handle 0:."""
    found = [
        f"{row['dev']} {row['kind']} {row['handle']} {json.dumps(row.get('options'))}"
        for row in rows
        if row["handle"] != "0:"
    ]
    return sorted(found)


def read_network(said: Answers, pinned: Callable[[], set[str]]) -> Network:
    """Return a snapshot of one namespace as seen through iproute2."""
    return {
        "links": clean_links(said["links"], pinned),
        "addresses": clean_addresses(said["addresses"]),
        "routes -4": clean_routes(said["routes -4"]),
        "routes -6": clean_routes(said["routes -6"]),
        "rules": clean_rules({family: said[f"rules {family}"] for family in ("-4", "-6")}),
        "vlans": clean_vlans(said["vlans"]),
        "queues": clean_queues(said["queues"]),
    }


def read_networks(host: Host, guests: Mapping[str, Guest]) -> dict[str, Network]:
    """Return a snapshot of each of these namespaces, by the same keys."""
    said = ask_host(host, guests.values())
    return {
        # The sysfs of guests is not mounted, so nothing is known of the MACs of their bridges.
        key: read_network(one, (lambda: pinned_macs(host)) if guest is None else set)
        for (key, guest), one in zip(guests.items(), said, strict=True)
    }
