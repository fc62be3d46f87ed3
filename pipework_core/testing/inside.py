"""Being inside a private host: processes that can be signalled from outside, and functions of this process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
import warnings
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pipework_core.sandbox import host

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_START_SECONDS = 5.0
_POLL_SECONDS = 0.002


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
    raise RuntimeError(f"the kernel does not say the PID of {pid} inside its namespace")


class InsideProcess(subprocess.Popen[str]):
    """A process started through nsenter(1), which forks to enter the PID namespace.

    Signals go to the process itself, not to the nsenter that waits for it. When the process dies of
    a signal, nsenter ends by the same one, so `returncode` is as usual.
    """

    def worker(self) -> int:
        """Return the machine's PID of the process that nsenter started.

        Raises ProcessLookupError when it has already ended.
        """
        deadline = time.monotonic() + _START_SECONDS
        while self.poll() is None and time.monotonic() < deadline:
            if (child := child_of(self.pid)) is not None:
                return child
            time.sleep(_POLL_SECONDS)
        raise ProcessLookupError(self.args)

    def inside(self) -> int:
        """Return the PID of the process as the private host sees it."""
        return pid_inside(self.worker())

    def send_signal(self, sig: int) -> None:
        """Send a signal to the process that nsenter started; do nothing when it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.worker(), sig)


class Called(NamedTuple):
    """How a function ended that was run inside: its exit code as subprocess has it, what it returned and printed."""

    code: int
    value: Any
    said: str


#: In the order in which they can be entered: what may be done in the others depends on the user namespace.
_NAMESPACES = ("user", "net", "uts", "mnt", "pid")
_BROKEN = 70


def call_inside(function: Callable[[], object], *, target: int, user: bool, env: Mapping[str, str]) -> Called:
    """Fork, enter the namespaces of the process `target`, and run the function there with that environment.

    So a test's own objects, such as a plugin that is not installed, take part. What it returns comes back as JSON has
    it; whatever it raises is printed, with the code 1, or that of SystemExit.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with TemporaryFile("w+", errors="replace") as said, TemporaryFile("w+") as answer:
        with warnings.catch_warnings():
            # The child uses no thread of its parent's, which is what Python 3.12 warns of.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _be_the_door(partial(_be_the_function, function, env), target, said.fileno(), answer.fileno(), user=user)
        os.waitpid(child, 0)
        said.seek(0)
        answer.seek(0)
        code, _, value = answer.read().rpartition("\n")[2].partition(" ")
        return Called(int(code or _BROKEN), json.loads(value or "null"), said.read())


def _be_the_door(be: Callable[[int], NoReturn], target: int, said: int, answer: int, *, user: bool) -> NoReturn:
    """Enter, have a child be what is wanted inside, and note how it ended: a PID namespace is for children."""
    read, write = os.pipe()
    try:
        _redirect_output(said)
        for namespace in [_open_namespace(target, kind) for kind in _NAMESPACES if user or kind != "user"]:
            host.enter_host(namespace)
        child = os.fork()
        if child == 0:
            os.close(read)
            be(write)
        os.close(write)
        with os.fdopen(read) as told:
            value = told.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(answer, f"{code} {value}".encode())
    except BaseException:  # noqa: BLE001 - nothing may get from here into the caller's frames
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(0)


def _be_the_function(function: Callable[[], object], env: Mapping[str, str], write: int) -> NoReturn:
    code: object = 1
    try:
        os.environ.clear()
        os.environ.update(env)
        sys.path[:0] = [folder for folder in env.get("PYTHONPATH", "").split(":") if folder not in {"", *sys.path}]
        value = json.dumps(function())
        code = 0
        with os.fdopen(write, "w") as told:
            told.write(value)
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as above
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


def _redirect_output(said: int) -> None:
    """Let everything that is printed go into one file, and nothing be read; a test runner may have replaced both."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdout = sys.stderr = os.fdopen(os.dup(said), "w", errors="replace", buffering=1)


def _open_namespace(target: int, kind: str) -> int:
    return os.open(f"/proc/{target}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
