"""Examines a host: reads what is there once, lets each check ask what it needs besides, and collects what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.doctor.reader import ReadOnlyDriver
from pipework_core.engine import attachments, gc, snapshot
from pipework_core.engine.guests import GuestDirectory
from pipework_core.engine.shared_addresses import find_shared_addresses
from pipework_core.model.errors import GuestError, PipeworkError
from pipework_core.model.finding import ERROR, INFO, SEVERITIES, WARNING, Examination, Finding
from pipework_core.model.plan import Outcome
from pipework_core.plugins import validation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipework_core.model.driver import Driver
    from pipework_core.model.plan import Command, Netns
    from pipework_core.model.snapshot import Snapshot
    from pipework_core.plugins.api import Check
    from pipework_core.plugins.manager import PluginManager


def examine_host(name: str, *, driver: Driver, plugins: PluginManager, probe: bool) -> tuple[Finding, ...]:
    """Return what is found, the worst first; `name` is the guest that is asked about, empty for all.

    `probe` lets checks send packets into the guests' networks. Raises GuestError for a guest that is not there.
    """
    reader = ReadOnlyDriver(driver)
    checks = [check for check in plugins.list_checks() if probe or not check.probes]
    examination, findings = _read_host(name, reader, plugins)
    wanted = dict.fromkeys(program for check in checks for program in check.programs)  # in an order, for recordings
    examination = examination._replace(programs=frozenset(filter(reader.has_program, wanted)))
    findings += _run_checks(checks, examination, reader)
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _read_host(name: str, reader: ReadOnlyDriver, plugins: PluginManager) -> tuple[Examination, list[Finding]]:
    """Return the facts, and what kept them from being read."""
    findings: list[Finding] = []

    def warn(text: str) -> None:
        findings.append(Finding(WARNING, f"{text.rstrip('.')}.", "What is there cannot be judged.", check="host"))

    directory = GuestDirectory(plugins=plugins, driver=reader, warn=warn)
    guest = directory.find_guest(name) if name else None
    try:
        seen = snapshot.take_snapshot(reader, plugins, clients=True, addresses=True)
    except PipeworkError as error:
        why = "Interfaces and guests are not known, so that most is not judged."
        return Examination(guest=guest), [Finding(ERROR, str(error), why, advice=error.hint, check="host")]
    if seen.partial_view:
        warn(snapshot.PARTIAL_VIEW)
    found = attachments.list_attachments(seen, plugins.list_backends())
    owners = directory.find_owners(
        [seen.spaces[inode] for inode in {entry.inode for entry in found} if inode in seen.spaces],
        clients={client.pid for client in seen.clients},
    )
    known = tuple(attachments.add_guests(found, owners))
    if guest is not None and not any(entry.inode == guest.inode for entry in known):
        what = f"Nothing is attached to {guest.runtime}:{guest.name}."
        why = "What it has of its runtime, or by other hands, is not looked at."
        findings.append(Finding(INFO, what, why, check="host"))
    return Examination(
        host_state=seen.host_state,
        attachments=tuple(entry for entry in known if guest is None or entry.inode == guest.inode),
        spaces=seen.spaces,
        guest_states=seen.guest_states,
        guest=guest,
        garbage=tuple(_list_garbage(seen, reader, plugins)),
    ), [*findings, *map(_explain_unread, seen.warnings), *map(_explain_shared, find_shared_addresses(known))]


def _explain_unread(text: str) -> Finding:
    return Finding(WARNING, f"{text.rstrip('.')}.", "What is there cannot be judged.", check="host")


def _explain_shared(text: str) -> Finding:
    why = "Neighbours find now the one and now the other, so that neither works (RFC 5227)."
    return Finding(
        ERROR, f"{text}.", why, advice="Detach one of them, and attach it with another address.", check="addresses"
    )


def _list_garbage(seen: Snapshot, reader: ReadOnlyDriver, plugins: PluginManager) -> Iterator[Command]:
    """Yield what `gc` would remove: of what is guarded, only what the guard does not keep."""
    todo = gc.plan_collection(seen, plugins, reader).cleanup
    guards = list(dict.fromkeys(command.guard for command in todo if command.guard is not None))
    outcomes = dict(zip(guards, reader.read(guards) if guards else (), strict=True))
    for command in todo:
        outcome = outcomes[command.guard] if command.guard is not None else Outcome(code=0)
        if outcome.code == 0 and outcome.stdout.strip() in {"", "[]"}:
            yield command


def _run_checks(checks: Sequence[Check], examination: Examination, reader: ReadOnlyDriver) -> list[Finding]:
    """Ask all that the checks want to know at once, then let each judge."""
    findings: list[Finding] = []
    asked: dict[str, Mapping[str, Command]] = {}
    for check in checks:
        try:
            with validation.explain_errors(f"the check {check.name}"):
                asked[check.name] = check.queries(examination)
        except PipeworkError as error:
            findings.append(_explain_failure(check, error))
    answers = _ask(asked, examination, reader)
    for check in checks:
        if check.name not in asked:
            continue
        try:
            with validation.explain_errors(f"the check {check.name}"):
                found = list(check.judge(examination, answers[check.name]))
        except PipeworkError as error:
            found = [_explain_failure(check, error)]
        findings += [finding._replace(check=check.name) for finding in found]
    return findings


def _ask(
    asked: Mapping[str, Mapping[str, Command]], examination: Examination, reader: ReadOnlyDriver
) -> dict[str, dict[str, Outcome]]:
    """Return the answers by check and key; where a namespace is another one by now, there are none."""
    flat = [(name, key, command) for name, queries in asked.items() for key, command in queries.items()]
    spaces = dict.fromkeys(command.netns for _, _, command in flat if command.netns is not None)
    there = {netns for netns in spaces if _is_still_there(netns, examination, reader)}
    flat = [entry for entry in flat if entry[2].netns is None or entry[2].netns in there]
    answers: dict[str, dict[str, Outcome]] = {name: {} for name in asked}
    outcomes = reader.read([command for _, _, command in flat]) if flat else []
    for (name, key, _), outcome in zip(flat, outcomes, strict=True):
        answers[name][key] = outcome
    return answers


def _is_still_there(netns: Netns, examination: Examination, reader: ReadOnlyDriver) -> bool:
    """Whether a path leads to the guest that was seen there; it is held open from now on."""
    guests = [entry.guest for entry in examination.attachments if entry.guest is not None]
    inodes = {guest.netns: guest.inode for guest in (*guests, *filter(None, (examination.guest,)))}
    try:
        return reader.pin(netns).inode == inodes.get(netns)
    except GuestError:
        return False


def _explain_failure(check: Check, error: PipeworkError) -> Finding:
    why = "Whether there is anything amiss is not known."
    return Finding(WARNING, f"{str(error).rstrip('.')}.", why, advice=error.hint, check=check.name)
