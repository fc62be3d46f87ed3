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
from pipework_core.machines.prune import detach_all, find_unlisted
from pipework_core.machines.report import MachineReport, MachinesReport
from pipework_core.machines.resolve import OVN, part_links, resolve_machines, run_reads
from pipework_core.machines.side_by_side import WIDTH, run_side_by_side
from pipework_core.machines.verdict import Verdict
from pipework_core.model.errors import Interrupted, PipeworkError, UsageError
from pipework_core.topology import apply
from pipework_core.topology.conflicts import refuse_conflicts
from pipework_core.topology.report import TopologyReport, name_status
from pipework_core.topology.underlay import fill_remotes, find_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipework_core.engine.agreement import Agreement
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.machines.prune import Pruned
    from pipework_core.machines.report import Move
    from pipework_core.machines.side_by_side import Outcome
    from pipework_core.machines.site import Site, Work
    from pipework_core.topology.model import HostEntry, Link

_SEVERAL = 2


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
    links, errors = _resolve_checked(work)
    sites = _choose_sites(work, errors)
    if atomic and errors.keys() & set(work.chosen):
        return _make_report(work, links, errors, {site.name: _begin_nothing(links, site.name) for site in sites})
    unlisted = find_unlisted(work, links, sites, errors) if prune else {}
    moves = find_moves(unlisted, links, [site.name for site in sites])
    if atomic and moves:
        raise _make_move_error(moves[0])
    pruned = detach_all(work, {site.name: _list_moved(moves, site.name) for site in sites}, errors, keep=keep)
    sites = _choose_sites(work, errors)
    verdict = Verdict([site.name for site in sites], stop=lambda: work.signals.wanted)

    def apply_site(site: Site) -> TopologyReport:
        part: Agreement = verdict.make_part(site.name) if atomic else ALONE
        try:
            return apply.apply_links(
                part_links(links, site.name),
                _list_entries(work, site),
                site.engine,
                warn=partial(work.warn, site.name),
                replace=replace,
                atomic=atomic,
                prune=False,
                keep=keep,
                progress=partial(progress, site.name) if progress else None,
                agreement=part,
            )
        finally:
            verdict.leave(site.name)

    found = _run_sites(work, sites, apply_site, width=len(sites) if atomic else WIDTH)
    report = _make_report(work, links, errors, found)
    if prune:
        rest = {name: [one for one in found if one not in _list_moved(moves, name)] for name, found in unlisted.items()}
        whole = all(one.is_whole for one in report.machines) and not work.signals.wanted
        later = detach_all(work, rest, errors, keep=keep) if whole else _leave_all(rest)
        report = _add_pruned(report, pruned, later)
    left = {one.name: _list_left(one.report) for one in report.machines if one.report}
    return report._replace(
        moves=tuple(find_moves(left, links, [site.name for site in sites])),
        interrupted=report.interrupted or (atomic and work.signals.wanted and verdict.kept is False),
    )


def compare_machines(work: Work) -> MachinesReport:
    """Return what differs from the file on all machines. Nothing is changed. Raises as `apply_machines` does."""
    links, errors = _resolve_checked(work)
    sites = _choose_sites(work, errors)

    def compare_site(site: Site) -> TopologyReport:
        entries, warn = _list_entries(work, site), partial(work.warn, site.name)
        return apply.compare_links(part_links(links, site.name), entries, site.engine, warn=warn)

    return _make_report(work, links, errors, _run_sites(work, sites, compare_site))


def withdraw_machines(work: Work, *, keep: bool = False) -> MachinesReport:
    """Detach what the file names on all machines, and what such attachments left; see `withdraw_topology`."""
    links, errors = resolve_machines(work, work.topology)
    sites = _choose_sites(work, errors)

    def withdraw_site(site: Site) -> TopologyReport:
        return apply.withdraw_links(part_links(links, site.name), _list_entries(work, site), site.engine, keep=keep)

    report = _make_report(work, links, errors, _run_sites(work, sites, withdraw_site))
    unsure = {
        one.name for one in report.machines if one.report and not keep and any(map(apply.may_leave, one.report.jobs))
    }
    # What machines share goes with the last of them, which nobody was while all were at it.
    sharing = [site.name for site in sites if any(link.attachment.kind == OVN for link in part_links(links, site.name))]
    unsure |= set() if keep or len(sharing) < _SEVERAL else {sharing[-1]}
    tasks = {site.name: site.engine.collect_rest for site in sites if site.name in unsure}
    rest = run_reads(tasks, errors, signals=work.signals)
    return report._replace(machines=tuple(one._replace(rest=rest.get(one.name)) for one in report.machines))


def _resolve_checked(work: Work) -> tuple[tuple[Link, ...], dict[str, PipeworkError]]:
    """Return all links of the file, which do not contradict each other, and why some machines could not be asked."""
    links, errors = resolve_machines(work, fill_remotes(work.topology, find_address))
    refuse_conflicts(links, work.topology.hosts)
    return links, errors


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


def _list_moved(moves: Sequence[Move], machine: str) -> list[AttachmentStatus]:
    return [move.status for move in moves if move.machine == machine]


def _list_left(report: TopologyReport) -> list[AttachmentStatus]:
    """Return what is attached still and not in the file."""
    return [status for status, job in report.unlisted if job is None or job.error is not None]


def _leave_all(unlisted: Mapping[str, Sequence[AttachmentStatus]]) -> Pruned:
    return {name: [(status, None) for status in found] for name, found in unlisted.items()}


def _add_pruned(report: MachinesReport, *parts: Pruned) -> MachinesReport:
    """Return the report with what is not in the file, and what became of it."""
    machines = []
    for one in report.machines:
        pairs = tuple(pair for part in parts for pair in part.get(one.name, ()))
        machines.append(one._replace(report=one.report._replace(unlisted=pairs)) if one.report else one)
    return report._replace(machines=tuple(machines))


def _make_move_error(move: Move) -> UsageError:
    what = f"{name_status(move.status)} has to go from {move.machine} before {move.to} gets it"
    return UsageError(f"{what}, which could not be undone.", hint="repeat without --atomic")
