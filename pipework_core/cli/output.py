"""What `ls` prints: a table for people, data for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.engine.attachments import THIS_HOST, who
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_core.engine.attachments import AttachmentStatus

_HEAD = ("GUEST", "INTERFACE", "KIND", "ON", "ADDRESSES", "MAC", "VLAN", "MTU", "STATE", "DHCP")


def table(entries: Iterable[AttachmentStatus]) -> str:
    """Return the table, nothing of it cut off; `-` stands for what is not there."""
    rows = [_HEAD, *(tuple(escape_text(cell) or "-" for cell in _cells(entry)) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _cells(entry: AttachmentStatus) -> tuple[str, ...]:
    return (
        who(entry),
        entry.interface or entry.host_end,
        entry.kind,
        entry.parent,
        ",".join(entry.addresses),
        entry.mac,
        entry.vlan,
        str(entry.mtu or ""),
        entry.state + (" (adopted)" if entry.adopted else ""),
        entry.dhcp + (" (dead)" if entry.alive is False else ""),
    )


def as_json(entry: AttachmentStatus) -> dict[str, Any]:
    """Return an attachment as plain data; null stands for what is not there.

    Keys: `guest` (`name`, `runtime`, `id`, `pid`, `netns`, `inode`; of one that is gone only the name; the runtime
    `host` stands for the host's own part in a network, which has no more than that and a name), `interface`,
    `host_interface`, `kind`, `on`, `addresses`, `mac`, `vlan`, `mtu`, `state` (up, down, unfinished, orphan),
    `adopted`, `dhcp` (`client`, `family`, `kept`, `alive`).
    """
    return {
        "guest": _guest(entry),
        "interface": entry.interface or None,
        "host_interface": entry.host_end or None,
        "kind": entry.kind,
        "on": entry.parent or None,
        "addresses": list(entry.addresses),
        "mac": entry.mac or None,
        "vlan": entry.vlan or None,
        "mtu": entry.mtu or None,
        "state": entry.state,
        "adopted": entry.adopted,
        "dhcp": _dhcp(entry),
    }


def _guest(entry: AttachmentStatus) -> dict[str, Any] | None:
    if entry.guest is None and not entry.former_guest:
        return None
    guest = entry.guest
    return {
        "name": guest.name if guest else entry.former_guest,
        "runtime": guest.runtime if guest else None,
        "id": (guest.id or None) if guest else None,
        "pid": (guest.pid or None) if guest else None,
        "netns": guest.netns.path if guest and guest is not THIS_HOST else None,
        "inode": (guest.inode or None) if guest else None,
    }


def _dhcp(entry: AttachmentStatus) -> dict[str, Any] | None:
    if not entry.dhcp:
        return None
    client = entry.dhcp.removesuffix("-f")
    return {
        "client": client.removesuffix("6"),
        "family": 6 if client.endswith("6") else 4,
        "kept": entry.dhcp.endswith("-f"),
        "alive": entry.alive,
    }
