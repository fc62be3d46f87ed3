"""What is attached on machines and not in their file: finding it, and detaching it side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from pipework_core.machines.resolve import part_links, run_reads
from pipework_core.machines.side_by_side import run_side_by_side
from pipework_core.model.errors import Interrupted, PipeworkError
from pipework_core.topology import apply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.job import Job
    from pipework_core.machines.site import Site, Work
    from pipework_core.topology.model import Link

#: By machine, what is not in the file, each with the job that detached it (None: nothing was to detach it).
Pruned: TypeAlias = "dict[str, list[tuple[AttachmentStatus, Job | None]]]"


def find_unlisted(
    work: Work, links: tuple[Link, ...], sites: Sequence[Site], errors: dict[str, PipeworkError]
) -> dict[str, list[AttachmentStatus]]:
    """Return by machine what pipework attached there and the file does not name; raise Interrupted.

    A machine that is lost meanwhile has an error.
    """

    def find(site: Site) -> list[AttachmentStatus]:
        own = part_links(links, site.name)
        jobs = site.engine.compare([link.attachment for link in own])
        return apply.list_unlisted(own, jobs, site.engine, partial(work.warn, site.name))

    return run_reads({site.name: partial(find, site) for site in sites}, errors, signals=work.signals)


def detach_all(
    work: Work, unlisted: Mapping[str, Sequence[AttachmentStatus]], errors: dict[str, PipeworkError], *, keep: bool
) -> Pruned:
    """Detach it, and return it with its jobs; raise Interrupted. A machine that is lost meanwhile has an error."""
    sites = [site for site in work.sites.open if unlisted.get(site.name)]
    tasks = {site.name: partial(apply.detach_unlisted, unlisted[site.name], site.engine, keep=keep) for site in sites}
    found: Pruned = {}
    done = run_side_by_side(tasks, signals=work.signals, inner=[site.signals for site in sites])
    for name, outcome in done.items():
        if isinstance(outcome, PipeworkError):
            errors[name] = outcome
        elif isinstance(outcome, Interrupted):
            raise outcome
        else:
            found[name] = list(zip(unlisted[name], outcome, strict=True))
    return found
