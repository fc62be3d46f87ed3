"""What can be done with a whole topology: apply it, compare it with the host, withdraw it. Reports come back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import Interrupted
from pipework_core.model.records import Record
from pipework_core.topology.expand import expand_topology
from pipework_core.topology.host_access import HostEntries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.job import Job
    from pipework_core.topology.model import Link, Topology


class TopologyReport(Record):
    """What came of a topology: one job for each link, and the host's own entries.

    `unlisted` is what pipework attached and the file does not name, with the job that detached it (None: it was not
    to be detached). `differences` are sentences, of a comparison alone. `interrupted` says that a signal came.
    """

    links: tuple[Link, ...]
    jobs: tuple[Job, ...]
    host: HostEntries
    unlisted: tuple[tuple[AttachmentStatus, Job | None], ...] = ()
    differences: tuple[str, ...] = ()
    interrupted: bool = False


def apply_topology(  # noqa: PLR0913 - the ways to apply it
    topology: Topology,
    engine: Engine,
    *,
    warn: Callable[[str], None],
    atomic: bool = False,
    prune: bool = False,
    keep: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TopologyReport:
    """Attach what is missing, each link all or nothing; with `atomic` all of the file or nothing.

    `prune` detaches what pipework attached and the file does not name, if nothing failed; `keep` is as for
    `Engine.detach`. `progress` is told how many of how many links hold. Raises Interrupted with `atomic` alone: all is
    undone then.
    """
    links = _resolve_links(topology, engine, warn)
    host = HostEntries(topology.hosts, engine)
    try:
        host.grant_all()
        links = () if atomic and host.failed else links
        wanted = [link.attachment for link in links]
        jobs = engine.attach_all(wanted, atomic=atomic, before=host.steps, progress=progress)
    except Interrupted:
        if atomic:
            host.take_back()
        raise
    whole, failed = all(job.whole for job in jobs), any(job.error for job in jobs) or host.failed
    if atomic and (host.failed or not whole):
        host.take_back()
    if atomic and not whole and not failed:
        raise Interrupted
    found = _list_unlisted(jobs, engine, warn) if prune or _may_have_more(jobs, engine) else []
    removed: list[Job | None] = [None] * len(found)
    if prune and not failed and whole:
        removed[:] = _detach_statuses(found, engine, keep=keep)
    return TopologyReport(
        links=links,
        jobs=tuple(jobs),
        host=host,
        unlisted=tuple(zip(found, removed, strict=True)),
        interrupted=not failed and not whole,
    )


def compare_topology(topology: Topology, engine: Engine, *, warn: Callable[[str], None]) -> TopologyReport:
    """Return what differs from the file, one sentence each. Nothing is changed."""
    links = _resolve_links(topology, engine, warn)
    jobs = engine.compare([link.attachment for link in links])
    host = HostEntries(topology.hosts, engine)
    found = _list_unlisted(jobs, engine, warn)
    lines = host.list_differences()
    lines += [line for job in jobs for line in _list_differences(job)]
    lines += [f"{name_status(status)}: is attached, and not in the file" for status in found]
    unlisted = tuple((status, None) for status in found)
    return TopologyReport(links, tuple(jobs), host, unlisted, differences=tuple(lines))


def withdraw_topology(
    topology: Topology, engine: Engine, *, warn: Callable[[str], None], keep: bool = False
) -> TopologyReport:
    """Detach what the file names, the last first, then let the host take part no longer.

    A job without a plan was not attached; one without a guest has the error of a guest that is not there. `keep` leaves
    the bridges and VLANs that nobody uses any more.
    """
    links = _resolve_links(topology, engine, warn)
    wanted = [link.attachment._replace(interface=link.interface) for link in links]
    jobs = engine.detach_all(wanted, keep=keep)
    host = HostEntries(topology.hosts, engine)
    host.revoke_all(keep=keep)
    return TopologyReport(links, tuple(jobs), host)


def name_status(status: AttachmentStatus) -> str:
    """Return guest and interface of an attachment, as messages name it."""
    return f"{_name_guest(status) or 'nobody'} {status.interface}"


def name_job(job: Job) -> str:
    """Return guest and interface of a link, as messages name it."""
    asked = job.context.attachment if job.context else job.attachment
    return f"{asked.guest} {asked.interface or 'eth1'}"


def _name_guest(status: AttachmentStatus) -> str:
    return f"{status.guest.runtime}:{status.guest.name}" if status.guest else ""


def _resolve_links(topology: Topology, engine: Engine, warn: Callable[[str], None]) -> tuple[Link, ...]:
    """Return the links of the file, each with the guest that it means."""
    directory = engine.open_directory(warn)
    patterns = {link.attachment.guest for link in topology.links if link.is_pattern}
    links = expand_topology(topology, directory.everybody(patterns) if patterns else ())
    explicit = directory.explicit({link.attachment.guest for link in links})
    return tuple(
        link._replace(attachment=link.attachment._replace(guest=explicit.get(name, name)))
        for link in links
        for name in (link.attachment.guest,)
    )


def _may_have_more(jobs: Sequence[Job], engine: Engine) -> bool:
    """Whether the host's ends of veth pairs tell of attachments that are none of these.

    A look into all namespaces would take as long as attaching did. Other kinds of links show in `compare_topology`.
    """
    named = Counter(job.inode for job in jobs if engine.has_host_end(job))
    return any(count > named[inode] for inode, count in engine.count_host_ends(jobs).items())


def _list_unlisted(jobs: Sequence[Job], engine: Engine, warn: Callable[[str], None]) -> list[AttachmentStatus]:
    """Return what pipework attached to guests of this host and the file does not name.

    A guest that is a mere process may be another host's guest, inside this one, and no file could name it.
    """
    named = {(job.inode, (job.context.attachment if job.context else job.attachment).interface) for job in jobs}
    found = engine.list_attachments()
    for text in found.warnings:
        warn(text)
    return [
        status
        for status in found.attachments
        if status.guest is not None
        and status.guest.runtime not in {"pid", "mount"}
        and not status.adopted
        and (status.inode, status.interface) not in named
    ]


def _detach_statuses(found: Sequence[AttachmentStatus], engine: Engine, *, keep: bool) -> list[Job]:
    wanted = [Attachment(guest=_name_guest(status), host="", interface=status.interface) for status in found]
    return engine.detach_all(wanted[::-1], keep=keep)[::-1]


def _list_differences(job: Job) -> list[str]:
    if job.error is not None:
        return [f"{name_job(job)}: {job.error}"]
    steps = job.plan.all_steps if job.plan else ()
    if steps and job.context is not None and job.context.attachment.interface not in job.context.guest_state.links:
        return [f"{name_job(job)}: is missing"]
    return [f"{name_job(job)}: {step.reason or step}" for step in steps]
