"""What can be done with a topology of many machines: apply it, compare it, withdraw it; one report comes back.

All of the file is resolved and checked before anything is done. Then each machine goes its way through the code for one
machine (`topology/apply.py`), in a thread of its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipework_core.engine.agreement import ALONE
from pipework_core.engine.job import Job
from pipework_core.machines.moves import find_moves
from pipework_core.machines.report import MachineReport, MachinesReport
from pipework_core.machines.resolve import part_links, resolve_machines, run_reads
from pipework_core.machines.side_by_side import WIDTH, run_side_by_side
from pipework_core.machines.verdict import Verdict
from pipework_core.model.errors import Interrupted, PipeworkError, UsageError
from pipework_core.model.records import Record
from pipework_core.topology import apply
from pipework_core.topology.conflicts import refuse_conflicts
from pipework_core.topology.report import TopologyReport, name_status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pipework_core.engine.agreement import Agreement
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.signals import Signals
    from pipework_core.machines.report import Move
    from pipework_core.machines.side_by_side import Outcome
    from pipework_core.machines.site import Site, Sites
    from pipework_core.topology.model import HostEntry, Link, Topology


class Work(Record):
    """One run over many machines.

    `chosen` are those that it is about; others of `sites` are only asked for their guests. `signals` are the main
    thread's. `warn` is told of a machine, one sentence each, what its runtimes do not tell.
    """

    topology: Topology
    sites: Sites
    chosen: Collection[str]
    signals: Signals
    warn: Callable[[str, str], None]


def apply_machines(  # noqa: PLR0913 - the ways to apply it
    work: Work,
    *,
    replace: bool = False,
    atomic: bool = False,
    prune: bool = False,
    keep: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> MachinesReport:
    """Attach what is missing on all machines; see `apply_topology`. With `atomic` all of the file or nothing.

    With `prune`, what the file has moved to another machine is detached first. `progress` is told of a machine how many
    of how many links hold.

    Raises UsageError for a file that contradicts itself, and with `atomic` for moves, which could not be undone. Raises
    Interrupted for a signal that comes before anything was begun.
    """
    links, errors = resolve_machines(work.topology, work.sites, signals=work.signals, warn=work.warn)
    refuse_conflicts(links, work.topology.hosts)
    sites = _choose_sites(work, errors)
    if atomic and errors.keys() & set(work.chosen):
        return _make_report(work, links, errors, {site.name: _begin_nothing(links, site.name) for site in sites})
    moved: dict[str, list[tuple[AttachmentStatus, Job | None]]] = {}
    if prune:
        moves = _find_moved(work, links, sites, errors)
        if atomic and moves:
            raise _make_move_error(moves[0])
        moved = _detach_moved(work, moves, sites, errors, keep=keep)
        sites = _choose_sites(work, errors)
    verdict = Verdict([site.name for site in sites], stop=lambda: work.signals.wanted)

    def apply_site(site: Site) -> TopologyReport:
        part: Agreement = verdict.make_part(site.name) if atomic else ALONE
        try:
            report = apply.apply_links(
                part_links(links, site.name),
                _list_entries(work, site),
                site.engine,
                warn=partial(work.warn, site.name),
                replace=replace,
                atomic=atomic,
                prune=prune,
                keep=keep,
                progress=partial(progress, site.name) if progress else None,
                agreement=part,
            )
        finally:
            verdict.leave(site.name)
        return report._replace(unlisted=(*moved.get(site.name, ()), *report.unlisted))

    found = _run_sites(work, sites, apply_site, width=len(sites) if atomic else WIDTH)
    report = _make_report(work, links, errors, found)
    left = {
        one.name: [status for status, job in one.report.unlisted if job is None or job.error is not None]
        for one in report.machines
        if one.report
    }
    return report._replace(
        moves=tuple(find_moves(left, links, [site.name for site in sites])),
        interrupted=report.interrupted or (work.signals.wanted and verdict.kept is False),
    )


def compare_machines(work: Work) -> MachinesReport:
    """Return what differs from the file on all machines. Nothing is changed. Raises as `apply_machines` does."""
    links, errors = resolve_machines(work.topology, work.sites, signals=work.signals, warn=work.warn)
    refuse_conflicts(links, work.topology.hosts)
    sites = _choose_sites(work, errors)

    def compare_site(site: Site) -> TopologyReport:
        entries, warn = _list_entries(work, site), partial(work.warn, site.name)
        return apply.compare_links(part_links(links, site.name), entries, site.engine, warn=warn)

    return _make_report(work, links, errors, _run_sites(work, sites, compare_site))


def withdraw_machines(work: Work, *, keep: bool = False) -> MachinesReport:
    """Detach what the file names on all machines, and what such attachments left; see `withdraw_topology`."""
    links, errors = resolve_machines(work.topology, work.sites, signals=work.signals, warn=work.warn)
    sites = _choose_sites(work, errors)

    def withdraw_site(site: Site) -> TopologyReport:
        return apply.withdraw_links(part_links(links, site.name), _list_entries(work, site), site.engine, keep=keep)

    report = _make_report(work, links, errors, _run_sites(work, sites, withdraw_site))
    unsure = {
        one.name for one in report.machines if one.report and not keep and any(map(apply.may_leave, one.report.jobs))
    }
    tasks = {site.name: site.engine.collect_rest for site in sites if site.name in unsure}
    rest = run_reads(tasks, errors, signals=work.signals)
    return report._replace(machines=tuple(one._replace(rest=rest.get(one.name)) for one in report.machines))


def _choose_sites(work: Work, errors: Mapping[str, PipeworkError]) -> list[Site]:
    """Return the machines that are worked on: those that are meant and could be asked."""
    return [site for site in work.sites.open if site.name in work.chosen and site.name not in errors]


def _list_entries(work: Work, site: Site) -> tuple[HostEntry, ...]:
    return tuple(entry for entry in work.topology.hosts if entry.machine == site.name)


def _run_sites(
    work: Work, sites: Sequence[Site], run: Callable[[Site], TopologyReport], *, width: int = WIDTH
) -> dict[str, Outcome[TopologyReport]]:
    tasks = {site.name: partial(run, site) for site in sites}
    return run_side_by_side(tasks, signals=work.signals, inner=[site.signals for site in sites], width=max(1, width))


def _make_report(
    work: Work,
    links: tuple[Link, ...],
    errors: Mapping[str, PipeworkError],
    found: Mapping[str, Outcome[TopologyReport]],
) -> MachinesReport:
    machines = []
    for name in (machine.name for machine in work.topology.machines if machine.name in work.chosen):
        outcome = errors.get(name) or found.get(name)
        report = outcome if isinstance(outcome, TopologyReport) else None
        error = outcome if isinstance(outcome, PipeworkError) else None
        machines.append(MachineReport(name, part_links(links, name), report, error))
    unread = tuple((name, error) for name, error in errors.items() if name not in work.chosen)
    stopped = [isinstance(one, Interrupted) or getattr(one, "interrupted", False) for one in found.values()]
    return MachinesReport(tuple(machines), unread=unread, interrupted=any(stopped))


def _begin_nothing(links: tuple[Link, ...], name: str) -> TopologyReport:
    """Return the report of a machine on which nothing was begun, since another one does not answer."""
    own = part_links(links, name)
    return TopologyReport(own, tuple(Job(link.attachment) for link in own))


def _find_moved(
    work: Work, links: tuple[Link, ...], sites: Sequence[Site], errors: dict[str, PipeworkError]
) -> list[Move]:
    """Return what the file has moved from one machine to another since it was attached."""

    def list_unlisted(site: Site) -> list[AttachmentStatus]:
        own = part_links(links, site.name)
        jobs = site.engine.compare([link.attachment for link in own])
        return apply.list_unlisted(own, jobs, site.engine, partial(work.warn, site.name))

    tasks = {site.name: partial(list_unlisted, site) for site in sites}
    return find_moves(run_reads(tasks, errors, signals=work.signals), links, [site.name for site in sites])


def _detach_moved(
    work: Work, moves: Sequence[Move], sites: Sequence[Site], errors: dict[str, PipeworkError], *, keep: bool
) -> dict[str, list[tuple[AttachmentStatus, Job | None]]]:
    """Detach what was moved, from where it is; return that by machine."""
    by_machine = {site.name: [move.status for move in moves if move.machine == site.name] for site in sites}

    def detach_site(site: Site) -> list[Job]:
        return apply.detach_unlisted(by_machine[site.name], site.engine, keep=keep)

    tasks_of = {site.name: partial(detach_site, site) for site in sites if by_machine[site.name]}
    done = run_side_by_side(tasks_of, signals=work.signals, inner=[site.signals for site in sites])
    pairs: dict[str, list[tuple[AttachmentStatus, Job | None]]] = {}
    for name, outcome in done.items():
        if isinstance(outcome, PipeworkError):
            errors[name] = outcome
        elif isinstance(outcome, Interrupted):
            raise outcome
        else:
            pairs[name] = list(zip(by_machine[name], outcome, strict=True))
    return pairs


def _make_move_error(move: Move) -> UsageError:
    what = f"{name_status(move.status)} has to go from {move.machine} before {move.to} gets it"
    return UsageError(f"{what}, which could not be undone.", hint="repeat without --atomic")
