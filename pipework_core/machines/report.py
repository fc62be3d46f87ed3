"""What came of a topology on many machines, as frozen data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.gc import Collected
    from pipework_core.model.errors import PipeworkError
    from pipework_core.topology.model import Link
    from pipework_core.topology.report import TopologyReport


class MachineReport(Record):
    """What came of one machine: its report, or why there is none (neither: a signal came first).

    `links` are the file's links there, as far as they were resolved. `rest` is what `down` took away beside them.
    """

    name: str
    links: tuple[Link, ...]
    report: TopologyReport | None = None
    error: PipeworkError | None = None
    rest: Collected | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all is as the file says."""
        report = self.report
        return report is not None and not report.host.has_failed and all(job.whole for job in report.jobs)


class Move(Record):
    """What is attached on one machine (`status`) and has its place on another one (`to`) by the file."""

    machine: str
    status: AttachmentStatus
    to: str


class MachinesReport(Record):
    """What came of all machines, in the file's order.

    `moves` are those that stand in the way still. `unread` says of machines that were only to be asked which guests
    they have, and did not answer.
    """

    machines: tuple[MachineReport, ...]
    moves: tuple[Move, ...] = ()
    unread: tuple[tuple[str, PipeworkError], ...] = ()
    interrupted: bool = False
