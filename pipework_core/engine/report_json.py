"""Plans and reports as plain data, for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core.model.attachment import address_words

if TYPE_CHECKING:
    from pipework_core.model.attachment import Attachment, HostAccess
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.plan import Command, Report


def attachment(context: Context, report: Report, *, dry_run: bool = False) -> dict[str, Any]:
    """Return what an attachment, or the end of one, came to.

    Keys: `attachment`, `guest`, `dry_run`, `leases`, and those of `_of_report`.
    """
    asked = context.attachment
    return {
        "attachment": {
            **_of_request(asked),
            "mac": asked.mac or None,
            "vlan": asked.vlan or None,
            "mtu": asked.mtu,
            "options": dict(asked.options),
        },
        "guest": _guest(context.guest),
        "dry_run": dry_run,
        "leases": _leases(report),
        **_of_report(report),
    }


def host_access(part: HostAccess, context: Context, report: Report, *, dry_run: bool) -> dict[str, Any]:
    """Return what the host's part in a network came to.

    Keys: `host`, `removed`, `dry_run`, and those of `_of_report`.
    """
    return {
        "host": _of_request(context.attachment),
        "removed": part.remove,
        "dry_run": dry_run,
        **_of_report(report),
    }


def command(done: Command) -> dict[str, Any]:
    """Return one command; `netns` is null on the host."""
    return {
        "argv": list(done.argv),
        "netns": done.netns.path if done.netns else None,
        "stdin": done.stdin,
        "why": done.reason,
        "undo": [command(step) for step in done.undo],
    }


def _of_request(asked: Attachment) -> dict[str, Any]:
    return {
        "kind": asked.kind,
        "host": asked.host,
        "interface": asked.interface,
        "addresses": address_words(asked),
        "gateways": [str(gateway) for gateway in asked.gateways],
    }


def _of_report(report: Report) -> dict[str, Any]:
    """Return plan and outcome; `changed` is with `dry_run` what would be, `not_removed` what should have gone."""
    return {
        "changed": report.changed,
        "steps": [command(step) for step in report.plan.all_steps],
        "announce": [command(step) for step in report.plan.announce],
        "notes": list(report.plan.notes),
        "warnings": list(report.warnings),
        "stays": list(report.not_removed),
    }


def _leases(report: Report) -> list[dict[str, Any]]:
    if not any(step.timeout for step in report.plan.steps):
        return []
    from pipework_core.model import lease as leases  # noqa: PLC0415 - most addresses are static

    return [leases.as_json(lease) for lease in leases.find_leases(report.plan.steps, report.outcomes)]


def _guest(guest: Guest) -> dict[str, Any]:
    """Return a guest; `id` and `pid` are null for one that has none."""
    return {
        "name": guest.name,
        "runtime": guest.runtime,
        "id": guest.id or None,
        "pid": guest.pid or None,
        "netns": guest.netns.path,
        "inode": guest.inode,
    }
