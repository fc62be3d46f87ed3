"""The ssh driver: the same plans on a machine that has iproute2, util-linux and a POSIX shell, and no Python.

One connection carries a whole run. A shell at its far end (`remote_shell.sh`) takes requests and answers them, in as
few round trips as the engine's questions allow: all reads of a step are one, all commands of a plan are one, and what
needs no answer (the lock, giving it back, announcements) travels with what does.
"""

from __future__ import annotations

import re
import signal
import time
from itertools import takewhile
from typing import TYPE_CHECKING

from pipework_core.model.driver import BaseDriver, PinnedNetns, has_succeeded, with_undoing
from pipework_core.model.errors import GuestError, HostError, NoNamespaceError
from pipework_core.model.plan import HOST, Outcome
from pipework_core.model.records import Record
from pipework_core.plugins.hookspecs import hookimpl
from pipework_drivers import batch
from pipework_drivers.fd_paths import replace_in_text, replace_words, split_words
from pipework_drivers.local.process import NOT_STARTED, TIMEOUT, find_package
from pipework_drivers.ssh import address as ssh_address
from pipework_drivers.ssh.lock import LOCK, RemoteLock
from pipework_drivers.ssh.placing import Placing
from pipework_drivers.ssh.protocol import Job, command_line, quote_word
from pipework_drivers.ssh.scripts import find_left_file, list_folders, make_portable
from pipework_drivers.ssh.session import Session
from pipework_drivers.ssh.transport import OpenSSH
from pipework_drivers.waits import apply_jointly, find_joint_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipework_core.model.driver import Lock
    from pipework_core.model.plan import Command, Netns
    from pipework_drivers.ssh.address import Address
    from pipework_drivers.ssh.transport import Transport

#: Descriptors of pinned namespaces there; 0 to 2 are the connection, 3 the lock. dash(1) knows those of one digit only.
_DIGITS = (9, 8, 7, 6, 5)
#: The one of a process that holds one more, and the seconds after which it ends anyhow.
_PASSING, _HELD = 4, 3600
_HOLDER = re.compile(r"\nholder (\d+)\n\Z")
_FIRST = "/proc/1/ns/net"
_INODE = re.compile(r"net:\[(\d+)\]")
#: Seconds that a command with a timeout has beyond it, and to end after it is asked to.
_GRACE = 5.0
#: Seconds in which the engine asks for one namespace several times, on its way to one guest.
_MOMENT = 0.5


class _Latest(Record):
    """What was pinned last, after how many requests, and when."""

    path: str = ""
    pin: PinnedNetns = PinnedNetns(inode=0)
    sent: int = -1
    when: float = 0.0

    def is_current(self, sent: int) -> bool:
        """Whether asking again would be the same question: nothing was asked since, and that is a moment ago."""
        return self.sent == sent and time.monotonic() - self.when < _MOMENT


class SshDriver(BaseDriver):
    """Runs plans on another machine, as root there. Namespaces are held open by the shell at the far end."""

    def __init__(
        self, address: Address, *, connect: Callable[[Address], Transport] = OpenSSH, timeout: float = TIMEOUT
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._session = Session(address, connect(address), timeout=timeout)
        self._placing = Placing(self._session, str(address))
        self._pins: dict[str, int] = {}
        #: The processes that hold further namespaces, by their paths.
        self._holders: dict[str, int] = {}
        self._latest = _Latest()

    @property
    def script_line(self) -> str:
        """The command line that runs a script of a dry run there, where ssh alone is not enough."""
        return self._session.script_line

    def release(self) -> None:
        """Have the shell there close the namespaces."""
        jobs = [Job("exec " + " ".join(f"{digit}<&-" for digit in self._pins.values()))] if self._pins else []
        jobs += [Job("drop")] if self._holders else []
        if jobs:
            self._session.send_jobs(jobs)
        self._pins.clear()
        self._holders.clear()
        self._latest = _Latest()

    def close(self, error: BaseException | None = None) -> None:
        """End the connection, and with it whatever is held."""
        del error
        self._session.close()

    def pin(self, netns: Netns) -> PinnedNetns:
        """Open the namespace there; see `Driver.pin`."""
        facts = self._session.facts
        if netns.path == HOST.path:
            return PinnedNetns(inode=_parse_inode(facts.own, netns))
        if netns.path == _FIRST:  # it has no other process ever; one round trip less
            return PinnedNetns(inode=_parse_inode(facts.first, netns))
        if self._latest.path == netns.path and self._latest.is_current(self._session.sent):
            return self._latest.pin
        nsenter, readlink = (self._path_of(name) for name in ("nsenter", "readlink"))
        digit = self._pins.get(netns.path) or self._find_free_digit()
        words = ["pin", str(digit), netns.path, nsenter, readlink]
        if not digit:
            words = ["hold", str(_PASSING), netns.path, nsenter, readlink, str(_HELD)]
        outcome = self._session.run_jobs([Job(" ".join(map(quote_word, words)))])[0]
        if outcome.code != 0:
            self._pins.pop(netns.path, None)
            self._holders.pop(netns.path, None)
            raise _make_pin_error(netns, outcome)
        text = outcome.stdout
        if digit:
            self._pins[netns.path] = digit
        else:
            holder = _HOLDER.search(text)
            if holder is None:
                raise HostError(f"{self._address} does not say what holds {netns.path}.", hint="run this again")
            self._holders[netns.path] = int(holder[1])
            text = text[: holder.start()]
        said, _, stat = text.partition("\n")
        pin = PinnedNetns(inode=_parse_inode(said, netns), born=_parse_birth(stat, facts.ticks))
        self._latest = _Latest(netns.path, pin, self._session.sent, time.monotonic())
        return pin

    def has_program(self, program: str) -> bool:
        """Whether the program is on PATH there."""
        return self._session.locate(program) is not None

    def locate(self, program: str) -> str | None:
        """Return where the program lies there; None when it is not on PATH."""
        return self._session.locate(program)

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run all of them in one round trip; raise HostError when a program is missing that may not be."""
        left_out = [NOT_STARTED in command.ok_codes and not self.has_program(command.argv[0]) for command in commands]
        wanted = [command for command, out in zip(commands, left_out, strict=True) if not out]
        if not wanted:
            return [Outcome(code=NOT_STARTED) for _ in commands]
        self._refuse_commands(wanted)
        found = iter(self._session.run_jobs([Job(self._make_line(c.argv, c.netns, c.stdin)) for c in wanted]))
        return [Outcome(code=NOT_STARTED) if out else self._explain_kill(next(found)) for out in left_out]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Run them in order, in as few round trips; see `Driver.apply`.

        The other machine ends a request after a command that failed, so that nothing has to be asked in between.
        What cannot be run there, or not be undone, fails before it is begun: what was done before, perhaps by an
        earlier call, is for the engine to undo.
        """
        able = list(takewhile(lambda command: not self._find_refusal(command), commands))
        found: list[Outcome] = []
        for portion in _split_portions(batch.group_commands(able)):
            if stop():
                return found
            found += (
                self._run_patiently(portion[0], stop)
                if portion[0].commands[0].timeout
                else self._run_portion(portion, stop)
            )
            if not has_succeeded(commands[len(found) - 1], found[-1]):
                return found
        if len(able) < len(commands) and not stop():
            found.append(Outcome(code=NOT_STARTED, stderr=str(self._find_refusal(commands[len(able)]))))
        return found

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run one list after the other; those that wait for the same, wait together."""
        joint = find_joint_waits(lists)
        return apply_jointly(self, lists, joint, stop) if joint else super().apply(lists, stop=stop)

    def start(self, commands: Sequence[Command]) -> None:
        """Start them in sessions of their own, which outlive the connection; nobody waits for an answer.

        What cannot be run there is left out.
        """
        lines = []
        for command in commands:
            if find_left_file(command.argv) or list_folders(command.argv):
                continue
            argv = [path for path in (self._session.locate("setsid"),) if path]
            line = self._make_line(command.argv, command.netns, command.stdin, limit=argv)
            lines.append(Job(f"{line} >/dev/null 2>&1 &"))
        if lines:
            self._session.send_jobs(lines)

    def lock(self) -> Lock:
        """Hold the lock of the other machine, which is the one that a pipework there takes."""
        return RemoteLock(self._session, str(self._address), flock=lambda: self._path_of("flock"))

    def _run_portion(self, portion: Sequence[batch.Group], stop: Callable[[], bool]) -> list[Outcome]:
        """Carry groups out in one round trip; return outcomes up to the first command that failed."""
        jobs = [Job(self._make_line(g.argv, g.netns, g.stdin), good=g.commands[0].ok_codes) for g in portion]
        outcomes = map(self._explain_kill, self._session.run_jobs(jobs, stop=stop))
        found: list[Outcome] = []
        for group, outcome in zip(portion, outcomes, strict=False):
            if not batch.has_failed_whole(group, outcome):
                found += batch.split_outcome(group, outcome)
            else:
                alone = [batch.group_commands([command])[0] for command in group.commands]
                found += self._run_portion(alone, stop)
        return found

    def _run_patiently(self, group: batch.Group, stop: Callable[[], bool]) -> list[Outcome]:
        """Run one that may take its time, and that a signal here ends there."""
        seconds = group.commands[0].timeout + _GRACE
        program = self._session.locate("timeout")
        limit = (program, "-k", f"{_GRACE:g}", f"{seconds:g}") if program else ()
        # The shell there waits for a line of ours, which we send when it has said that the command is over.
        over = '"$@"; code=$?; printf "\\n%s\\n" "pipework: over" >&2; exit "$code"'
        around = (self._path_of("setsid"), self._path_of("sh"), "-c", over, "sh", *limit)
        line = self._make_line(group.argv, group.netns, group.stdin, limit=around)
        return self._session.attend_job(Job(f'{line} & attend "$!"'), stop, timeout=seconds + _GRACE)

    def _explain_kill(self, outcome: Outcome) -> Outcome:
        """Say of a command that was killed why that may be."""
        if outcome.code != -signal.SIGKILL:
            return outcome
        return outcome._replace(stderr=f"was killed, as after {self._timeout:g} seconds without an answer")

    def _refuse_commands(self, commands: Sequence[Command]) -> None:
        """Raise HostError for what cannot be run there."""
        programs = dict.fromkeys(command.argv[0] for command in commands)
        if any(command.netns for command in commands):
            programs["nsenter"] = None
        for program in programs:
            self._path_of(program)
        for name in filter(None, (find_left_file(command.argv) for command in commands)):
            raise HostError(
                f"this takes {name}, a part of pipework that {self._address} does not have.",
                hint="install pipework on that machine, and run it there",
            )
        for command in commands:
            for folder in list_folders(command.argv):
                self._placing.place_folder(folder)

    def _find_refusal(self, command: Command) -> HostError | None:
        """Return why a command, or what undoes it, cannot be run there."""
        try:
            self._refuse_commands(with_undoing([command]))
        except HostError as error:
            return error
        return None

    def _path_of(self, program: str) -> str:
        path = self._session.locate(program)
        if path is None:
            raise HostError(
                f"{program} is not installed on {self._address}.", hint=f"install it there{find_package(program)}"
            )
        return path

    def _find_free_digit(self) -> int:
        """Return a descriptor of the shell there that holds no namespace; 0 when all do."""
        return next((digit for digit in _DIGITS if digit not in self._pins.values()), 0)

    def _make_line(
        self, argv: Sequence[str], netns: Netns | None, stdin: str | None, *, limit: Sequence[str] | None = None
    ) -> str:
        """Return the line that runs a command there: `limit` first, in its namespace, with no descriptor too many.

        A pinned path that is a word of its own becomes the descriptor that was opened for it; see the live driver.
        """
        if limit is None:
            timeout = self._session.locate("timeout")
            limit = (timeout, "-s", "KILL", f"{self._timeout:g}") if timeout else ()
        argv = make_portable(argv, self._placing.places)
        words = {*argv, *split_words(stdin), netns.path if netns else ""}
        used = sorted(digit for path, digit in self._pins.items() if path in words)
        held = {path: f"/proc/self/fd/{digit}" for path, digit in self._pins.items() if path in words}
        held |= {path: f"/proc/{pid}/fd/{_PASSING}" for path, pid in self._holders.items() if path in words}
        held |= {HOST.path: f"/proc/{self._session.facts.pid}/ns/net"}
        entered = [self._session.locate(argv[0]) or argv[0], *replace_words(argv[1:], held)]
        if netns is not None:
            entered = [self._path_of("nsenter"), f"--net={held.get(netns.path, netns.path)}", *entered]
        closed = [LOCK, *(digit for digit in sorted(self._pins.values()) if digit not in used)]
        text = None if stdin is None else replace_in_text(stdin, held)
        return command_line([*limit, *entered], stdin=text, held=used, closed=closed)


def _split_portions(groups: Iterable[batch.Group]) -> Iterator[list[batch.Group]]:
    """Give the groups of one round trip each: what is expected of an answer is compared here, and ends one."""
    portion: list[batch.Group] = []
    for group in groups:
        if group.commands[0].timeout:
            if portion:
                yield portion
            yield [group]
            portion = []
            continue
        portion.append(group)
        if group.commands[0].expect is not None:
            yield portion
            portion = []
    if portion:
        yield portion


def _parse_inode(said: str, netns: Netns) -> int:
    match = _INODE.fullmatch(said.strip())
    if match is None:
        raise GuestError(f"{netns.path} may not be entered.", hint="it needs root there, and readlink (coreutils)")
    return int(match[1])


def _make_pin_error(netns: Netns, outcome: Outcome) -> GuestError:
    """Return the error for a namespace that the shell could not hold open; the codes are those of `pin` there."""
    if "not permitted" in outcome.stderr or "ermission denied" in outcome.stderr:
        return GuestError(f"{netns.path} may not be entered.", hint="it needs root there")
    if outcome.code == 5:  # noqa: PLR2004 - see remote_shell.sh
        return GuestError(f"{netns.path} is no network namespace.", hint="`ip netns` lists those that have a name")
    if outcome.code == 6:  # noqa: PLR2004 - see remote_shell.sh
        return NoNamespaceError(f"the process of {netns.path} has just ended.", hint="is the guest running?")
    return NoNamespaceError(f"the network namespace {netns.path} is not there.", hint="is the guest running?")


def _parse_birth(stat: str, ticks: int) -> float:
    """Return when a process was started, in seconds since boot (proc(5), stat, field 22); 0.0 for none."""
    # The name in field 2 may hold anything, parentheses included; what follows the last one is plain.
    fields = stat.rpartition(")")[2].split()
    birth = fields[19] if len(fields) > 19 else "0"  # noqa: PLR2004 - see above
    return float(birth) / ticks if birth.isascii() and birth.isdigit() else 0.0


class SshDrivers:
    """Makes them, by `--driver ssh://…`."""

    name = "ssh"

    def open(self, address: str) -> SshDriver:
        """Connect; raise UsageError or HostError."""
        return SshDriver(ssh_address.parse_address(address))


@hookimpl
def pipework_drivers() -> list[SshDrivers]:
    """Register it."""
    return [SshDrivers()]
