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
    from pipework_core.model.finding import ERROR, INFO, WARNING, Examination, Finding
    from pipework_core.model.lease import Lease, find_leases
    from pipework_core.model.link import GuestState, HostState, Link, Route
    from pipework_core.model.names import escape_text, interface_name, mac_address, stable_mac
    from pipework_core.model.ownership import PENDING_GROUP, Tag, is_pending, read_tag
    from pipework_core.model.plan import HOST, OK, Command, Netns, Outcome, Plan, Report
    from pipework_core.model.snapshot import Client, Namespace, Snapshot, SwitchPort
    from pipework_core.plugins.api import Addressing, Check, GuestResolver, LinkBackend
    from pipework_core.plugins.hookspecs import Specs, hookimpl
    from pipework_core.spec.grammar import MTU_MAX, MTU_MIN
    from pipework_core.state.facts import parse_json
    from pipework_core.toolkit.firewall import FIREWALL_QUERIES, firewall_warnings
    from pipework_core.toolkit.garbage import find_unused_pairs, serves_nobody
    from pipework_core.toolkit.iproute import (
        Sysctl,
        broadcast_words,
        choose_mtu,
        delete_guest_link,
        find_parent,
        guest_link_words,
        ip,
        is_option_on,
        is_unfinished,
        set_sysctls,
    )
    from pipework_core.toolkit.replace import (
        find_earlier_defaults,
        remove_link,
        rename_aside,
        restore_defaults,
        restore_link,
        restore_route,
    )
    from pipework_core.toolkit.shared import change_words, is_made_by_us, is_used, lower_link, raise_link
    from pipework_core.toolkit.veth import choose_veth_name, find_veth_peer, make_veth, require_veth_peer, tag_veth

#: Module to the names that it has.
_PLACES = {
    "pipework_core": "CONTRACT",
    "pipework_core.model.attachment": "Address Attachment Dhcp Gateway address_words",
    "pipework_core.model.context": "Candidate Claims Context Guest Replacement RunningGuest SharedResource",
    "pipework_core.model.driver": (
        "BaseDriver Driver DriverKind Lock NullLock PinnedNetns RunDriver TIMED_OUT has_succeeded"
    ),
    "pipework_core.model.errors": (
        "CommandError ConflictError GuestError HostError Interrupted NoNamespaceError PipeworkError PluginError "
        "ReplayError RuntimeDownError UndoError UsageError"
    ),
    "pipework_core.model.finding": "ERROR Examination Finding INFO WARNING",
    "pipework_core.model.lease": "Lease find_leases",
    "pipework_core.model.link": "GuestState HostState Link Route",
    "pipework_core.model.names": "escape_text interface_name mac_address stable_mac",
    "pipework_core.model.ownership": "PENDING_GROUP Tag is_pending read_tag",
    "pipework_core.model.plan": "Command HOST Netns OK Outcome Plan Report",
    "pipework_core.model.snapshot": "Client Namespace Snapshot SwitchPort",
    "pipework_core.plugins.api": "Addressing Check GuestResolver LinkBackend",
    "pipework_core.plugins.hookspecs": "Specs hookimpl",
    "pipework_core.spec.grammar": "MTU_MAX MTU_MIN",
    "pipework_core.state.facts": "parse_json",
    "pipework_core.toolkit.firewall": "FIREWALL_QUERIES firewall_warnings",
    "pipework_core.toolkit.garbage": "find_unused_pairs serves_nobody",
    "pipework_core.toolkit.iproute": (
        "Sysctl broadcast_words choose_mtu delete_guest_link find_parent guest_link_words ip is_option_on "
        "is_unfinished set_sysctls"
    ),
    "pipework_core.toolkit.replace": (
        "find_earlier_defaults remove_link rename_aside restore_defaults restore_link restore_route"
    ),
    "pipework_core.toolkit.shared": "change_words is_made_by_us is_used lower_link raise_link",
    "pipework_core.toolkit.veth": "choose_veth_name find_veth_peer make_veth require_veth_peer tag_veth",
}
# fmt: off
__all__ = [
    "CONTRACT",
    "ERROR",
    "FIREWALL_QUERIES",
    "HOST",
    "INFO",
    "MTU_MAX",
    "MTU_MIN",
    "OK",
    "PENDING_GROUP",
    "TIMED_OUT",
    "WARNING",
    "Address",
    "Addressing",
    "Attachment",
    "BaseDriver",
    "Candidate",
    "Check",
    "Claims",
    "Client",
    "Command",
    "CommandError",
    "ConflictError",
    "Context",
    "Dhcp",
    "Driver",
    "DriverKind",
    "Examination",
    "Finding",
    "Gateway",
    "Guest",
    "GuestError",
    "GuestResolver",
    "GuestState",
    "HostError",
    "HostState",
    "Interrupted",
    "Lease",
    "Link",
    "LinkBackend",
    "Lock",
    "Namespace",
    "Netns",
    "NoNamespaceError",
    "NullLock",
    "Outcome",
    "PinnedNetns",
    "PipeworkError",
    "Plan",
    "PluginError",
    "Replacement",
    "ReplayError",
    "Report",
    "Route",
    "RunDriver",
    "RunningGuest",
    "RuntimeDownError",
    "SharedResource",
    "Snapshot",
    "Specs",
    "SwitchPort",
    "Sysctl",
    "Tag",
    "UndoError",
    "UsageError",
    "address_words",
    "broadcast_words",
    "change_words",
    "choose_mtu",
    "choose_veth_name",
    "delete_guest_link",
    "escape_text",
    "find_earlier_defaults",
    "find_leases",
    "find_parent",
    "find_unused_pairs",
    "find_veth_peer",
    "firewall_warnings",
    "guest_link_words",
    "has_succeeded",
    "hookimpl",
    "interface_name",
    "ip",
    "is_made_by_us",
    "is_option_on",
    "is_pending",
    "is_unfinished",
    "is_used",
    "lower_link",
    "mac_address",
    "make_veth",
    "parse_json",
    "raise_link",
    "read_tag",
    "remove_link",
    "rename_aside",
    "require_veth_peer",
    "restore_defaults",
    "restore_link",
    "restore_route",
    "serves_nobody",
    "set_sysctls",
    "stable_mac",
    "tag_veth",
]
# fmt: on


def __getattr__(name: str) -> object:
    for module, names in _PLACES.items():
        if name in names.split():
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
