"""A process inside a private host that can be signalled from outside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

START_SECONDS = 5.0
POLL_SECONDS = 0.002


def child_of(parent: int) -> int | None:
    """Return the PID of a child of `parent`, read from /proc (proc(5), `stat`, field 4)."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            stat = (entry / "stat").read_text()
            # The command name stands in parentheses and may itself contain spaces.
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                return int(entry.name)
    return None


def pid_inside(pid: int) -> int:
    """Translate a PID of the machine to the one of the innermost PID namespace (proc(5), NSpid)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    message = f"the kernel does not say the PID of {pid} inside its namespace"
    raise RuntimeError(message)


class InsideProcess(subprocess.Popen[str]):
    """A process started through nsenter(1), which forks to enter the PID namespace.

    Signals go to the process itself, not to the nsenter that waits for it. When the process dies of
    a signal, nsenter ends by the same one, so `returncode` is as usual.
    """

    def worker(self) -> int:
        """Return the machine's PID of the process behind nsenter.

        Raises ProcessLookupError when it has already ended.
        """
        deadline = time.monotonic() + START_SECONDS
        while self.poll() is None and time.monotonic() < deadline:
            if (child := child_of(self.pid)) is not None:
                return child
            time.sleep(POLL_SECONDS)
        raise ProcessLookupError(self.args)

    def inside(self) -> int:
        """Return the PID of the process as the private host sees it."""
        return pid_inside(self.worker())

    def send_signal(self, sig: int) -> None:
        """Send a signal to the process behind nsenter; do nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.worker(), sig)
