"""The public names: all that other packages may use, which stays as it is while `CONTRACT` does. The rest is private.

A list and nothing else, so that it costs nobody anything: `tests/plugins/test_api.py` holds the code, the examples and
docs/plugins.md against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Module to names.
PUBLIC: Mapping[str, tuple[str, ...]] = {
    "pipework_core": (
        "CONTRACT",
        "__version__",
    ),
    "pipework_core.model.attachment": (
        "Address",
        "Attachment",
        "Dhcp",
        "Gateway",
        "address_words",
    ),
    "pipework_core.model.context": (
        "Candidate",
        "Claims",
        "Replacement",
        "Guest",
        "SharedResource",
        "RunningGuest",
        "Context",
    ),
    "pipework_core.model.driver": (
        "Driver",
        "DriverKind",
        "Lock",
        "NullLock",
        "PinnedNetns",
        "BaseDriver",
        "RunDriver",
        "TIMED_OUT",
        "succeeded",
    ),
    "pipework_core.model.errors": (
        "CommandError",
        "ConflictError",
        "GuestError",
        "HostError",
        "Interrupted",
        "NoNamespaceError",
        "PipeworkError",
        "PluginError",
        "ReplayError",
        "RuntimeDownError",
        "UndoError",
        "UsageError",
    ),
    "pipework_core.model.lease": (
        "Lease",
        "obtained",
    ),
    "pipework_core.model.link": (
        "GuestState",
        "HostState",
        "Link",
        "Route",
    ),
    "pipework_core.model.names": (
        "interface_name",
        "mac_address",
        "printable",
        "stable_mac",
    ),
    "pipework_core.model.ownership": (
        "PENDING_GROUP",
        "Tag",
        "is_pending",
        "read",
    ),
    "pipework_core.model.plan": (
        "Command",
        "HOST",
        "Netns",
        "OK",
        "Outcome",
        "Plan",
        "Report",
    ),
    "pipework_core.model.snapshot": (
        "Client",
        "Namespace",
        "Snapshot",
        "SwitchPort",
    ),
    "pipework_core.plugins.api": (
        "Addressing",
        "LinkBackend",
        "GuestResolver",
    ),
    "pipework_core.plugins.hookspecs": (
        "Specs",
        "hookimpl",
    ),
    "pipework_core.spec.grammar": (
        "MTU_MAX",
        "MTU_MIN",
    ),
    "pipework_core.state.facts": ("parse_json",),
    "pipework_core.testing": (
        "BackendContract",
        "Facts",
        "FakeDriver",
        "GoldenCase",
        "PrivateHost",
        "golden_cases",
        "make_attachment",
        "make_facts",
        "make_guest",
        "make_link",
        "make_route",
        "make_context",
        "recorded_run",
    ),
    "pipework_core.toolkit.firewall": (
        "READS",
        "warnings",
    ),
    "pipework_core.toolkit.garbage": (
        "pairs",
        "serves_nobody",
    ),
    "pipework_core.toolkit.iproute": (
        "Switch",
        "broadcast",
        "chosen_mtu",
        "delete_in_guest",
        "in_guest",
        "ip",
        "parent_link",
        "switch",
        "switched_on",
        "unfinished",
    ),
    "pipework_core.toolkit.replace": (
        "earlier_defaults",
        "given_back",
        "rename_aside",
        "restore_route",
        "restore",
        "without",
    ),
    "pipework_core.toolkit.shared": (
        "has_use",
        "lower_again",
        "made_by_us",
        "change_words",
        "raise_shared",
    ),
    "pipework_core.toolkit.veth": (
        "make_veth",
        "own_veth",
        "veth_name",
        "veth_peer",
    ),
}
