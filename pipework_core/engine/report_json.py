"""Reports as plain data, for `--json` and whoever else passes them on. The only module that makes JSON of them.

Users parse the keys and values: they stay as they are, whatever our fields are called. What is not there is
null. `report_schema.json` says which keys there are; docs/json.md has the rule for changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipework_core import CONTRACT
from pipework_core.model.attachment import address_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.gc import Collected
    from pipework_core.engine.job import Job
    from pipework_core.model.attachment import Attachment, HostAccess
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.errors import PipeworkError
    from pipework_core.model.event import Event as WatchEvent
    from pipework_core.model.finding import Finding
    from pipework_core.model.graph import Graph, GraphLink
    from pipework_core.model.lease import Lease
    from pipework_core.model.plan import Command, Outcome, Plan, Report
    from pipework_core.plugins.packages import Package


#: The version of all documents. Another number says that what was right for this one may be wrong.
VERSION = 1


def make_document(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is printed, or sent, as one document: the data with the version."""
    return {"version": VERSION, **data}


def encode_failure(message: str, hint: str, notes: Sequence[str], code: int) -> dict[str, Any]:
    """Return why there is nothing else to return; `code` is the exit code."""
    return {"error": message, "hint": hint, "notes": list(notes), "exit": code}


def encode_attachment(context: Context, report: Report, *, dry_run: bool = False) -> dict[str, Any]:
    """Return what came of attaching a guest, or of detaching it.

    Keys: `attachment`, `guest`, `dry_run`, `leases`, and those of `_encode_report`.
    """
    request = context.attachment
    return {
        "attachment": {
            **_encode_request(request),
            "mac": request.mac or None,
            "vlan": request.vlan or None,
            "mtu": request.mtu,
            "options": dict(request.options),
        },
        "guest": _encode_guest(context.guest),
        "dry_run": dry_run,
        "leases": _encode_leases(report.plan, report.outcomes),
        **_encode_report(report),
    }


def encode_detached(jobs: Sequence[Job], notes: Iterable[str], *, dry_run: bool = False) -> dict[str, Any]:
    """Return what came of detaching interfaces of a guest: a report of each that went, the error of each that stays."""
    done = [(job.context, job.report()) for job in jobs if job.error is None and job.context is not None]
    return {
        "detached": [encode_attachment(context, report, dry_run=dry_run) for context, report in done],
        "failed": {job.attachment.interface: str(job.error) for job in jobs if job.error is not None},
        "notes": list(notes),
    }


def encode_host_access(part: HostAccess, context: Context, report: Report, *, dry_run: bool) -> dict[str, Any]:
    """Return what came of the host's part in a network.

    Keys: `host`, `removed`, `dry_run`, and those of `_encode_report`.
    """
    return {
        "host": _encode_request(context.attachment),
        "removed": part.remove,
        "dry_run": dry_run,
        **_encode_report(report),
    }


def encode_event(told: WatchEvent) -> dict[str, Any]:
    """Return what a watcher tells: `event`, `text`, `guest`, `interface`, `seconds` and `hint`."""
    return {
        "event": told.kind,
        "guest": told.guest or None,
        "interface": told.interface or None,
        "text": told.text,
        "seconds": round(told.seconds, 4) or None,
        "hint": told.hint or None,
    }


def encode_command(command: Command) -> dict[str, Any]:
    """Return one command; `netns` is null on the host."""
    return {
        "argv": list(command.argv),
        "netns": command.netns.path if command.netns else None,
        "stdin": command.stdin,
        "why": command.reason,
        "undo": [encode_command(step) for step in command.undo],
    }


def encode_lease(lease: Lease) -> dict[str, Any]:
    """Return an address that the network gave; `seconds` is null for one that is valid for ever."""
    return {
        "address": lease.address,
        "server": lease.server or None,
        "router": lease.router or None,
        "seconds": lease.seconds or None,
        "dns": list(lease.dns),
        "domain": lease.domain or None,
        "routes": list(lease.routes),
    }


def encode_list(found: Iterable[AttachmentStatus], warnings: Iterable[str]) -> dict[str, Any]:
    """Return the attachments that `ls` found."""
    return {"attachments": [encode_status(entry) for entry in found], "warnings": list(warnings), "machines": []}


def encode_status(entry: AttachmentStatus) -> dict[str, Any]:
    """Return an attachment as `ls` found it.

    `machine` is null where only one host is meant. `guest` has `name`, `runtime`, `id`, `pid`, `netns` and `inode`; of
    one that is gone only the name. The runtime `host` stands for the host's own part in a network, which has no more
    than that and a name. `dhcp` has `client`, `family`, `kept` and `alive`.
    """
    return {
        "machine": entry.machine or None,
        "guest": _encode_owner(entry),
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
        "dhcp": _encode_dhcp(entry),
    }


def encode_graph(graph: Graph) -> dict[str, Any]:
    """Return the picture of a host, its nodes in the order in which they are drawn; docs/graph.md has the keys."""
    return {
        "version": 1,
        "nodes": [
            {**node._asdict(), "addresses": list(node.addresses), "detail": dict(node.detail)} for node in graph.nodes
        ],
        "links": [_encode_graph_link(link) for link in graph.links],
        "warnings": list(graph.warnings),
    }


def _encode_graph_link(link: GraphLink) -> dict[str, Any]:
    return {
        "id": link.id,
        "from": link.start,
        "to": link.end,
        "interface": link.interface or None,
        "kind": link.kind,
        "addresses": list(link.addresses),
        "mac": link.mac or None,
        "vlan": link.vlan or None,
        "state": link.state,
        "words": link.words,
        "detail": dict(link.detail),
    }


def encode_guest_names(names: Iterable[str], warnings: Iterable[str]) -> dict[str, Any]:
    """Return guests, given as `runtime:name`, and what could not be found out."""
    pairs = (name.partition(":") for name in names)
    return {
        "guests": [{"runtime": runtime, "name": name} for runtime, _, name in pairs],
        "warnings": list(warnings),
    }


def encode_collected(done: Collected, notes: Iterable[str], *, dry_run: bool) -> dict[str, Any]:
    """Return what `gc` took away, and what it could not take away."""
    return {
        "dry_run": dry_run,
        "removed": [encode_command(command) for command in done.gone],
        "failed": [{**encode_command(command), "error": message} for command, message in done.failed],
        "notes": list(notes),
        "warnings": list(done.plan.warnings),
    }


def encode_job(job: Job, machine: str = "") -> dict[str, Any]:
    """Return what came of one link of a topology."""
    plan = job.plan
    return {
        **_name_link(job, machine),
        "whole": job.whole,
        "changed": job.whole and bool(job.outcomes),
        "error": str(job.error) if job.error else None,
        "hint": job.error.hint if job.error else None,
        "warnings": list(job.report().warnings) if job.whole else [],
        "leases": _encode_leases(plan, job.outcomes) if plan else [],
        "steps": [str(step) for step in plan.all_steps] if plan else [],
    }


def encode_host_entry(
    host: str, report: Report | None, error: PipeworkError | None, *, changed: bool, machine: str = ""
) -> dict[str, Any]:
    """Return what came of one entry about the host itself in a topology; there is no report of one that failed."""
    return {
        "machine": machine or None,
        "host": host,
        "changed": changed,
        "error": str(error) if error else None,
        "hint": error.hint if error else None,
        "steps": [str(step) for step in report.plan.all_steps] if report else [],
    }


def encode_topology(
    hosts: Iterable[dict[str, Any]],
    jobs: Iterable[Job],
    unlisted: Iterable[tuple[AttachmentStatus, Job | None]],
    machine: str = "",
) -> dict[str, Any]:
    """Return what came of a topology: its host entries, its links, and what is attached and not in the file."""
    return {
        "host": list(hosts),
        "links": [encode_job(job, machine) for job in jobs],
        "not_in_file": [
            {**encode_status(status._replace(machine=machine)), "pruned": _is_pruned(job)} for status, job in unlisted
        ],
        "machines": [],
    }


def encode_machine(name: str, error: PipeworkError | None, *, reached: bool) -> dict[str, Any]:
    """Return of a machine of a topology file whether it was reached; without an error, a signal came before that."""
    text, hint = (str(error), error.hint) if error else (None, None)
    return {"machine": name, "reached": reached, "error": text, "hint": hint}


def encode_withdrawal(  # noqa: PLR0913 - what there is to tell
    hosts: Iterable[dict[str, Any]],
    jobs: Iterable[Job],
    rest: Collected | None,
    *,
    warnings: Iterable[str],
    stays: Iterable[str],
    dry_run: bool,
    machine: str = "",
) -> dict[str, Any]:
    """Return what came of detaching all of a topology; `warnings` and `stays` are about the host itself."""
    return {
        "dry_run": dry_run,
        "host": list(hosts),
        "links": [_encode_withdrawn(job, machine) for job in jobs],
        "rest": encode_collected(rest, (), dry_run=dry_run) if rest else None,
        "warnings": list(warnings),
        "stays": list(stays),
        "machines": [],
    }


def _encode_withdrawn(job: Job, machine: str) -> dict[str, Any]:
    report = job.report() if job.plan is not None and job.error is None else None
    return {
        **_name_link(job, machine),
        "detached": report is not None,
        "gone": job.is_guest_gone,
        "error": str(job.error) if job.error else None,
        "hint": job.error.hint if job.error else None,
        "warnings": list(report.warnings) if report else [],
        "stays": list(report.not_removed) if report else [],
        "steps": [str(step) for step in report.plan.all_steps] if report else [],
    }


def _name_link(job: Job, machine: str) -> dict[str, Any]:
    asked = job.context.attachment if job.context else job.attachment
    return {"machine": machine or None, "guest": job.attachment.guest, "interface": asked.interface or None}


def encode_comparison(jobs: Iterable[Job], differences: Iterable[str], machine: str = "") -> dict[str, Any]:
    """Return what differs from a topology file."""
    return {"links": [encode_job(job, machine) for job in jobs], "differences": list(differences), "machines": []}


def _is_pruned(job: Job | None) -> bool:
    """Whether an attachment was detached, and nothing of it stays."""
    return job is not None and job.error is None and not (job.plan is not None and job.report().not_removed)


def encode_findings(findings: Iterable[Finding], guest: str, *, probed: bool) -> dict[str, Any]:
    """Return what `doctor` found, the worst first.

    Keys of a finding: `check`, `severity` (error, warning, info), `what`, `why`, `mend` (command lines), `advice`.
    """
    return {
        "guest": guest or None,
        "probed": probed,
        "findings": [
            {
                "check": finding.check,
                "severity": finding.severity,
                "what": finding.what,
                "why": finding.why,
                "mend": list(finding.mend),
                "advice": finding.advice or None,
            }
            for finding in findings
        ],
    }


def encode_packages(packages: Iterable[Package]) -> dict[str, Any]:
    """Return the installed packages with plugins; `contract` is null for one that names none that is a number."""
    return {
        "contract": CONTRACT,
        "plugins": [
            {**package._asdict(), "contract": package.contract if isinstance(package.contract, int) else None}
            for package in packages
        ],
    }


def _encode_request(request: Attachment) -> dict[str, Any]:
    return {
        "kind": request.kind,
        "host": request.host,
        "interface": request.interface,
        "addresses": address_words(request),
        "gateways": [str(gateway) for gateway in request.gateways],
    }


def _encode_report(report: Report) -> dict[str, Any]:
    """Return plan and outcome; `changed` is with `dry_run` what would be, `stays` what should have gone."""
    return {
        "changed": report.changed,
        "steps": [encode_command(step) for step in report.plan.all_steps],
        "announce": [encode_command(step) for step in report.plan.announce],
        "notes": list(report.plan.notes),
        "warnings": list(report.warnings),
        "stays": list(report.not_removed),
    }


def _encode_leases(plan: Plan, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    if not any(step.timeout for step in plan.steps):
        return []
    from pipework_core.model.lease import find_leases  # noqa: PLC0415 - most addresses are static

    return [encode_lease(lease) for lease in find_leases(plan.steps, tuple(outcomes))]


def _encode_guest(guest: Guest) -> dict[str, Any]:
    return {
        "name": guest.name,
        "runtime": guest.runtime,
        "id": guest.id or None,
        "pid": guest.pid or None,
        "netns": guest.netns.path,
        "inode": guest.inode,
    }


def _encode_owner(entry: AttachmentStatus) -> dict[str, Any] | None:
    """Return the guest of a listed attachment: of one that is gone its name alone, null when that is not known."""
    from pipework_core.engine.attachments import THIS_HOST  # noqa: PLC0415 - an attachment does not need it

    guest = entry.guest
    if guest is None:
        unknown = dict.fromkeys(("runtime", "id", "pid", "netns", "inode"))
        return {"name": entry.former_guest, **unknown} if entry.former_guest else None
    netns = None if guest is THIS_HOST else guest.netns.path
    return {**_encode_guest(guest), "netns": netns, "inode": guest.inode or None}


def _encode_dhcp(entry: AttachmentStatus) -> dict[str, Any] | None:
    if not entry.dhcp:
        return None
    client = entry.dhcp.removesuffix("-f")
    return {
        "client": client.removesuffix("6"),
        "family": 6 if client.endswith("6") else 4,
        "kept": entry.dhcp.endswith("-f"),
        "alive": entry.alive,
    }
