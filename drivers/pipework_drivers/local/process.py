"""The one place where processes are started: argv lists only, no shell, a fixed environment for the tools' language.

posix_spawn(3) takes half the time of `subprocess` when there are hundreds, and spares one run the import of it: 4 ms.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.plan import Outcome
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

#: Seconds after which a tool is taken to hang. The slowest of ours, `ovs-vsctl`, has a shorter limit of its own.
TIMEOUT = 60.0
#: Seconds that a command with a timeout has beyond it, and to end after it is asked to.
_GRACE = 5.0
#: Seconds between two looks at whether a signal has come.
_GLANCE = 0.1
#: What a shell answers for a program that cannot be started.
NOT_STARTED = 127
#: Seconds to wait for a program that was killed.
_PARTING = 1.0
_CHUNK = 65536
#: Seconds between two looks at whether a process has ended.
_MOMENT = 0.001


class Inheritance(Record):
    """What tools get of this process: its environment with English messages, and which descriptors they do not get."""

    environment: Mapping[str, str]
    closed: tuple[int, ...]


def find_inheritance() -> Inheritance:
    """Return the environment for tools, and the descriptors above 2 that a child would inherit without being given.

    Python opens none of these; whoever started us may have left some open, such as a lock.
    """
    # Some messages are compared, so they have to be in English.
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return Inheritance(environment, tuple(fd for fd in map(int, os.listdir("/proc/self/fd")) if _is_inheritable(fd)))


class Process:
    """A started program. `fds` are the descriptors it inherits, under their own numbers; `timeout` is in seconds.

    Raises OSError when it cannot be started. `end` has to follow.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None,
        fds: Sequence[int],
        timeout: float = TIMEOUT,
        inheritance: Inheritance | None = None,
    ) -> None:
        self.asked = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._timeout = timeout
        self._code: int | None = None
        self._input = b"" if stdin is None else os.fsencode(stdin)
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(3)]
        (in_read, self._in), (self._out, out_write), (self._err, err_write) = pipes
        theirs = (in_read, out_write, err_write)
        try:
            # A group of its own: Ctrl-C at a terminal must reach pipework, which finishes or undoes, and not a tool
            # that is in the middle of a change.
            self._pid = _spawn_program(argv, theirs, fds, inheritance or find_inheritance(), setpgroup=0)
        except BaseException:
            _close_all((self._in, self._out, self._err))
            raise
        finally:
            _close_all(theirs)
        self._output = {self._out: b"", self._err: b""}
        self._open = {self._in, self._out, self._err}
        self._poll = select.poll()
        for fd in self._output:
            self._poll.register(fd, select.POLLIN)
        os.set_blocking(self._in, False)
        self._poll.register(self._in, select.POLLOUT)
        self._feed_input()

    def wait_for_outcome(self) -> Outcome:
        """Wait for the end and return it; a program that hangs is ended, and its code is then 124."""
        if self._wait_for_end(self._timeout):
            return self._make_outcome()
        self.end()
        message = f"gave no answer for {self._timeout:g} seconds and was ended"
        return Outcome(code=TIMED_OUT, stdout=self._decode_output(self._out), stderr=message, asked=self.asked)

    def wait_unless(self, stop: Callable[[], bool], *, timeout: float) -> Outcome:
        """Wait for the end, but end the program when `stop()` says so, or `_GRACE` seconds after `timeout`.

        It is asked with SIGTERM first, so that it can take back what it did; the outcome is cut short either way.
        """
        deadline = time.monotonic() + timeout + _GRACE
        late = False
        while not (stop() or late):
            if self._wait_for_end(_GLANCE):
                return self._make_outcome()
            late = time.monotonic() > deadline
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGTERM)
        self._wait_for_end(_GRACE)
        self.end()
        message = f"gave no answer for {timeout + _GRACE:g} seconds and was ended" if late else "was interrupted"
        return Outcome(code=TIMED_OUT if late else -signal.SIGTERM, stderr=message, asked=self.asked)

    def end(self) -> None:
        """Kill the program and all it started that is still of its group, unless it has ended; never wait for long."""
        if self._code is None:
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)
            self._reap_child(_PARTING)
        _close_all(self._open)
        self._open.clear()

    def _wait_for_end(self, seconds: float) -> bool:
        """Feed and read it for so long at most; return whether it has ended and both outputs as well."""
        deadline = time.monotonic() + seconds
        while self._open - {self._in}:
            ready = self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ready:
                return False
            for fd, _ in ready:
                if fd == self._in:
                    self._feed_input()
                else:
                    self._read_output(fd)
        return self._reap_child(deadline - time.monotonic())

    def _feed_input(self) -> None:
        """Write what fits into the pipe, and close it after the last byte."""
        try:
            self._input = self._input[os.write(self._in, self._input) :] if self._input else b""
        except BlockingIOError:
            return
        except BrokenPipeError:  # it ended without reading, and will say why
            self._input = b""
        if not self._input:
            self._close_pipe(self._in)

    def _read_output(self, fd: int) -> None:
        data = os.read(fd, _CHUNK)
        self._output[fd] += data
        if not data:
            self._close_pipe(fd)

    def _close_pipe(self, fd: int) -> None:
        self._poll.unregister(fd)
        self._open.discard(fd)
        os.close(fd)

    def _reap_child(self, seconds: float) -> bool:
        """Wait so long for the process itself; return whether it has ended."""
        deadline = time.monotonic() + seconds
        while self._code is None:
            self._code = _find_exit_code(self._pid)
            left = deadline - time.monotonic()
            if self._code is None and left <= 0:
                return False
            if self._code is None:
                _sleep_until_exit(self._pid, left)
        return True

    def _make_outcome(self) -> Outcome:
        code = self._code or 0
        return Outcome(
            code=code, stdout=self._decode_output(self._out), stderr=self._decode_output(self._err), asked=self.asked
        )

    def _decode_output(self, fd: int) -> str:
        return os.fsdecode(self._output[fd])


def start_unattended(argv: Sequence[str], *, fds: Sequence[int], inheritance: Inheritance | None = None) -> int:
    """Start a program that nobody waits for, in a session of its own; return its PID, 0 when it cannot be started."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        return _spawn_program(argv, (null, null, null), fds, inheritance or find_inheritance(), setsid=True)
    except OSError:
        return 0
    finally:
        os.close(null)


def has_ended(pid: int) -> bool:
    """Reap a process of ours if it has ended, and return whether it has."""
    return _find_exit_code(pid) is not None


def find_package(program: str) -> str:
    """Say in brackets which Debian package has a program; nothing for a program of unknown origin."""
    packages = {"ip": "iproute2", "bridge": "iproute2", "tc": "iproute2", "nsenter": "util-linux"}
    packages |= {"ovs-vsctl": "openvswitch-switch", "arping": "iputils-arping", "lxc-info": "lxc", "iw": "iw"}
    packages |= {"docker": "docker.io", "sysctl": "procps"}
    packages |= dict.fromkeys(("flock", "setsid", "lsns"), "util-linux")
    packages |= dict.fromkeys(("cat", "readlink", "tee", "timeout"), "coreutils")
    return f" (package {packages[program]} in Debian)" if program in packages else ""


def _spawn_program(
    argv: Sequence[str],
    streams: Sequence[int],
    fds: Sequence[int],
    inheritance: Inheritance,
    **options: Any,  # noqa: ANN401 - of os.posix_spawnp
) -> int:
    """Start a program with these three streams; return its PID."""
    actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(streams)]
    # A descriptor that is duplicated onto itself is inherited (posix_spawn_file_actions_adddup2(3)).
    actions += [(os.POSIX_SPAWN_DUP2, fd, fd) for fd in fds]
    actions += [(os.POSIX_SPAWN_CLOSE, fd) for fd in inheritance.closed if fd not in fds]
    # Python ignores both signals, and programs do not expect that.
    defaults = (signal.SIGPIPE, signal.SIGXFSZ)
    return os.posix_spawnp(
        argv[0], list(argv), inheritance.environment, file_actions=actions, setsigdef=defaults, **options
    )


def _find_exit_code(pid: int) -> int | None:
    """Return the exit code, negative for a signal; None while the process runs."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # whoever started us ignores SIGCHLD: the kernel reaps it, and its code is lost
        return 0
    return os.waitstatus_to_exitcode(status) if ended else None


def _sleep_until_exit(pid: int, seconds: float) -> None:
    """Sleep until a process ends, for so long at most; where the kernel has no pidfds (before 5.3), for a moment."""
    try:
        watch = os.pidfd_open(pid)
    except OSError:
        time.sleep(min(seconds, _MOMENT))
        return
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.poll(seconds * 1000)
    finally:
        os.close(watch)


def _is_inheritable(fd: int) -> bool:
    try:
        return fd > 2 and os.get_inheritable(fd)  # noqa: PLR2004 - stderr
    except OSError:  # that of the listing itself, which is closed
        return False


def _close_all(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)
