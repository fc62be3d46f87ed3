"""All that authors of plugins import: every public name, from one place. The kit for tests is `pipework_core.testing`.

A name stays what it is while `CONTRACT` does; everything else is private. Each is imported when it is first used (PEP
562), so that a plugin which needs three names does not import forty modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipework_core import CONTRACT
    from pipework_core.model.attachment import Address, Attachment, Dhcp, Gateway, address_words
    from pipework_core.model.context import Candidate, Claims, Context, Guest, Replacement, RunningGuest, SharedResource
    from pipework_core.model.driver import (
        TIMED_OUT,
        BaseDriver,
        Driver,
        DriverKind,
        Lock,
        NullLock,
        PinnedNetns,
        RunDriver,
        has_succeeded,
    )
    from pipework_core.model.errors import (
        CommandError,
        ConflictError,
        GuestError,
        HostError,
        Interrupted,
        NoNamespaceError,
        PipeworkError,
        PluginError,
        ReplayError,
        RuntimeDownError,
        UndoError,
        UsageError,
    )
    from pipework_core.model.lease import Lease, find_leases
    from pipework_core.model.link import GuestState, HostState, Link, Route
    from pipework_core.model.names import escape_text, interface_name, mac_address, stable_mac
    from pipework_core.model.ownership import PENDING_GROUP, Tag, is_pending, read_tag
    from pipework_core.model.plan import HOST, OK, Command, Netns, Outcome, Plan, Report
    from pipework_core.model.snapshot import Client, Namespace, Snapshot, SwitchPort
    from pipework_core.plugins.api import Addressing, GuestResolver, LinkBackend
    from pipework_core.plugins.hookspecs import Specs, hookimpl
    from pipework_core.spec.grammar import MTU_MAX, MTU_MIN
    from pipework_core.state.facts import parse_json
    from pipework_core.toolkit.firewall import FIREWALL_QUERIES, firewall_warnings
    from pipework_core.toolkit.garbage import pairs, serves_nobody
    from pipework_core.toolkit.iproute import (
        Switch,
        broadcast,
        chosen_mtu,
        delete_in_guest,
        in_guest,
        ip,
        parent_link,
        switch,
        switched_on,
        unfinished,
    )
    from pipework_core.toolkit.replace import (
        earlier_defaults,
        given_back,
        rename_aside,
        restore,
        restore_route,
        without,
    )
    from pipework_core.toolkit.shared import change_words, has_use, lower_again, made_by_us, raise_shared
    from pipework_core.toolkit.veth import make_veth, own_veth, veth_name, veth_peer

#: Module to the names that it has.
_PLACES = {
    "pipework_core": "CONTRACT",
    "pipework_core.model.attachment": "Address Attachment Dhcp Gateway address_words",
    "pipework_core.model.context": "Candidate Claims Context Guest Replacement RunningGuest SharedResource",
    "pipework_core.model.driver": "BaseDriver Driver DriverKind Lock NullLock PinnedNetns RunDriver TIMED_OUT has_succeeded",
    "pipework_core.model.errors": "CommandError ConflictError GuestError HostError Interrupted NoNamespaceError PipeworkError PluginError ReplayError RuntimeDownError UndoError UsageError",
    "pipework_core.model.lease": "Lease find_leases",
    "pipework_core.model.link": "GuestState HostState Link Route",
    "pipework_core.model.names": "escape_text interface_name mac_address stable_mac",
    "pipework_core.model.ownership": "PENDING_GROUP Tag is_pending read_tag",
    "pipework_core.model.plan": "Command HOST Netns OK Outcome Plan Report",
    "pipework_core.model.snapshot": "Client Namespace Snapshot SwitchPort",
    "pipework_core.plugins.api": "Addressing GuestResolver LinkBackend",
    "pipework_core.plugins.hookspecs": "Specs hookimpl",
    "pipework_core.spec.grammar": "MTU_MAX MTU_MIN",
    "pipework_core.state.facts": "parse_json",
    "pipework_core.toolkit.firewall": "FIREWALL_QUERIES firewall_warnings",
    "pipework_core.toolkit.garbage": "pairs serves_nobody",
    "pipework_core.toolkit.iproute": "Switch broadcast chosen_mtu delete_in_guest in_guest ip parent_link switch switched_on unfinished",
    "pipework_core.toolkit.replace": "earlier_defaults given_back rename_aside restore restore_route without",
    "pipework_core.toolkit.shared": "change_words has_use lower_again made_by_us raise_shared",
    "pipework_core.toolkit.veth": "make_veth own_veth veth_name veth_peer",
}
# fmt: off
__all__ = [
    "CONTRACT", "FIREWALL_QUERIES", "HOST", "MTU_MAX", "MTU_MIN", "OK", "PENDING_GROUP", "TIMED_OUT", "Address",
    "Addressing", "Attachment", "BaseDriver", "Candidate", "Claims", "Client", "Command", "CommandError",
    "ConflictError", "Context", "Dhcp", "Driver", "DriverKind", "Gateway", "Guest", "GuestError",
    "GuestResolver", "GuestState", "HostError", "HostState", "Interrupted", "Lease", "Link", "LinkBackend",
    "Lock", "Namespace", "Netns", "NoNamespaceError", "NullLock", "Outcome", "PinnedNetns", "PipeworkError",
    "Plan", "PluginError", "Replacement", "ReplayError", "Report", "Route", "RunDriver", "RunningGuest",
    "RuntimeDownError", "SharedResource", "Snapshot", "Specs", "Switch", "SwitchPort", "Tag", "UndoError",
    "UsageError", "address_words", "broadcast", "change_words", "chosen_mtu", "delete_in_guest",
    "earlier_defaults", "escape_text", "find_leases", "firewall_warnings", "given_back", "has_succeeded",
    "has_use", "hookimpl", "in_guest", "interface_name", "ip", "is_pending", "lower_again", "mac_address",
    "made_by_us", "make_veth", "own_veth", "pairs", "parent_link", "parse_json", "raise_shared", "read_tag",
    "rename_aside", "restore", "restore_route", "serves_nobody", "stable_mac", "switch", "switched_on",
    "unfinished", "veth_name", "veth_peer", "without",
]
# fmt: on


def __getattr__(name: str) -> object:
    for module, names in _PLACES.items():
        if name in names.split():
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
