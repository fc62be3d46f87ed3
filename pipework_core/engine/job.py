"""One attachment on its way: what was asked, what it was planned from, and what was done of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.driver import has_succeeded
from pipework_core.model.errors import NoGuestError, PipeworkError
from pipework_core.model.plan import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context, Guest
    from pipework_core.model.plan import Command, Outcome, Plan


class Job:
    """One attachment that is made, or undone: planned, carried out so far, or failed.

    What was asked to be detached and is not attached has neither a plan nor an error.
    """

    def __init__(self, attachment: Attachment, guest: Guest | None = None) -> None:
        self.attachment = attachment
        self.guest = guest
        #: The second guest of a kind that joins two.
        self.peer: Guest | None = None
        self.context: Context | None = None
        self.plan: Plan | None = None
        self.outcomes: list[Outcome] = []
        #: What of `plan` notes on the host that something is about to be removed.
        self.notes: tuple[Command, ...] = ()
        self.failed_cleanup: tuple[Command, ...] = ()
        self.error: PipeworkError | None = None
        #: Whether it was planned without looking into the guest.
        self.assumed = False
        #: Whether it makes what later jobs of the same batch share, such as a bridge.
        self.is_first_user = False
        #: Whether observers were told of a plan, and are to be told how it ended.
        self.begun = False

    def find_guest(self, find: Callable[[str], Guest]) -> None:
        """Find the guest, and the second one where the attachment names one, or keep the error."""
        try:
            guest = find(self.attachment.guest)
            self.peer = find(self.attachment.peer) if self.attachment.peer else None
            self.guest = guest
        except PipeworkError as error:
            self.error = error

    @property
    def inode(self) -> int:
        """The number of the guest's namespace."""
        return self.guest.inode if self.guest else 0

    @property
    def steps(self) -> tuple[Command, ...]:
        """What is to be carried out, the commit included."""
        return self.plan.steps + self.plan.commit if self.plan else ()

    @property
    def whole(self) -> bool:
        """Whether all was carried out, or there was nothing to do; a signal may have ended the last step early."""
        if self.plan is None or self.error is not None or len(self.outcomes) != len(self.steps):
            return False
        return not self.steps or has_succeeded(self.steps[-1], self.outcomes[-1])

    @property
    def is_guest_gone(self) -> bool:
        """Whether there is no such guest, so that nothing can be attached to it any more."""
        return self.guest is None and isinstance(self.error, NoGuestError)

    def report(self) -> Report:
        """Return what was done; raise RuntimeError when nothing was planned."""
        if self.plan is None:
            raise RuntimeError("it was not planned")
        return Report(plan=self.plan, outcomes=tuple(self.outcomes), failed_cleanup=self.failed_cleanup)


def split_by_guest(jobs: Iterable[Job]) -> list[list[Job]]:
    """Part the jobs so that each part has one of each guest at most, in order."""
    parts: list[list[Job]] = []
    count: dict[int, int] = {}
    for job in jobs:
        inodes = (job.inode, job.peer.inode) if job.peer else (job.inode,)
        number = max(count.get(inode, -1) for inode in inodes) + 1
        count.update(dict.fromkeys(inodes, number))
        parts[number:] = parts[number:] or [[]]
        parts[number].append(job)
    return parts
