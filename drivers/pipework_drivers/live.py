"""The live driver: real processes in real namespaces."""

from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from pipework_core.driver import Pin, cut_short, succeeded
from pipework_core.errors import GuestError, NoNamespace
from pipework_drivers import batch
from pipework_drivers.lock import host_lock
from pipework_drivers.processes import Process, start_unattended

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from pipework_core.plan import Command, Netns, Outcome

_NS_GET_NSTYPE, _CLONE_NEWNET = 0xB703, 0x40000000
_TICKS = os.sysconf("SC_CLK_TCK")


class LiveDriver:
    """Runs plans. Holds every pinned namespace open until `close`."""

    def __init__(self) -> None:
        self._pins: dict[str, int] = {}

    def close(self) -> None:
        """Let the namespaces go."""
        while self._pins:
            os.close(self._pins.popitem()[1])

    def pin(self, netns: Netns) -> Pin:
        """Open the namespace; see `Driver.pin`."""
        try:
            fd = os.open(netns.path, os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            raise GuestError(f"{netns.path} may not be entered.", hint="run pipework as root") from None
        except OSError as error:
            raise NoNamespace(
                f"the network namespace {netns.path} is not there ({error.strerror}).", hint="is the guest running?"
            ) from None
        if not _is_network(fd):
            os.close(fd)
            raise GuestError(f"{netns.path} is no network namespace.", hint="`ip netns` lists those that have a name")
        known = self._pins.pop(netns.path, None)
        if known is not None:
            os.close(known)
        self._pins[netns.path] = fd
        return Pin(inode=os.fstat(fd).st_ino, born=_born(netns.path))

    def finds(self, program: str) -> bool:
        """Whether the program is on PATH."""
        return shutil.which(program) is not None

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run all of them at once."""
        processes = [self._process(command.argv, command.netns, command.stdin) for command in commands]
        return [process.outcome() for process in processes]

    def act(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Run them in order, as few processes; see `Driver.act`."""
        found: list[Outcome] = []
        for group in batch.groups(commands):
            if stop():
                break
            found += self._group(group)
            if not succeeded(commands[len(found) - 1], found[-1]):
                break
        return found

    def start(self, commands: Sequence[Command]) -> None:
        """Start them in sessions of their own."""
        for command in commands:
            argv, fds = self._entered(command.argv, command.netns)
            start_unattended(argv, fds=fds)

    def finish(self, notes: Sequence[str]) -> None:
        """Have nothing to add behind a run that succeeded."""

    def abort(self, error: BaseException) -> None:
        """Have nothing to add behind a run that failed: the engine has undone it."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the lock of this host."""
        return host_lock()

    def _group(self, group: batch.Group) -> list[Outcome]:
        outcome = self._process(group.argv, group.netns, group.stdin).outcome()
        if outcome.code == 0 or group.argv[0] == "ip" or len(group.commands) == 1:
            return batch.outcomes(group, outcome)
        if cut_short(outcome):  # the database may have it all by now, and a second try would fail for that reason
            return [*[outcome._replace(code=0)] * (len(group.commands) - 1), outcome]
        found: list[Outcome] = []
        for command in group.commands:  # an atomic transaction that failed: nothing was done yet
            found.append(self._process(command.argv, command.netns, command.stdin).outcome())
            if not succeeded(command, found[-1]):
                break
        return found

    def _process(self, argv: Sequence[str], netns: Netns | None, stdin: str | None) -> Process:
        entered, fds = self._entered(argv, netns)
        if stdin is not None:
            for path, fd in self._pins.items():
                stdin = stdin.replace(f" {path} ", f" /proc/self/fd/{fd} ").replace(
                    f" {path}\n", f" /proc/self/fd/{fd}\n"
                )
        return Process(entered, stdin=stdin, fds=fds)

    def _entered(self, argv: Sequence[str], netns: Netns | None) -> tuple[list[str], list[int]]:
        """Return the argv that enters the namespace, and the descriptors it needs.

        A pinned path that is a word of its own becomes the descriptor that was opened for it: whatever process the
        path leads to by now, the command goes where the guest was found.
        """
        held = {path: f"/proc/self/fd/{fd}" for path, fd in self._pins.items()}
        words = [held.get(word, word) for word in argv]
        if netns is not None:
            words = ["nsenter", f"--net={held[netns.path]}", *words]
        return words, list(self._pins.values())


def _is_network(fd: int) -> bool:
    """Ask the kernel for the type of a namespace (ioctl_ns(2)); a plain file has none."""
    try:
        return fcntl.ioctl(fd, _NS_GET_NSTYPE) == _CLONE_NEWNET
    except OSError:
        return False


def _born(path: str) -> float:
    """Return when the process of `/proc/PID/ns/net` was started, in seconds since boot (proc(5), stat, field 22)."""
    parts = path.split("/")
    if len(parts) < 4 or parts[1] != "proc" or not parts[2].isdigit():  # noqa: PLR2004 - "", proc, PID, …
        return 0.0
    try:
        with open(f"/proc/{parts[2]}/stat", encoding="utf-8", errors="replace") as file:
            # The name in field 2 may hold anything, parentheses included; what follows the last one is plain.
            return float(file.read().rpartition(")")[2].split()[19]) / _TICKS
    except OSError:
        raise NoNamespace(f"process {parts[2]} has just ended.", hint="is the guest running?") from None
