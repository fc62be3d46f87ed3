"""Whose a network namespace is: the runtimes' names, else the namespace's own, else a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.context import Guest
from pipework_core.model.errors import GuestError, PluginError
from pipework_core.state.namespaces import inodes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from pipework_core.model.context import RunningGuest
    from pipework_core.model.driver import Driver
    from pipework_core.model.snapshot import Namespace
    from pipework_core.plugins.api import GuestResolver
    from pipework_core.plugins.manager import PluginManager

#: These need no asking: the namespaces were found by them.
_KNOWN = frozenset({"netns", "pid"})
#: What stands for a runtime where a namespace has no name: that of a mere process, or of a mount alone.
NAMELESS = frozenset({"pid", "mount"})


def name_guests(
    spaces: Iterable[Namespace],
    *,
    driver: Driver,
    plugins: PluginManager,
    warn: Callable[[str], None],
    clients: Collection[int] = (),
) -> Mapping[int, Guest]:
    """Return the guests by the inode numbers of these namespaces; a runtime that does not answer is a warning.

    A container that has the network of another one names it only where nobody else does. Where the runtime does not
    say so, who has the first of all processes in there was there first. `clients` are the processes of DHCP clients
    that stay, whose containers are nobody's guests.
    """
    todo = {space.inode: space for space in spaces}
    guests = {inode: _name_by_path(space) for inode, space in todo.items()}
    if not any(space.pid for space in todo.values()):
        return guests
    found = [pair for pair in _list_running(driver, plugins, warn) if pair[1].candidate.pid not in clients]
    inodes = inodes_of(driver, (running.candidate.pid for _, running in found))
    first = {space.pid for space in todo.values()}
    found.sort(key=lambda pair: (pair[1].shared, pair[1].candidate.pid not in first))
    for runtime, running in reversed(found):
        inode = inodes.get(running.candidate.pid, 0)
        if inode in todo and running.candidate.netns is not None:
            guests[inode] = Guest(
                name=running.name,
                runtime=runtime,
                netns=running.candidate.netns,
                id=running.candidate.id,
                pid=running.candidate.pid,
                inode=inode,
            )
    return guests


def _name_by_path(space: Namespace) -> Guest:
    if space.names:
        return Guest(name=space.names[0], runtime="netns", netns=space.netns, pid=space.pid, inode=space.inode)
    if space.pid:
        return Guest(name=str(space.pid), runtime="pid", netns=space.netns, pid=space.pid, inode=space.inode)
    return Guest(name=space.netns.path, runtime="mount", netns=space.netns, inode=space.inode)


def _list_running(
    driver: Driver, plugins: PluginManager, warn: Callable[[str], None]
) -> Iterator[tuple[str, RunningGuest]]:
    from pipework_core.plugins.builtin import GUESTS  # noqa: PLC0415 - as in guests

    builtin = [plugins.find_resolver(runtime) for runtime in GUESTS if runtime not in _KNOWN]
    for resolver in (*builtin, *plugins.list_third_party_resolvers()):
        if not hasattr(resolver, "list") or (resolver.program and not driver.has_program(resolver.program)):
            continue
        yield from ((resolver.runtime, running) for running in _ask_runtime(resolver, driver, warn))


def _ask_runtime(resolver: GuestResolver, driver: Driver, warn: Callable[[str], None]) -> Iterable[RunningGuest]:
    try:
        return resolver.list(driver)
    except (GuestError, PluginError) as error:
        warn(f"guests of {resolver.runtime} are shown by their processes: {error}")
        return ()
