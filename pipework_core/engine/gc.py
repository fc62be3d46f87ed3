"""Collects what dead guests and killed runs left: each thing by itself, and nothing that is alive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipework_core.engine import snapshot, transaction
from pipework_core.model.driver import has_succeeded
from pipework_core.model.errors import GuestError
from pipework_core.model.plan import HOST, Command, Plan
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.engine.signals import Signals
    from pipework_core.model.driver import Driver
    from pipework_core.model.plan import Outcome
    from pipework_core.model.snapshot import Snapshot
    from pipework_core.plugins.manager import PluginManager

#: Finds dangling links of those that the shell version made for each process (with -L others are no links).
_NOWHERE = ("-type", "l", "-name", "[0-9]*", "-lname", "/proc/[0-9]*/ns/net")
_DANGLING = Command(
    argv=("find", "-L", "/run/netns", "-maxdepth", "1", *_NOWHERE),
    ok_codes=frozenset({0, 1}),
    reason="look for names of network namespaces that lead nowhere",
)
#: What `ip` says of a link that the kernel has taken away meanwhile, with the namespace that it led into.
_GONE = "Cannot find device"
_OF_SHELL = re.compile(r"/run/netns/\d{1,7}", re.ASCII)


class Collected(Record):
    """What was to be removed, what was removed, and what could not be, with the tool's own message.

    The rest of the plan was held back: somebody began to use it.
    """

    plan: Plan
    gone: tuple[Command, ...] = ()
    failed: tuple[tuple[Command, str], ...] = ()


def collect_garbage(*, plugins: PluginManager, driver: Driver, signals: Signals) -> Collected:
    """Remove what nobody needs; raise HostError when that cannot be found out."""
    with driver.lock():
        survey = snapshot.take_snapshot(driver, plugins, clients=True)
        driver.pin(HOST)
        todo = _keep_existing(plan_collection(survey, plugins, driver), survey, driver)
        return _carry_out(todo, plugins, driver, signals)


def forget_machine(name: str, place: str, *, plugins: PluginManager, driver: Driver, signals: Signals) -> Collected:
    """Remove what a machine that is gone left where machines share something; see `Engine.forget_machine`."""
    todo = Plan()
    for backend in plugins.list_backends():
        query = backend.remains_query(place)
        if query is not None and driver.has_program(query.argv[0]):
            todo += backend.remains(name, driver.read([query])[0])
    return _carry_out(todo, plugins, driver, signals)


def _carry_out(todo: Plan, plugins: PluginManager, driver: Driver, signals: Signals) -> Collected:
    gone: list[Command] = []
    failed: list[tuple[Command, str]] = []

    def note_outcome(command: Command, outcome: Outcome) -> None:
        plugins.fire_step_done(command, outcome, None)
        if has_succeeded(command, outcome) or _GONE in outcome.stderr:
            gone.append(command)
        else:
            failed.append((command, outcome.error_text or f"exit code {outcome.code}"))

    with signals.deferred():
        transaction.run_cleanup(todo, driver, tell=note_outcome)
    return Collected(plan=todo, gone=tuple(gone), failed=tuple(failed))


def plan_collection(survey: Snapshot, plugins: PluginManager, driver: Driver) -> Plan:
    """Return the plan; the DHCP clients go first, since they keep namespaces alive."""
    clients = [client.stop for client in survey.clients if client.inode in survey.dying]
    found = Plan(cleanup=tuple(clients), warnings=survey.warnings)
    if survey.partial_view:
        found += Plan(warnings=(snapshot.PARTIAL_VIEW,))
    for backend in plugins.list_backends():
        found += backend.garbage(survey)
    return found + Plan(cleanup=() if survey.partial_view else tuple(_list_dangling(driver)))


def _list_dangling(driver: Driver) -> Iterator[Command]:
    if not driver.has_program(_DANGLING.argv[0]):
        return
    for path in driver.read([_DANGLING])[0].stdout.splitlines():
        if _OF_SHELL.fullmatch(path):
            # `find` checks and deletes in one step: meanwhile a new process may have got the number and use the name.
            argv = ("find", "-L", path, "-maxdepth", "0", *_NOWHERE, "-delete")
            yield Command(argv=argv, reason=f"remove {path}, the name of a network that is gone")


def _keep_existing(found: Plan, survey: Snapshot, driver: Driver) -> Plan:
    """Pin the namespaces that are to be entered, and leave out the commands for one that is another by now."""
    inodes = {space.netns: space.inode for space in survey.spaces.values()}
    paths = {command.netns for command in found.cleanup if command.netns is not None}
    good = set()
    for netns in paths:
        try:
            if driver.pin(netns).inode == inodes.get(netns):
                good.add(netns)
        except GuestError:  # it has ended, with all that was in it
            continue
    return found._replace(cleanup=tuple(c for c in found.cleanup if c.netns is None or c.netns in good))
