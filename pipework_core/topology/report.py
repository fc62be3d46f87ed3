"""What came of a topology, as frozen data: links, the host's own entries, and what the file does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.job import Job
    from pipework_core.model.errors import PipeworkError
    from pipework_core.model.plan import Report
    from pipework_core.topology.model import HostEntry, Link


class HostResult(Record):
    """What came of one entry: the report of granting it, or the error. `changed` says that the grant is new and holds.

    An entry that was revoked has no report of that; `HostReport` has what the report says.
    """

    entry: HostEntry
    report: Report | None = None
    error: PipeworkError | None = None
    changed: bool = False


class HostReport(Record):
    """What came of the host's own entries, in the file's order.

    `warnings` and `not_removed` are sentences, in the order in which things were done. `not_removed` is what should
    have gone and is there still.
    """

    results: tuple[HostResult, ...] = ()
    warnings: tuple[str, ...] = ()
    not_removed: tuple[str, ...] = ()

    @property
    def has_failed(self) -> bool:
        """Whether there is an entry with an error."""
        return any(result.error is not None for result in self.results)


class TopologyReport(Record):
    """What came of a topology: `jobs` has one job for each of `links`, in the same order.

    `unlisted` is what pipework attached and the file does not name, each with the job that detached it (None: nothing
    was to detach it). `differences` are sentences; only a comparison has them. `interrupted` says that a signal came.
    """

    links: tuple[Link, ...]
    jobs: tuple[Job, ...]
    host: HostReport = HostReport()
    unlisted: tuple[tuple[AttachmentStatus, Job | None], ...] = ()
    differences: tuple[str, ...] = ()
    interrupted: bool = False


def name_status(status: AttachmentStatus) -> str:
    """Return guest and interface of an attachment, as messages name it."""
    return f"{name_guest(status) or 'nobody'} {status.interface or status.host_end}"


def name_job(job: Job) -> str:
    """Return guest and interface of a link, as messages name it."""
    asked = job.context.attachment if job.context else job.attachment
    return f"{asked.guest} {asked.interface or 'eth1'}"


def name_guest(status: AttachmentStatus) -> str:
    """Return the guest of an attachment as the command line names it, `runtime:name`; empty for nobody."""
    return f"{status.guest.runtime}:{status.guest.name}" if status.guest else ""
