"""Links and routes, as the kernel has them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Metrics of a route that can be locked, and all, as `ip -json` and ip-route(8) name them. A `rto_min` always is: `ip`
#: shows the word, and does not read it.
LOCKABLE = frozenset(
    {"mtu", "advmss", "hoplimit", "initcwnd", "initrwnd", "window", "rtt", "rttvar", "ssthresh", "cwnd", "reordering"}
)
METRICS = LOCKABLE | {"quickack", "rto_min", "features", "fastopen_no_cookie"}


class Link(Record):
    """A network interface as `ip -details -json` tells it.

    `kind` is rtnetlink's (`bridge`, `veth`, `macvlan`, …; empty for hardware), `layer` the link layer (`ether`,
    `infiniband`). `peer` is the ifindex of the veth peer or of the parent, which lies in another namespace when
    `peer_elsewhere`. `data` is the kind's own information, `port` that of the master it is enslaved to.
    `addresses` holds what somebody assigned, as `IP/N`; those that an advertisement brought are left out. `unsettled`
    are those among them of which it is not known (yet) that nobody else on the link has them. `leased` are the others,
    which came with a lifetime. `port_state` is that of a port of a bridge: `forwarding`, `learning`, `blocking`, ….
    `altnames` are its other names (ip-link(8), `property`).
    """

    name: str
    ifindex: int
    kind: str = ""
    layer: str = "ether"
    mac: str = ""
    mtu: int = 1500
    up: bool = False
    master: str = ""
    alias: str = ""
    group: str = "default"
    peer: int = 0
    parent: str = ""
    peer_elsewhere: bool = False
    data: Mapping[str, Any] = MappingProxyType({})
    port: str = ""
    addresses: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    leased: tuple[str, ...] = ()
    port_state: str = ""
    altnames: tuple[str, ...] = ()


def find_link(links: Mapping[str, Link], name: str) -> Link | None:
    """Return the link of that name, or with that alternative name."""
    return links.get(name) or next((link for link in links.values() if name in link.altnames), None)


class Route(Record):
    """A route of table main: destination (`default` or a prefix), gateway, device and metric.

    `words` after the destination put it back; a `kernel` route comes and goes with its address.
    `special` names what words cannot express: another type than unicast, a next hop by id, a realm.
    """

    dst: str
    family: int
    dev: str = ""
    via: str = ""
    metric: int = 0
    kernel: bool = False
    special: str = ""
    words: tuple[str, ...] = ()


class HostState(Record):
    """The host: its links by name, and by a kind of backend the names that its program lists (`Claims.listing`).

    `listed` lacks a kind that nobody asked, or whose program the host does not have.
    """

    links: Mapping[str, Link]
    listed: Mapping[str, frozenset[str]] = MappingProxyType({})

    def by_index(self, index: int) -> Link | None:
        """Return the link with that ifindex."""
        return next((link for link in self.links.values() if link.ifindex == index), None)

    def find(self, name: str) -> Link | None:
        """Return the link of that name, or with that alternative name."""
        return find_link(self.links, name)

    def by_mac(self, mac: str) -> tuple[Link, ...]:
        """Return the links with that MAC address; VLANs and bridges share their parent's, so there can be several."""
        return tuple(link for link in self.links.values() if link.mac == mac)

    def ports(self, bridge: str) -> tuple[Link, ...]:
        """Return the links that are enslaved to `bridge`."""
        return tuple(link for link in self.links.values() if link.master == bridge)


class GuestState(Record):
    """The guest: its links by name, its routes of table main, and whether its new interfaces start without IPv6."""

    links: Mapping[str, Link] = MappingProxyType({})
    routes: tuple[Route, ...] = ()
    ipv6_off: bool = False

    def default_route(self, family: int) -> Route | None:
        """Return the default route that a new one, given without a metric, replaces.

        Without a metric IPv4 uses 0 and IPv6 1024 (ip-route(8), IP6_RT_PRIO_USER); another metric is another route.
        """
        metric = 0 if family == 4 else 1024  # noqa: PLR2004 - IPv4
        return next((r for r in self.routes if r.dst == "default" and r.family == family and r.metric == metric), None)
