"""The entry points of the built-in plugins: a table, as the metadata of an installed package has one, and no code.

Only this table knows the modules of backends and drivers. A module is imported when something of it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Claims
from pipework_core.model.plan import Command
from pipework_core.plugins.entry_points import EntryPoint

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Whose the built-ins are, where two packages provide one name.
PACKAGE = "pipework itself"

#: Kind to module. The order is the order in which a bare name is offered.
BACKENDS: Mapping[str, str] = {
    "bridge": "pipework_backends.links.bridge",
    "ovs": "pipework_backends.links.ovs",
    "ipoib": "pipework_backends.links.ipoib",
    "dummy": "pipework_backends.links.dummy",
    "macvlan": "pipework_backends.links.macvlan",
    "ipvlan": "pipework_backends.links.ipvlan",
    "phys": "pipework_backends.links.phys",
    "ovn": "pipework_backends.links.ovn",
}
#: What bare names each kind claims, as its class says as well: choosing a kind imports no other.
CLAIMS: Mapping[str, Claims] = {
    "bridge": Claims(prefix="br", link_kinds=("bridge",)),
    "ovs": Claims(
        prefix="ovs",
        # The device of a bridge in Open vSwitch's user-space datapath is a tap; in the kernel's it has its own kind.
        link_kinds=("openvswitch", "tun"),
        listing=Command(argv=("ovs-vsctl", "--timeout=5", "list-br"), reason="read the names of Open vSwitch bridges"),
    ),
    "ipoib": Claims(link_layers=("infiniband",)),
    "dummy": Claims(prefix="dummy"),
    "macvlan": Claims(any_existing=True),
    "ipvlan": Claims(),
    "phys": Claims(),
    "ovn": Claims(elsewhere=True),
}
#: What a file is checked for before a host is asked: kinds that move a NIC, which one guest alone can have, and what
#: the guest's interface is called where it is not eth1. The classes say so as well.
MOVING_KINDS = frozenset({"phys"})
INTERFACES: Mapping[str, str] = {"ipoib": "ib0"}
#: How the kernel's names of InfiniBand interfaces begin.
_INFINIBAND = "ib"
#: Runtime to module, in the order in which a bare guest name is asked for.
GUESTS: Mapping[str, str] = {
    "docker": "pipework_backends.guests.docker",
    "podman": "pipework_backends.guests.docker",
    "lxc": "pipework_backends.guests.lxc",
    "netns": "pipework_backends.guests.netns",
    "pid": "pipework_backends.guests.netns",
}
ADDRESSING: Mapping[str, str] = {
    "static": "pipework_backends.addressing.static",
    "auto": "pipework_backends.addressing.slaac",
    "dhclient": "pipework_backends.addressing.dhcp_host",
    "udhcpc": "pipework_backends.addressing.dhcp_host",
    "dhcpcd": "pipework_backends.addressing.dhcp_host",
    "dhcp": "pipework_backends.addressing.dhcp_busybox",
}
#: Name to module; `live`, this very machine, is what runs when none is named.
DRIVERS: Mapping[str, str] = {"live": "pipework_drivers.local.driver", "ssh": "pipework_drivers.ssh.driver"}
#: The drivers that options of their own choose (`--dry-run`, `--replay`, `--record`); `--driver` knows none of them.
OPTION_DRIVERS: Mapping[str, str] = {
    "dry-run": "pipework_drivers.dry_run.driver",
    "replay": "pipework_drivers.replay.driver",
    "record": "pipework_drivers.replay.driver",
}
HOST_ACCESS: Mapping[str, str] = {"switch": "pipework_backends.host_access.switch"}
DHCP_CLIENTS: Mapping[str, str] = {"kept": "pipework_backends.addressing.dhcp_clients"}
#: What `pipework doctor` looks for, in the order in which findings of one severity are told.
CHECKS: Mapping[str, str] = {
    "tools": "pipework_backends.checks.tools",
    "engines": "pipework_backends.checks.engines",
    "modules": "pipework_backends.checks.modules",
    "firewall": "pipework_backends.checks.firewall",
    "mac-filter": "pipework_backends.checks.mac_filter",
    "parents": "pipework_backends.checks.parents",
    "spanning-tree": "pipework_backends.checks.spanning_tree",
    "mtu": "pipework_backends.checks.mtu",
    "ipv6": "pipework_backends.checks.ipv6",
    "rp-filter": "pipework_backends.checks.rp_filter",
    "ovs": "pipework_backends.checks.ovs",
    "ovn": "pipework_backends.checks.ovn",
    "leases": "pipework_backends.checks.leases",
    "leftovers": "pipework_backends.checks.leftovers",
    "addresses": "pipework_backends.checks.addresses",
    "taken-addresses": "pipework_backends.checks.addresses",
    "dhcp-servers": "pipework_backends.checks.dhcp_servers",
}

GROUP_BACKENDS = "pipework.backends"
GROUP_GUESTS = "pipework.guests"
GROUP_ADDRESSING = "pipework.addressing"
GROUP_DRIVERS = "pipework.drivers"
GROUP_HOST_ACCESS = "pipework.host_access"
GROUP_DHCP_CLIENTS = "pipework.dhcp_clients"
GROUP_CHECKS = "pipework.checks"
GROUP_OBSERVERS = "pipework.observers"

#: Group to the hook that registers its objects, and to the attribute with the name of one.
GROUPS: Mapping[str, tuple[str, str]] = {
    GROUP_BACKENDS: ("pipework_backends", "kind"),
    GROUP_GUESTS: ("pipework_guest_resolvers", "runtime"),
    GROUP_ADDRESSING: ("pipework_addressing", "method"),
    GROUP_DRIVERS: ("pipework_drivers", "name"),
    GROUP_HOST_ACCESS: ("pipework_host_access", "name"),
    GROUP_DHCP_CLIENTS: ("pipework_dhcp_clients", "name"),
    GROUP_CHECKS: ("pipework_checks", "name"),
}
#: What users name and `pipework plugins` lists.
LISTED: Mapping[str, Mapping[str, str]] = {
    GROUP_BACKENDS: BACKENDS,
    GROUP_GUESTS: GUESTS,
    GROUP_ADDRESSING: ADDRESSING,
    GROUP_DRIVERS: DRIVERS,
    GROUP_CHECKS: CHECKS,
}
TABLES: Mapping[str, Mapping[str, str]] = {
    **LISTED,
    GROUP_DRIVERS: {**DRIVERS, **OPTION_DRIVERS},
    GROUP_HOST_ACCESS: HOST_ACCESS,
    GROUP_DHCP_CLIENTS: DHCP_CLIENTS,
}


def find_entry_point(group: str, name: str) -> EntryPoint | None:
    """Return the entry point of the built-in with that name."""
    module = TABLES[group].get(name)
    return EntryPoint(group, name, module, "") if module else None


def guess_interface(kind: str, host: str) -> str:
    """Return what the guest's interface is called when only the host can tell which kind a bare name means."""
    return INTERFACES.get(kind or ("ipoib" if host.startswith(_INFINIBAND) else ""), "eth1")
