"""The one place where processes are started: argv lists only, no shell, a fixed environment for the tools' language."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from pipework_core.errors import HostError
from pipework_core.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds after which a tool is taken to hang. The slowest of ours, `ovs-vsctl`, has a shorter limit of its own.
PATIENCE = 60.0
#: What timeout(1) exits with; a tool that was ended may have done its work or not.
TIMED_OUT = 124


class Process:
    """A started program: its argv, the moment it was started, and its end."""

    def __init__(self, argv: Sequence[str], *, stdin: str | None, fds: Sequence[int]) -> None:
        self.asked = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._stdin = stdin
        try:
            # A group of its own: Ctrl-C at a terminal must reach pipework, which finishes or undoes, and not a tool
            # that is in the middle of a change.
            self._child = subprocess.Popen(  # noqa: S603 - a list, and no shell
                argv,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=fds,
                process_group=0,
                env=tool_environment(),
            )
        except FileNotFoundError:
            raise HostError(f"{argv[0]} is not installed here.", hint=f"install it ({_package(argv[0])})") from None
        except OSError as error:
            raise HostError(f"{argv[0]} cannot be started: {error.strerror}.") from None

    def outcome(self) -> Outcome:
        """Wait for the end and return it; a program that hangs is ended, and its code is then 124."""
        data = None if self._stdin is None else self._stdin.encode("utf-8", "surrogateescape")
        try:
            out, err = self._child.communicate(data, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            out, _ = self._child.communicate()
            err = f"gave no answer for {PATIENCE:.0f} seconds and was ended".encode()
            return self._outcome(TIMED_OUT, out, err)
        return self._outcome(self._child.returncode, out, err)

    def _outcome(self, code: int, out: bytes, err: bytes) -> Outcome:
        return Outcome(code=code, stdout=_text(out), stderr=_text(err), asked=self.asked)


def start_unattended(argv: Sequence[str], *, fds: Sequence[int]) -> None:
    """Start a program that nobody waits for, in a session of its own; one that cannot be started is left out."""
    try:
        subprocess.Popen(  # noqa: S603 - a list, and no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=fds,
            start_new_session=True,
            env=tool_environment(),
        ).returncode = 0  # never reaped by us: we are gone before it ends, and its new parent reaps it
    except OSError:
        return


def tool_environment() -> dict[str, str]:
    """Return the environment for tools: ours, with messages in English, since some are compared."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _package(program: str) -> str:
    packages = {"ip": "iproute2", "bridge": "iproute2", "tc": "iproute2", "nsenter": "util-linux"}
    packages |= {"ovs-vsctl": "openvswitch-switch", "arping": "iputils-arping", "lxc-info": "lxc", "iw": "iw"}
    return f"package {packages.get(program, program)} in Debian"
