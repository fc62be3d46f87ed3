"""The VLANs of a Linux bridge's ports, as bridge(8) tells and sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.plan import Command
from pipework_core.state.answers import parser_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pipework_core.model.link import Link

    #: By VLAN, the words after `bridge vlan add dev PORT vid VLAN` that make it what it is.
    Vlans = Mapping[int, tuple[str, ...]]

QUERY = Command(argv=("bridge", "-json", "vlan", "show"), reason="read the VLANs of bridge ports")

#: What makes a VLAN that of an access port: its frames come and go untagged.
ACCESS = ("pvid", "untagged")
_FLAGS = {"PVID": "pvid", "Egress Untagged": "untagged"}


@parser_of("bridge")
def parse_vlans(text: str, port: str) -> Vlans:
    """Return the VLANs of a port from what `QUERY` printed."""
    import json  # noqa: PLC0415 - only where VLANs are asked for

    rows = [row for entry in json.loads(text or "[]") if entry["ifname"] == port for row in entry.get("vlans", ())]
    return {
        vid: tuple(word for flag, word in _FLAGS.items() if flag in row.get("flags", ()))
        for row in rows
        for vid in range(row["vlan"], row.get("vlanEnd", row["vlan"]) + 1)
    }


def list_default_vlans(bridge: Link | None) -> Vlans:
    """Return the VLANs that the kernel gives each new port of a bridge (None: of a new bridge)."""
    default = int(bridge.data.get("vlan_default_pvid", 1)) if bridge else 1
    return {default: ACCESS} if default else {}


def make_access_port(
    port: str, vid: int, have: Vlans, *, undo: bool, leave: Collection[int] = frozenset()
) -> list[Command]:
    """Return what makes a port, now in the VLANs `have`, an access port of the VLAN: that one untagged, and no other.

    `undo` is for a port that the same plan does not make. Those of `leave` stay.
    """
    steps = []
    if have.get(vid) != ACCESS:
        # The new one takes the PVID away from the VLAN that has it.
        pvid = [other for other in have if other != vid and "pvid" in have[other]]
        before = [_add_vlan(port, vid, have[vid]) if vid in have else _delete_vlan(port, vid)]
        before += [_add_vlan(port, other, have[other]) for other in pvid]
        steps.append(_add_vlan(port, vid, ACCESS, undo=before if undo else (), reason=f"put {port} into VLAN {vid}"))
    for other in sorted(set(have) - {vid} - set(leave)):
        before = [_add_vlan(port, other, have[other])]
        steps.append(_delete_vlan(port, other, undo=before if undo else (), reason=f"take {port} out of VLAN {other}"))
    return steps


def restore_vlans(port: str, vlans: Vlans, now: Vlans) -> list[Command]:
    """Return what gives a port that is in the VLANs `now` those that it had."""
    added = [_add_vlan(port, vid, vlans[vid]) for vid in sorted(vlans, key=lambda vid: "pvid" in vlans[vid])]
    return added + [_delete_vlan(port, vid) for vid in sorted(set(now) - set(vlans))]


def _add_vlan(port: str, vid: int, words: Iterable[str], undo: Iterable[Command] = (), reason: str = "") -> Command:
    argv = ("bridge", "vlan", "add", "dev", port, "vid", str(vid), *words)
    return Command(argv=argv, undo=tuple(undo), reason=reason)


def _delete_vlan(port: str, vid: int, undo: Iterable[Command] = (), reason: str = "") -> Command:
    return Command(argv=("bridge", "vlan", "delete", "dev", port, "vid", str(vid)), undo=tuple(undo), reason=reason)
