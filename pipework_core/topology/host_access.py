"""The host's own parts in a topology: taken before the guests' links, left behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pipework_core.engine import report_json
from pipework_core.model.attachment import Attachment
from pipework_core.model.errors import PipeworkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.engine.host_access import Hosting
    from pipework_core.model.attachment import HostAccess
    from pipework_core.model.plan import Command, Report
    from pipework_core.topology import HostEntry


class HostingMaker(Protocol):
    """Makes what carries a host's part out; with `hears`, a signal ends that."""

    def __call__(self, *, hears: bool = True) -> Hosting:
        """Make it."""


class Parts:
    """The `host:` entries of a file. `errors` are those that failed; `warnings` and `stays` what else to say."""

    def __init__(self, entries: Sequence[HostEntry], hosting: HostingMaker) -> None:
        self._entries = entries
        self._hosting = hosting
        self._taken: list[HostEntry] = []
        self._reports: dict[HostEntry, Report] = {}
        self.errors: dict[HostEntry, PipeworkError] = {}
        self.warnings: list[str] = []
        self.stays: list[str] = []

    @property
    def steps(self) -> list[Command]:
        """What was done."""
        return [step for report in self._reports.values() for step in report.plan.all_steps]

    def take(self) -> None:
        """Let the host take part; an entry that fails does not stop the others."""
        for entry in self._entries:
            report = self._run(entry, _part(entry))
            if report is not None:
                self._reports[entry] = report
                self._taken += [entry] if report.changed else []

    def give_back(self) -> None:
        """Take back what `take` did, the last first; a signal is no reason to leave it, but maybe why it is done."""
        while self._taken:
            entry = self._taken.pop()
            self._run(entry, _part(entry)._replace(remove=True), hears=False)

    def leave(self, *, keep: bool) -> None:
        """Let the host take part no longer, the last entry first."""
        for entry in reversed(self._entries):
            self._run(entry, _part(entry)._replace(remove=True, keep=keep))

    def as_json(self) -> list[dict[str, Any]]:
        """Return what became of each entry as plain data."""
        return [
            report_json.encode_host_entry(
                entry.host, self._reports.get(entry), self.errors.get(entry), changed=entry in self._taken
            )
            for entry in self._entries
        ]

    def _run(self, entry: HostEntry, part: HostAccess, *, hears: bool = True) -> Report | None:
        try:
            _, report = self._hosting(hears=hears).run(part)
        except PipeworkError as error:
            self.errors[entry] = error
            return None
        self.warnings += [f"the host on {entry.host}: {text}" for text in report.warnings]
        self.stays += report.not_removed
        return report

    def differences(self) -> list[str]:
        """Return what is missing of the host's parts, a line each."""
        lines: list[str] = []
        for entry in self._entries:
            try:
                plan = self._hosting().compare(_part(entry))
            except PipeworkError as error:
                lines.append(f"the host on {entry.host}: {error}")
            else:
                lines += [f"the host on {entry.host}: {step.reason or step}" for step in plan.all_steps]
        return lines


def _part(entry: HostEntry) -> HostAccess:
    from pipework_core.model.attachment import HostAccess  # noqa: PLC0415 - few files have such entries

    attachment = Attachment(
        guest="",
        kind=entry.kind,
        host=entry.host,
        host_mac=entry.host_mac,
        addresses=entry.addresses,
        gateways=entry.gateways,
    )
    return HostAccess(attachment)
