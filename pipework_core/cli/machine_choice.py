"""Which machines of a topology file a command line means, and which driver leads to one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pipework_core.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.commands import Settings
    from pipework_core.topology.model import Machine, Topology

#: What the file calls this very machine, and the driver for it.
_LOCAL, _LIVE = "local", "live"


def choose_machines(topology: Topology, names: Sequence[str]) -> list[Machine]:
    """Return the machines of these names in the file's order, all without names; raise UsageError for others."""
    known = {machine.name: machine for machine in topology.machines}
    for name in names:
        if not known:
            hint = f"write machines: {{{name}: ssh://root@{name}}}, or --driver ssh://root@{name}"
            raise UsageError(f"{topology.file} names no machines.", hint=hint)
        if name not in known:
            from pipework_core.spec.suggest import find_close

            close = find_close(name, known)
            meant = f"did you mean {close}? " if close else ""
            message = f"{topology.file} has no machine {name!r}."
            raise UsageError(message, hint=f"{meant}its machines are {', '.join(known)}")
    return [machine for machine in topology.machines if not names or machine.name in names]


def make_driver_text(machine: Machine, nb: str) -> str:
    """Return what `--driver` would be for a machine; a line to another one carries the northbound database `nb`."""
    if machine.driver == _LOCAL:
        return _LIVE
    if not nb or "?" in machine.driver or not machine.driver.startswith("ssh:"):
        return machine.driver
    return f"{machine.driver}?nb={quote(nb, safe=':/,[]')}"


def follow_machine(settings: Settings) -> tuple[Settings, str]:
    """Return the settings with the driver for the one machine that they name, and the database for one that is here.

    Raises UsageError for several machines, and for one that the file has not.
    """
    machine, found = find_machine(settings)
    driver = make_driver_text(machine, found.nb)
    return settings._replace(driver=driver), found.nb if driver == _LIVE else ""


def find_machine(settings: Settings) -> tuple[Machine, Topology]:
    """Return the one machine that the settings name, and its file; raise UsageError for several, or another name."""
    from pipework_core import topology
    from pipework_core.cli.topology_file import choose_file

    found = topology.load_topology(choose_file(settings.file))
    chosen = choose_machines(found, settings.machines)
    if len(chosen) > 1:
        names = ", ".join(machine.name for machine in chosen)
        raise UsageError(f"this works on one machine, and {names} are several.", hint="run it for each of them")
    return chosen[0], found
