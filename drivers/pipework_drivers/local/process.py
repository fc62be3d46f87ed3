"""The one place where processes are started: argv lists only, no shell, a fixed environment for the tools' language."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Seconds after which a tool is taken to hang. The slowest of ours, `ovs-vsctl`, has a shorter limit of its own.
TIMEOUT = 60.0
#: Seconds that a patient program has beyond its own patience, and to go when it is asked to.
_GRACE = 5.0
#: Seconds between two looks at whether a signal has come.
_GLANCE = 0.1
#: What a shell answers for a program that cannot be started.
NOT_STARTED = 127
#: Seconds for the pipes of a program that was ended; somebody it started may hold them open.
_PARTING = 1.0


class Process:
    """A started program: its argv, the moment it was started, and its end."""

    def __init__(self, argv: Sequence[str], *, stdin: str | None, fds: Sequence[int], timeout: float = TIMEOUT) -> None:
        self.asked = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._stdin = stdin
        self._timeout = timeout
        # A group of its own: Ctrl-C at a terminal must reach pipework, which finishes or undoes, and not a tool that is
        # in the middle of a change.
        self._child = subprocess.Popen(  # noqa: S603 - a list, and no shell
            argv,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=fds,
            process_group=0,
            env=tool_environment(),
        )

    def outcome(self) -> Outcome:
        """Wait for the end and return it; a program that hangs is ended, and its code is then 124."""
        data = None if self._stdin is None else os.fsencode(self._stdin)
        try:
            out, err = self._child.communicate(data, timeout=self._timeout)
        except subprocess.TimeoutExpired as late:
            self.end()
            said = f"gave no answer for {self._timeout:g} seconds and was ended"
            return Outcome(code=TIMED_OUT, stdout=_text(late.stdout or b""), stderr=said, asked=self.asked)
        return Outcome(code=self._child.returncode, stdout=_text(out), stderr=_text(err), asked=self.asked)

    def outcome_unless(self, stop: Callable[[], bool], *, timeout: float) -> Outcome:
        """Wait for the end, but end the program when `stop()` says so, or `_GRACE` seconds behind its own patience.

        It is asked with SIGTERM first, so that it can take back what it did; the outcome is cut short either way.
        """
        data = None if self._stdin is None else os.fsencode(self._stdin)
        deadline = time.monotonic() + timeout + _GRACE
        late = False
        while not (stop() or late):
            try:
                out, err = self._child.communicate(data, timeout=_GLANCE)
            except subprocess.TimeoutExpired:
                data = None  # it has been handed over
                late = time.monotonic() > deadline
            else:
                return Outcome(code=self._child.returncode, stdout=_text(out), stderr=_text(err), asked=self.asked)
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._child.communicate(timeout=_GRACE)
        self.end()
        said = f"gave no answer for {timeout + _GRACE:g} seconds and was ended" if late else "was interrupted"
        return Outcome(code=TIMED_OUT if late else -signal.SIGTERM, stderr=said, asked=self.asked)

    def end(self) -> None:
        """Kill the program and all it started that is still of its group, unless it has ended; never wait for long."""
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired, ValueError):
                self._child.communicate(timeout=_PARTING)
            with suppress(subprocess.TimeoutExpired):  # it may be gone while somebody else holds its pipes
                self._child.wait(_PARTING)
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def start_unattended(argv: Sequence[str], *, fds: Sequence[int]) -> None:
    """Start a program that nobody waits for, in a session of its own; one that cannot be started is left out."""
    try:
        child = subprocess.Popen(  # noqa: S603 - a list, and no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=fds,
            start_new_session=True,
            env=tool_environment(),
        )
    except OSError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        # Given up while it runs, it is reaped by subprocess itself when that starts the next one, or by process 1 when
        # we are gone before.
        del child


def tool_environment() -> dict[str, str]:
    """Return the environment for tools: ours, with messages in English, since some are compared."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def package_of(program: str) -> str:
    """Say which Debian package has a program."""
    packages = {"ip": "iproute2", "bridge": "iproute2", "tc": "iproute2", "nsenter": "util-linux"}
    packages |= {"ovs-vsctl": "openvswitch-switch", "arping": "iputils-arping", "lxc-info": "lxc", "iw": "iw"}
    packages |= {"docker": "docker.io", "sysctl": "procps"}
    packages |= dict.fromkeys(("flock", "setsid", "lsns"), "util-linux")
    packages |= dict.fromkeys(("cat", "readlink", "tee", "timeout"), "coreutils")
    return f"package {packages.get(program, program)} in Debian"


def _text(data: bytes) -> str:
    return os.fsdecode(data)
