"""What a file of many machines means: their guests are read side by side, and all of it is resolved in one place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pipework_core.machines.side_by_side import run_side_by_side
from pipework_core.model.errors import Interrupted, PipeworkError
from pipework_core.topology.apply import list_guests, name_guests
from pipework_core.topology.expand import expand_machines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipework_core.engine.signals import Signals
    from pipework_core.machines.site import Work
    from pipework_core.model.attachment import Attachment
    from pipework_core.topology.model import Link, Topology

_Value = TypeVar("_Value")
#: The driver of this very machine, and the kind whose networks are in a database that machines share.
_LOCAL, OVN = "local", "ovn"


def resolve_machines(work: Work, topology: Topology) -> tuple[tuple[Link, ...], dict[str, PipeworkError]]:
    """Return all links of the file with the guests that they mean, and why some machines could not be asked.

    Raises UsageError as `expand_machines` does, and Interrupted.
    """
    sites, signals = work.sites, work.signals
    errors = dict(sites.errors)
    directories = {site.name: site.engine.open_directory(partial(work.warn, site.name)) for site in sites.open}
    by_machine = {name: part_links(topology.links, name) for name in directories}
    lists = {name: partial(list_guests, by_machine[name], one) for name, one in directories.items()}
    guests = run_reads(lists, errors, signals=signals)
    links = expand_machines(topology, guests)
    tasks = {name: partial(name_guests, part_links(links, name), directories[name]) for name in guests}
    named = {name: iter(found) for name, found in run_reads(tasks, errors, signals=signals).items()}
    links = tuple(next(named[link.machine]) if link.machine in named else link for link in links)
    # A line to another machine carries the database there.
    local = {machine.name for machine in topology.machines if topology.nb and machine.driver == _LOCAL}
    return tuple(
        link._replace(attachment=add_database(link.attachment, topology.nb)) if link.machine in local else link
        for link in links
    ), errors


def run_reads(
    tasks: Mapping[str, Callable[[], _Value]], errors: dict[str, PipeworkError], *, signals: Signals
) -> dict[str, _Value]:
    """Return what was read of each machine, and add to `errors` why something was not; raise Interrupted."""
    found = run_side_by_side(tasks, signals=signals)
    values: dict[str, _Value] = {}
    for name, one in found.items():
        if isinstance(one, PipeworkError):
            errors[name] = one
        elif isinstance(one, Interrupted):
            raise one
        else:
            values[name] = one
    return values


def part_links(links: tuple[Link, ...], machine: str) -> tuple[Link, ...]:
    """Return the links on one machine."""
    return tuple(link for link in links if link.machine == machine)


def add_database(asked: Attachment, nb: str) -> Attachment:
    """Return an attachment with the northbound database as its option, where its kind has one and it names none."""
    if asked.kind != OVN or asked.option("nb"):
        return asked
    return asked._replace(options=tuple(sorted((*asked.options, ("nb", nb)))))
