"""What is attached on many machines."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipework_core.machines.resolve import run_reads
from pipework_core.model.errors import NoGuestError

if TYPE_CHECKING:
    from pipework_core.engine.inventory import Inventory
    from pipework_core.machines.site import Work
    from pipework_core.model.errors import PipeworkError


def list_machines(work: Work, name: str = "") -> tuple[dict[str, Inventory], dict[str, PipeworkError]]:
    """Return by machine what is attached to a guest or interface, or to all, and why some could not be asked.

    A machine that knows no such guest is no error where another one does. Raises Interrupted.
    """
    errors = dict(work.sites.errors)
    tasks = {site.name: partial(site.engine.list_attachments, name, with_host_access=True) for site in work.sites.open}
    lists = run_reads(tasks, errors, signals=work.signals)
    known = {one: error for one, error in errors.items() if not (lists and isinstance(error, NoGuestError))}
    found = {
        machine: one._replace(attachments=tuple(entry._replace(machine=machine) for entry in one.attachments))
        for machine, one in lists.items()
    }
    return found, known
