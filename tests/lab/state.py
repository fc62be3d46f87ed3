"""What the network of a host or guest looks like, without what changes by itself.

Left out on purpose: interface indexes, counters, lifetimes, carrier, IPv6 link-local addresses and
what the kernel derives from addresses (table `local`, multicast), queueing disciplines that the
kernel chose, and the MAC of a bridge that nobody pinned (it follows the ports).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .host import Guest, PrivateHost

#: The network of one namespace: lists of plain values, sorted, ready for `==`.
Network = dict[str, list[Any]]
#: One JSON object of `ip -json`.
Row = dict[str, Any]

#: Flags that somebody set (netdevice(7)); the others follow the state of the wire.
SET_FLAGS = frozenset(("UP", "NOARP", "PROMISC", "ALLMULTI", "MULTICAST", "BROADCAST"))
#: Per kind of link: the parts of its details that are configuration.
DETAILS = ("id", "protocol", "mode", "vlan_filtering", "pkey", "umode", "remote", "port")
#: `addr_assign_type` of a MAC that somebody set (linux/netdevice.h, NET_ADDR_SET).
MAC_WAS_SET = "3"


def read(host: PrivateHost, guest: Guest, *argv: str) -> list[Row]:
    """Run a command that prints a JSON list in the network of a guest, and parse it."""
    text = host.run(*host.enter(guest), *argv).stdout.strip()
    return json.loads(text) if text else []


def link(row: Row) -> Row:
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
        "flags": sorted(SET_FLAGS.intersection(row.get("flags", ()))),
        "alias": row.get("ifalias", ""),
        "altnames": sorted(row.get("altnames", ())),
        "master": row.get("master", ""),
        # The other end of a veth pair says nothing of its own; the parent of a VLAN does.
        "parent": "" if kind == "veth" else row.get("link", ""),
        "details": {key: data[key] for key in DETAILS if key in data},
    }


def links(host: PrivateHost, guest: Guest) -> list[Row]:
    """Return the links of a namespace, by name."""
    rows = read(host, guest, "ip", "-details", "-json", "link", "show")
    found = sorted((link(row) for row in rows), key=lambda row: str(row["name"]))
    for row in found:
        if row["kind"] == "bridge" and not has_pinned_mac(host, guest, row["name"]):
            row["mac"] = "follows the ports"
    return found


def has_pinned_mac(host: PrivateHost, guest: Guest, name: str) -> bool:
    """Tell whether somebody set a link's MAC; for guests, whose sysfs is not mounted, say no."""
    if guest is not None:
        return False
    assigned = host.run("cat", f"/sys/class/net/{name}/addr_assign_type").stdout
    return assigned.strip() == MAC_WAS_SET


def addresses(host: PrivateHost, guest: Guest) -> list[str]:
    """Return the addresses of a namespace as `interface address/prefix scope`."""
    found = [
        f"{row['ifname']} {info['local']}/{info['prefixlen']} {info.get('scope', '')}"
        for row in read(host, guest, "ip", "-json", "address", "show")
        for info in row.get("addr_info", ())
        if info.get("scope") != "link"
    ]
    return sorted(found)


def routes(host: PrivateHost, guest: Guest, family: str) -> list[str]:
    """Return the routes of one family (-4, -6) that are not derived from addresses."""
    show = ("ip", family, "-details", "-json", "route", "show", "table", "all")
    left_out = ("expires", "flags")
    found = []
    for row in read(host, guest, *show):
        destination = str(row.get("dst", ""))
        if row.get("table") == "local" or destination.startswith(("fe80:", "ff00:")):
            continue
        words = {key: value for key, value in row.items() if key not in left_out}
        found.append(" ".join(f"{key}={words[key]}" for key in sorted(words)))
    return sorted(found)


def rules(host: PrivateHost, guest: Guest) -> list[str]:
    """Return the routing rules of both families."""
    found = [
        f"{family} {json.dumps(row, sort_keys=True)}"
        for family in ("-4", "-6")
        for row in read(host, guest, "ip", family, "-json", "rule", "show")
    ]
    return sorted(found)


def vlans(host: PrivateHost, guest: Guest) -> list[str]:
    """Return the VLANs of all bridge ports (bridge(8)) as `port vlan flags`."""
    found = [
        f"{row['ifname']} {vlan['vlan']}-{vlan.get('vlanEnd', vlan['vlan'])} " + ",".join(sorted(vlan.get("flags", ())))
        for row in read(host, guest, "bridge", "-json", "vlan", "show")
        for vlan in row.get("vlans", ())
    ]
    return sorted(found)


def queues(host: PrivateHost, guest: Guest) -> list[str]:
    """Return the queueing disciplines that somebody made; the kernel's own have the handle 0:."""
    found = [
        f"{row['dev']} {row['kind']} {row['handle']} {json.dumps(row.get('options'))}"
        for row in read(host, guest, "tc", "-json", "qdisc", "show")
        if row["handle"] != "0:"
    ]
    return sorted(found)


def network(host: PrivateHost, guest: Guest) -> Network:
    """Return a snapshot of one namespace as seen through iproute2."""
    return {
        "links": links(host, guest),
        "addresses": addresses(host, guest),
        "routes -4": routes(host, guest, "-4"),
        "routes -6": routes(host, guest, "-6"),
        "rules": rules(host, guest),
        "vlans": vlans(host, guest),
        "queues": queues(host, guest),
    }
