"""What can be done with a whole topology: apply it, compare it with the host, withdraw it. Reports come back.

`warn` is told, one sentence each, of runtimes that do not say which guests they have. Nothing is printed here.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pipework_core.engine.agreement import ALONE
from pipework_core.engine.guests import NAMELESS
from pipework_core.engine.job import Job
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import Interrupted
from pipework_core.topology.conflicts import refuse_conflicts
from pipework_core.topology.expand import expand_topology
from pipework_core.topology.host_access import compare_entries, grant_entries, revoke_entries, undo_grants
from pipework_core.topology.report import TopologyReport, name_guest, name_job, name_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipework_core.engine.agreement import Agreement
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.guests import GuestDirectory
    from pipework_core.topology.model import HostEntry, Link, Topology


def apply_topology(  # noqa: PLR0913 - the ways to apply it
    topology: Topology,
    engine: Engine,
    *,
    warn: Callable[[str], None],
    replace: bool = False,
    atomic: bool = False,
    prune: bool = False,
    keep: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> TopologyReport:
    """Attach what is missing, each link all or nothing; with `atomic` all of the file or nothing.

    `replace` gives up what was attached for another request. `prune` detaches what pipework attached and the file does
    not name, provided that all links hold; `keep` is as for `Engine.detach`. `progress` is told how many
    of how many links hold.

    Raises UsageError for patterns and pools that make no sense with the guests of this host, and for links that
    contradict each other, with the place in the file. Raises Interrupted for a signal: with `atomic` all is undone
    then, otherwise each attachment is whole or not there.
    """
    links = resolve_links(topology, engine, warn)
    refuse_conflicts(links, topology.hosts)
    return apply_links(
        links,
        topology.hosts,
        engine,
        warn=warn,
        replace=replace,
        atomic=atomic,
        prune=prune,
        keep=keep,
        progress=progress,
    )


def apply_links(  # noqa: PLR0913 - the ways to apply them
    links: tuple[Link, ...],
    entries: Sequence[HostEntry],
    engine: Engine,
    *,
    warn: Callable[[str], None],
    replace: bool,
    atomic: bool,
    prune: bool,
    keep: bool,
    progress: Callable[[int, int], None] | None,
    agreement: Agreement = ALONE,
) -> TopologyReport:
    """Apply links that were resolved, and entries of one host; see `apply_topology`.

    With `atomic` and an `agreement`, all is undone as well when the others do not agree, which raises nothing.
    """
    host = grant_entries(entries, engine, undo_if_interrupted=atomic)
    if atomic and host.has_failed:
        return TopologyReport(links, tuple(Job(link.attachment) for link in links), undo_grants(host, engine))
    steps = [step for result in host.results if result.report for step in result.report.plan.all_steps]
    try:
        wanted = [link.attachment._replace(replace=replace or link.attachment.replace) for link in links]
        jobs = engine.attach_all(wanted, atomic=atomic, before=steps, progress=progress, agreement=agreement)
    except Interrupted:
        if atomic:
            undo_grants(host, engine)
        raise
    whole = all(job.whole for job in jobs)
    failed = host.has_failed or any(job.error for job in jobs)
    undone = atomic and (failed or not whole or not agreement.kept)
    if undone:
        host = undo_grants(host, engine)
    if undone and not failed and agreement is ALONE:
        raise Interrupted
    found = list_unlisted(links, jobs, engine, warn) if prune or _may_have_more(jobs, engine) else []
    removed: Sequence[Job | None] = [None] * len(found)
    if prune and whole and not failed and not undone:
        removed = detach_unlisted(found, engine, keep=keep)
    return TopologyReport(
        links=links,
        jobs=tuple(jobs),
        host=host,
        unlisted=tuple(zip(found, removed, strict=True)),
        interrupted=not failed and not whole and not undone,
    )


def serve_guest(topology: Topology, engine: Engine, guest: str, *, warn: Callable[[str], None]) -> list[Job]:
    """Attach what the file names for one guest, as `runtime:name`; return a job for each of its links.

    Raises UsageError as `apply_topology` does, and Interrupted.
    """
    links = resolve_links(topology, engine, warn)
    refuse_conflicts(links, topology.hosts)
    wanted = [link.attachment for link in links if link.attachment.guest in {guest, guest.partition(":")[2]}]
    return engine.attach_all(wanted) if wanted else []


def names_guest(topology: Topology, guest: str) -> bool:
    """Whether the file asks for something for a guest, `runtime:name`, by its name or by a pattern."""
    words = (guest, guest.partition(":")[2])
    return any(fnmatchcase(words[":" not in link.attachment.guest], link.attachment.guest) for link in topology.links)


def compare_topology(topology: Topology, engine: Engine, *, warn: Callable[[str], None]) -> TopologyReport:
    """Return what differs from the file, one sentence each. Nothing is changed.

    Raises UsageError as `apply_topology` does, and Interrupted.
    """
    links = resolve_links(topology, engine, warn)
    refuse_conflicts(links, topology.hosts)
    return compare_links(links, topology.hosts, engine, warn=warn)


def compare_links(
    links: tuple[Link, ...], entries: Sequence[HostEntry], engine: Engine, *, warn: Callable[[str], None]
) -> TopologyReport:
    """Compare links that were resolved, and entries, with one host; see `compare_topology`."""
    jobs = engine.compare([link.attachment for link in links])
    found = list_unlisted(links, jobs, engine, warn)
    lines = compare_entries(entries, engine)
    lines += [line for job in jobs for line in _list_differences(job)]
    lines += [f"{name_status(status)}: is attached, and not in the file" for status in found]
    unlisted = tuple((status, None) for status in found)
    return TopologyReport(links, tuple(jobs), unlisted=unlisted, differences=tuple(lines))


def withdraw_topology(
    topology: Topology, engine: Engine, *, warn: Callable[[str], None], keep: bool = False
) -> TopologyReport:
    """Detach what the file names, the last first, then take back the host's own access.

    A job without a plan was not attached. A job without a guest has the error that says so. `keep` leaves the bridges
    and VLANs that nobody uses any more. Raises UsageError as `apply_topology` does, and Interrupted: each attachment is
    then whole, or not there.
    """
    links = resolve_links(topology, engine, warn)
    return withdraw_links(links, topology.hosts, engine, keep=keep)


def withdraw_links(
    links: tuple[Link, ...], entries: Sequence[HostEntry], engine: Engine, *, keep: bool
) -> TopologyReport:
    """Withdraw links that were resolved, and entries of one host; see `withdraw_topology`."""
    wanted = [link.attachment._replace(interface=link.interface) for link in links]
    jobs = engine.detach_all(wanted, keep=keep)
    return TopologyReport(links, tuple(jobs), revoke_entries(entries, engine, keep=keep))


def resolve_links(topology: Topology, engine: Engine, warn: Callable[[str], None]) -> tuple[Link, ...]:
    """Return the links of the file, each with the guest that it means."""
    directory = engine.open_directory(warn)
    links = expand_topology(topology, list_guests(topology.links, directory))
    return name_guests(links, directory)


def list_guests(links: Iterable[Link], directory: GuestDirectory) -> Sequence[str]:
    """Return the guests of a host, as `runtime:name`, that patterns of these links may mean."""
    patterns = {link.attachment.guest for link in links if link.is_pattern}
    return directory.list_guests(patterns) if patterns else ()


def name_guests(links: tuple[Link, ...], directory: GuestDirectory) -> tuple[Link, ...]:
    """Return the links with their guests as `runtime:name`, where there are many and the host's runtimes tell."""
    explicit = directory.resolve_names({link.attachment.guest for link in links})
    return tuple(
        link._replace(attachment=link.attachment._replace(guest=explicit.get(name, name)))
        for link in links
        for name in (link.attachment.guest,)
    )


def _may_have_more(jobs: Sequence[Job], engine: Engine) -> bool:
    """Whether the host has more ends of veth pairs than these jobs account for.

    To look into all namespaces would take as long as attaching did. Other kinds of links show in `compare_topology`.
    """
    named = Counter(job.inode for job in jobs if engine.has_host_end(job))
    return any(count > named[inode] for inode, count in engine.count_host_ends(jobs).items())


def list_unlisted(
    links: Sequence[Link], jobs: Sequence[Job], engine: Engine, warn: Callable[[str], None]
) -> list[AttachmentStatus]:
    """Return what pipework attached to guests of this host and the file does not name.

    A guest without a name is left out: it may be a guest of another host that runs inside this one, and no file could
    name it.
    """
    # What was not planned has no interface yet but the one that the link is taken to mean.
    named = {
        (job.inode, (job.context.attachment if job.context else link).interface)
        for link, job in zip(links, jobs, strict=True)
    }
    found = engine.list_attachments()
    for text in found.warnings:
        warn(text)
    return [
        status
        for status in found.attachments
        if status.guest is not None
        and status.guest.runtime not in NAMELESS
        and not status.adopted
        and (status.inode, status.interface) not in named
    ]


def detach_unlisted(found: Sequence[AttachmentStatus], engine: Engine, *, keep: bool) -> list[Job]:
    """Detach what is not in the file, in the order of the list, which `Engine.detach_all` goes backwards."""
    wanted = [
        Attachment(guest=name_guest(status), host="", interface=status.interface, host_name=status.host_end)
        for status in found
    ]
    return engine.detach_all(wanted[::-1], keep=keep)[::-1]


def may_leave(job: Job) -> bool:
    """Whether what was withdrawn may have left what its interface did not tell of, or could not any more."""
    if job.plan is None:
        return job.error is None or job.is_guest_gone
    return bool(job.plan.losses or job.plan.warnings)


def _list_differences(job: Job) -> list[str]:
    if job.error is not None:
        return [f"{name_job(job)}: {job.error}"]
    steps = job.plan.all_steps if job.plan else ()
    if steps and job.context is not None and job.context.attachment.interface not in job.context.guest_state.links:
        return [f"{name_job(job)}: is missing"]
    return [f"{name_job(job)}: {step.reason or step}" for step in steps]
