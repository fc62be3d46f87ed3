"""The host's own entries of a topology: granted before the guests are attached, revoked after they are detached.

An entry that fails does not stop the others. Reports come back; a signal raises Interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.attachment import Attachment, HostAccess
from pipework_core.model.errors import Interrupted, PipeworkError
from pipework_core.topology.report import HostReport, HostResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipework_core.engine.engine import Engine
    from pipework_core.model.plan import Report
    from pipework_core.topology.model import HostEntry


def grant_entries(entries: Sequence[HostEntry], engine: Engine, *, undo_if_interrupted: bool) -> HostReport:
    """Give the host access to the networks of the entries; raise Interrupted for a signal."""
    done = _begin_report(entries)
    try:
        for entry in entries:
            done = _grant_entry(done, entry, engine)
    except Interrupted:
        if undo_if_interrupted:
            undo_grants(done, engine)
        raise
    return done


def undo_grants(done: HostReport, engine: Engine) -> HostReport:
    """Revoke what was granted and had not been before, the last first; return the report with what came of that.

    A signal does not stop it, for a signal may be the reason for it.
    """
    for result in reversed(done.results):
        if result.changed:
            done = _revoke_entry(done, result, engine, keep=False, interruptible=False)
    return done


def revoke_entries(entries: Sequence[HostEntry], engine: Engine, *, keep: bool) -> HostReport:
    """Take the host's access back, the last entry first; `keep` as for `Engine.detach`."""
    done = _begin_report(entries)
    for result in reversed(done.results):
        done = _revoke_entry(done, result, engine, keep=keep, interruptible=True)
    return done


def compare_entries(entries: Iterable[HostEntry], engine: Engine) -> list[str]:
    """Return what is missing of the entries, a sentence each. Nothing is changed."""
    lines: list[str] = []
    for entry in entries:
        try:
            plan = engine.compare_host_access(_make_access(entry))
        except PipeworkError as error:
            lines.append(f"the host on {entry.host}: {error}")
        else:
            lines += [f"the host on {entry.host}: {step.reason or step}" for step in plan.all_steps]
    return lines


def _begin_report(entries: Sequence[HostEntry]) -> HostReport:
    return HostReport(tuple(HostResult(entry) for entry in entries))


def _grant_entry(done: HostReport, entry: HostEntry, engine: Engine) -> HostReport:
    try:
        _, report = engine.grant_host_access(_make_access(entry))
    except PipeworkError as error:
        return _replace_result(done, HostResult(entry, error=error))
    return _replace_result(done, HostResult(entry, report, changed=report.changed), report)


def _revoke_entry(
    done: HostReport, result: HostResult, engine: Engine, *, keep: bool, interruptible: bool
) -> HostReport:
    access = _make_access(result.entry)._replace(remove=True, keep=keep)
    try:
        _, report = engine.revoke_host_access(access, interruptible=interruptible)
    except PipeworkError as error:
        return _replace_result(done, result._replace(error=error, changed=False))
    return _replace_result(done, result._replace(changed=False), report)


def _replace_result(done: HostReport, result: HostResult, report: Report | None = None) -> HostReport:
    """Return the report with another result for an entry, and with the sentences of what was done last."""
    results = tuple(result if old.entry is result.entry else old for old in done.results)
    if report is None:
        return done._replace(results=results)
    warnings = (*done.warnings, *(f"the host on {result.entry.host}: {text}" for text in report.warnings))
    return HostReport(results, warnings, (*done.not_removed, *report.not_removed))


def _make_access(entry: HostEntry) -> HostAccess:
    attachment = Attachment(
        guest="",
        kind=entry.kind,
        host=entry.host,
        host_mac=entry.host_mac,
        addresses=entry.addresses,
        gateways=entry.gateways,
    )
    return HostAccess(attachment)
