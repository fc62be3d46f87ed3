"""The live driver: real processes in real namespaces."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from pipework_core.model.driver import TIMED_OUT, BaseDriver, has_succeeded, with_undoing
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.plan import Outcome
from pipework_core.plugins.hookspecs import hookimpl
from pipework_drivers import batch
from pipework_drivers.local.lock import HostLock
from pipework_drivers.local.pins import Pins
from pipework_drivers.local.process import (
    NOT_STARTED,
    TIMEOUT,
    Process,
    find_inheritance,
    find_package,
    has_ended,
    start_unattended,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

    from pipework_core.model.context import Guest
    from pipework_core.model.driver import Lock, PinnedNetns
    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Netns

    #: Runs one process: argv, namespace, stdin.
    _Run = Callable[[Sequence[str], Netns | None, str | None], Outcome]

#: Reads that are all started at once; more are read by so many threads.
_AT_ONCE = 8
#: Changes that run side by side. The kernel makes one at a time, but whoever deletes a link waits for a grace period
#: after that (rcu_barrier in net/core/dev.c), and many can wait at once: 1,000 links take 7 s with 16, and 4 s with 64.
_ACTING_AT_ONCE = 64


class LiveDriver(BaseDriver):
    """Runs plans. Holds every pinned namespace open until `release`. `timeout` is in seconds, for one process."""

    def __init__(self, *, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._pins = Pins()
        #: Where programs lie that were found; one that was not may be installed meanwhile.
        self._places: dict[str, str] = {}
        self._inheritance = find_inheritance()
        #: Processes that nobody waits for, and that may be running.
        self._unattended: list[int] = []

    def release(self) -> None:
        """Let the namespaces go, and reap what has ended that nobody waited for."""
        self._unattended = [pid for pid in self._unattended if not has_ended(pid)]
        self._pins.release()

    def pin(self, netns: Netns) -> PinnedNetns:
        """Open the namespace; see `Driver.pin`."""
        return self._pins.pin(netns)

    def has_program(self, program: str) -> bool:
        """Whether the program is on PATH."""
        return bool(self._find_place(program))

    def _find_place(self, program: str) -> str:
        """Return where a program lies on PATH; empty when there is none."""
        if program not in self._places:
            paths = (os.path.join(folder, program) for folder in os.get_exec_path())
            place = next(filter(_is_program, paths), "")
            if not place:
                return ""
            self._places[program] = place
        return self._places[program]

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run all of them at once; raise HostError when a program is missing that may not be (127 is no `ok_codes`)."""
        if len(commands) == 1 and commands[0].argv[0] == "docker":
            quick = self._ask_docker(commands[0])
            if quick is not None:
                return [quick]
        optional = [NOT_STARTED in command.ok_codes and not self.has_program(command.argv[0]) for command in commands]
        self._refuse_missing([command for command, left_out in zip(commands, optional, strict=True) if not left_out])
        if len(commands) > _AT_ONCE and not any(optional):
            from pipework_drivers.local.parallel import run_parallel  # noqa: PLC0415 - few reads need no threads

            run = self._make_parallel_run()
            asked = [partial(run, command.argv, command.netns, command.stdin) for command in commands]
            return run_parallel(asked, at_once=_AT_ONCE)
        processes: list[Process | None] = []
        try:
            for command, left_out in zip(commands, optional, strict=True):
                processes.append(None if left_out else self._start_read(command))
            return [process.wait_for_outcome() if process else Outcome(code=NOT_STARTED) for process in processes]
        finally:
            for process in filter(None, processes):
                process.end()

    def peek_links(self, spaces: Sequence[Netns]) -> list[Mapping[str, Link] | None]:
        """Ask the kernel in each of them, by one thread: what it waits for is not worth a second one."""
        from pipework_drivers.local import netlink, netns_thread  # noqa: PLC0415 - a single attachment does without
        from pipework_drivers.local.parallel import run_parallel  # noqa: PLC0415 - as above

        move = netns_thread.find_mover()

        def peek_at_all() -> list[Mapping[str, Link] | None]:
            return [peek_at(self._pins.find_fd(space)) for space in spaces]

        def peek_at(fd: int | None) -> Mapping[str, Link] | None:
            if fd is None:
                return None
            try:
                with netns_thread.visit_namespace(fd, move):
                    connection = netlink.open_connection()
            except OSError:
                return None
            with connection:
                return netlink.read_links(connection)

        return run_parallel([peek_at_all], at_once=1)[0]

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Run them in order, in as few processes as possible.

        Raise HostError, before anything is done, when a program is missing that doing or undoing them takes.
        """
        self._refuse_missing(with_undoing(commands))
        return self._run_commands(commands, stop, self._run_process, [])

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run several lists by threads, each of which waits for one process at a time; see `Driver`."""
        if len(lists) == 1:
            return [self.apply_list(lists[0], stop=stop)]
        from pipework_drivers.waits import apply_jointly, find_joint_waits  # noqa: PLC0415 - as below

        if joint := find_joint_waits(lists):
            return apply_jointly(self, lists, joint, stop)
        from pipework_drivers.local.parallel import run_parallel  # noqa: PLC0415 - one list needs no threads

        self._refuse_missing(with_undoing([command for commands in lists for command in commands]))
        run = self._make_parallel_run()
        asked = [partial(self._apply_surely, commands, stop, run) for commands in lists]
        return run_parallel(asked, at_once=_ACTING_AT_ONCE)

    def _apply_surely(self, commands: Sequence[Command], stop: Callable[[], bool], run: _Run) -> list[Outcome]:
        """Run one list of many; whatever happens, tell what was done, so that it can be undone with the others."""
        found: list[Outcome] = []
        try:
            self._run_commands(commands, stop, run, found)
        except Exception as error:  # noqa: BLE001 - such as no more descriptors; that step may have been carried out
            found.append(Outcome(code=TIMED_OUT, stderr=f"{commands[len(found)].argv[0]} was lost: {error!r}"))
        return found

    def _make_parallel_run(self) -> _Run:
        """Return what runs one process of many, in a thread: the quick way where that will do."""
        from pipework_drivers.local import netns_thread  # noqa: PLC0415 - a single attachment does without

        move = netns_thread.find_mover()

        def start_inside(argv: Sequence[str], netns: Netns | None, stdin: str | None) -> Process:
            space = self._pins.find_fd(netns)
            if space is None:
                return self._start_process(argv, netns, stdin)
            with netns_thread.visit_namespace(space, move):
                return self._start_process(argv, None, stdin)

        return partial(self._run_process, start=start_inside)

    def _run_commands(
        self, commands: Sequence[Command], stop: Callable[[], bool], run: _Run, found: list[Outcome]
    ) -> list[Outcome]:
        """Run commands in order, and add their outcomes to `found`, which is returned."""
        for group in batch.group_commands(commands):
            if stop():
                break
            if group.commands[0].timeout:
                found.append(self._run_patiently(group.commands[0], stop))
            else:
                found += self._run_group(group, run)
            if not has_succeeded(commands[len(found) - 1], found[-1]):
                break
        return found

    def start(self, commands: Sequence[Command]) -> None:
        """Start them in sessions of their own."""
        for command in commands:
            argv, _, fds = self._enter_namespace(command.argv, command.netns)
            pid = start_unattended(argv, fds=fds, inheritance=self._inheritance)
            self._unattended += [pid] if pid else []

    def replace_process(self, command: Command, guest: Guest, warn: Callable[[str], None]) -> NoReturn:
        """Become the command in the guest's network; see `RunDriver.replace_process`."""
        from pipework_drivers.local import guest_process  # noqa: PLC0415 - only `pipework exec` needs it

        space = self._pins.find_fd(guest.netns)
        if space is None:
            raise HostError(f"the network of {guest.name} is not held open.")
        guest_process.enter_network(space, guest.name)
        guest_process.use_files_of(guest, warn)
        guest_process.become(command.argv)

    def lock(self) -> Lock:
        """Hold the lock of this host."""
        return HostLock()

    def _ask_docker(self, command: Command) -> Outcome | None:
        from pipework_drivers.local import docker_engine  # noqa: PLC0415 - other runtimes need no sockets

        return docker_engine.answer_query(command.argv, os.environ)

    def _refuse_missing(self, commands: Sequence[Command]) -> None:
        """Raise HostError for a program that is not on PATH: noticed later, it would leave half a change."""
        programs = dict.fromkeys(command.argv[0] for command in commands)
        if any(command.netns for command in commands):
            programs["nsenter"] = None
        for program in programs:
            if not self.has_program(program):
                raise HostError(f"{program} is not installed here.", hint=f"install it{find_package(program)}")

    def _run_group(self, group: batch.Group, run: _Run) -> list[Outcome]:
        outcome = run(group.argv, group.netns, group.stdin)
        if not batch.has_failed_whole(group, outcome):
            return batch.split_outcome(group, outcome)
        found: list[Outcome] = []
        for command in group.commands:
            found.append(run(command.argv, command.netns, command.stdin))
            if not has_succeeded(command, found[-1]):
                break
        return found

    def _run_patiently(self, command: Command, stop: Callable[[], bool]) -> Outcome:
        """Run one that may take its time, and that a signal ends."""

        def wait_until_stopped(process: Process) -> Outcome:
            return process.wait_unless(stop, timeout=command.timeout)

        return self._run_process(command.argv, command.netns, command.stdin, wait_until_stopped)

    def _run_process(
        self,
        argv: Sequence[str],
        netns: Netns | None,
        stdin: str | None,
        wait: Callable[[Process], Outcome] | None = None,
        start: Callable[[Sequence[str], Netns | None, str | None], Process] | None = None,
    ) -> Outcome:
        """Run one process to its end. One that cannot be started has an outcome, too: what came before is undone."""
        try:
            process = (start or self._start_process)(argv, netns, stdin)
        except OSError as error:
            return _make_refusal(argv, error)
        try:
            return wait(process) if wait else process.wait_for_outcome()
        finally:
            process.end()

    def _start_read(self, command: Command) -> Process:
        try:
            return self._start_process(command.argv, command.netns, command.stdin)
        except OSError as error:
            raise HostError(f"{command.argv[0]} cannot be started: {error.strerror}.") from None

    def _start_process(self, argv: Sequence[str], netns: Netns | None, stdin: str | None) -> Process:
        entered, text, fds = self._enter_namespace(argv, netns, stdin)
        return Process(entered, stdin=text, fds=fds, timeout=self._timeout, inheritance=self._inheritance)

    def _enter_namespace(
        self, argv: Sequence[str], netns: Netns | None, stdin: str | None = None
    ) -> tuple[list[str], str | None, list[int]]:
        """Return the argv that enters the namespace, what it reads, and the descriptors that it needs.

        Descriptors of other guests stay here: who inherits one keeps that guest's namespace alive.
        """
        words, text, fds = self._pins.replace_paths(argv, stdin)
        if netns is None:
            return words, text, fds
        space = self._pins.find_fd(netns)
        if space is None:
            return ["nsenter", f"--net={netns.path}", *words], text, fds
        return ["nsenter", f"--net=/proc/self/fd/{space}", *words], text, sorted({*fds, space})


def _make_refusal(argv: Sequence[str], error: OSError) -> Outcome:
    """Return the outcome of what never ran: what came before it is undone."""
    return Outcome(code=NOT_STARTED, stderr=f"{argv[0]} cannot be started: {error.strerror}")


def _is_program(path: str) -> bool:
    # shutil.which() would do, and brings three compression libraries along: 2 ms of every run.
    return os.path.isfile(path) and os.access(path, os.X_OK)


class LocalDriverKind:
    """Makes live drivers, by `--driver live` or by none at all."""

    name = "live"

    def open(self, address: str) -> LiveDriver:
        """Return one; raise UsageError for an address, since there is only one such machine."""
        if address:
            raise UsageError(f"live:{address} names a machine, and live is this one.", hint="write --driver live")
        return LiveDriver()


@hookimpl
def pipework_drivers() -> list[LocalDriverKind]:
    """Register it."""
    return [LocalDriverKind()]
