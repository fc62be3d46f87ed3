"""The host's own entries of a topology: granted before the guests are attached, revoked after they are detached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.attachment import Attachment, HostAccess
from pipework_core.model.errors import PipeworkError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.engine.engine import Engine
    from pipework_core.model.plan import Command, Report
    from pipework_core.topology.model import HostEntry


class HostResult(Record):
    """What became of one entry: a report, or the error. `changed` says that something was granted and is still."""

    entry: HostEntry
    report: Report | None = None
    error: PipeworkError | None = None
    changed: bool = False


class HostEntries:
    """The `host:` entries of a file, and what became of each. `warnings` and `not_removed` are sentences."""

    def __init__(self, entries: Sequence[HostEntry], engine: Engine) -> None:
        self._entries = entries
        self._engine = engine
        self._results: dict[HostEntry, HostResult] = {}
        self.warnings: list[str] = []
        self.not_removed: list[str] = []

    @property
    def results(self) -> tuple[HostResult, ...]:
        """What became of each entry, in the file's order."""
        return tuple(self._results.get(entry, HostResult(entry)) for entry in self._entries)

    @property
    def failed(self) -> bool:
        """Whether an entry failed."""
        return any(result.error is not None for result in self.results)

    @property
    def steps(self) -> list[Command]:
        """What was done."""
        return [step for result in self.results if result.report for step in result.report.plan.all_steps]

    def grant_all(self) -> None:
        """Let the host take part; an entry that fails does not stop the others."""
        for entry in self._entries:
            try:
                _, report = self._engine.grant_host_access(_make_access(entry))
            except PipeworkError as error:
                self._results[entry] = HostResult(entry, error=error)
            else:
                self._results[entry] = HostResult(entry, report, changed=report.changed)
                self._add_texts(entry, report)

    def take_back(self) -> None:
        """Revoke what `grant_all` changed, the last first. A signal does not stop it: it may be the reason for it."""
        for result in reversed(self.results):
            if result.changed:
                self._results[result.entry] = result._replace(changed=False)
                self._revoke(result.entry, keep=False, interruptible=False)

    def revoke_all(self, *, keep: bool) -> None:
        """Let the host take part no longer, the last entry first."""
        for entry in reversed(self._entries):
            self._revoke(entry, keep=keep, interruptible=True)

    def list_differences(self) -> list[str]:
        """Return what is missing, a line each."""
        lines: list[str] = []
        for entry in self._entries:
            try:
                plan = self._engine.compare_host_access(_make_access(entry))
            except PipeworkError as error:
                lines.append(f"the host on {entry.host}: {error}")
            else:
                lines += [f"the host on {entry.host}: {step.reason or step}" for step in plan.all_steps]
        return lines

    def _revoke(self, entry: HostEntry, *, keep: bool, interruptible: bool) -> None:
        access = _make_access(entry)._replace(remove=True, keep=keep)
        try:
            _, report = self._engine.revoke_host_access(access, interruptible=interruptible)
        except PipeworkError as error:
            self._results[entry] = self._results.get(entry, HostResult(entry))._replace(error=error)
        else:
            self._add_texts(entry, report)

    def _add_texts(self, entry: HostEntry, report: Report) -> None:
        self.warnings += [f"the host on {entry.host}: {text}" for text in report.warnings]
        self.not_removed += report.not_removed


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
