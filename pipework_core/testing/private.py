"""A host of a test's own: fresh network, mount, PID and host name namespaces, with nothing in them; no root needed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Self

from pipework_core.sandbox import host
from pipework_core.sandbox.init import READY
from pipework_core.testing import state
from pipework_core.testing.inside import InsideProcess, call_inside, child_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipework_core.testing.inside import Called
    from pipework_core.testing.state import Guest

#: The folder with this very pipework, for a Python without site packages.
SOURCE = str(Path(__file__).resolve().parents[2])
_CLOSE_SECONDS = 10.0
#: Variables that would lead a tool inside to a component outside, or make ps(1) cut its lines.
_OUTSIDE = ("COLUMNS", "CONTAINER", "DOCKER_", "LXC_", "OVN_", "OVS_", "XDG_RUNTIME_DIR")


def environment() -> dict[str, str]:
    """Return this process's environment without what points to components of the machine."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OUTSIDE)}
    return kept | {"PATH": host.tool_path(), "LC_ALL": "C.UTF-8"}


class PrivateHost:
    """A host of its own: interfaces, firewall, /run, /sys, processes; a context manager.

        with PrivateHost() as host:
            host.netns("web1")
            host.pipework("br1", "web1", "10.0.0.1/24")
            assert "eth1" in str(host.state(["web1"]))

    The machine's folders are visible inside, so the same Python environment runs there, but what is written to /etc,
    /var/lib, /var/log and /var/cache stays inside. It takes iproute2 and util-linux. Without root (or with `user=True`)
    it lies in a user namespace as well (user_namespaces(7)); everything that needs only `ip` works there. Nothing
    outlives `close()`, nor the test process.

    PIDs given to and returned by the methods are those of the host's own PID namespace: process 1 is the host's, as on
    a machine. `env` holds variables for every command inside.
    """

    def __init__(self, *, user: bool | None = None) -> None:
        self.user = os.geteuid() != 0 if user is None else user
        self.env: dict[str, str] = {}
        self._holder: subprocess.Popen[str] | None = None
        self._target = 0
        self._started: list[InsideProcess] = []

    def __enter__(self) -> Self:
        """Start the host; raise HostError, which names the kernel's setting or the program, when there can be none."""
        host.refuse_missing()
        user = ("--user", "--map-root-user") if self.user else ()
        unshare = ("unshare", *user, "--net", "--mount", "--uts", "--pid", "--fork")
        options = ("--propagation", "private", "--mount-proc", "--kill-child=KILL")
        words, path = self.process_1()
        self._holder = subprocess.Popen(  # noqa: S603 - a list, and no shell
            # Without the site packages (-S), Python starts in half the time.
            (*unshare, *options, sys.executable, "-S", *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment() | {"PYTHONPATH": path},
            text=True,
        )
        assert self._holder.stdout  # noqa: S101 - for the type checker
        assert self._holder.stderr  # noqa: S101 - for the type checker
        if self._holder.stdout.readline() != READY:
            reason = " / ".join(self._holder.stderr.read().split("\n")).strip(" /")
            self.close()
            raise host.explain_refusal(reason)
        self._target = child_of(self._holder.pid) or 0
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        """Close the host."""
        self.close()

    def process_1(self) -> tuple[tuple[str, ...], str]:
        """Return what Python runs as process 1, and where that is found (PYTHONPATH)."""
        return ("-m", "pipework_core.sandbox.init"), SOURCE

    def environment(self) -> dict[str, str]:
        """Return the environment of whatever runs inside."""
        return environment() | self.env

    @property
    def pid(self) -> int:
        """The machine's PID of process 1 of this host."""
        return self._target

    def argv(self, *argv: str) -> tuple[str, ...]:
        """Return the command line that runs `argv` inside, for use from the machine."""
        user = ("--user", "--preserve-credentials") if self.user else ()
        entered = ("--mount", "--net", "--uts", "--pid")
        return ("nsenter", f"--target={self._target}", *user, *entered, "--", *argv)

    def popen(
        self,
        *argv: str,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
    ) -> InsideProcess:
        """Start a command inside, in the folder /; it ends with the host at the latest."""
        process = InsideProcess(
            self.argv(*argv),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=self.environment() | dict(env or {}),
            text=True,
        )
        self._started.append(process)
        return process

    def run(
        self,
        *argv: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - the name that subprocess.run() gives it
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and return what it said.

        Raise AssertionError with its output when `check` and it fails, TimeoutExpired (after killing it) when it takes
        longer than `timeout` seconds.
        """
        # Files, not pipes: a daemon that the command leaves running would keep a pipe open.
        with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            given.write(input or "")
            given.seek(0)
            process = self.popen(*argv, env=env, stdin=given.fileno(), stdout=out.fileno(), stderr=err.fileno())
            try:
                process.wait(timeout)
            finally:
                process.kill()
                process.wait()
                self._started.remove(process)
            out.seek(0)
            err.seek(0)
            stdout, stderr = out.read(), err.read()
        done = subprocess.CompletedProcess(argv, process.returncode, stdout, stderr)
        if check and done.returncode != 0:
            raise AssertionError(f"{argv} ended with {done.returncode}\n{stdout}{stderr}")
        return done

    def call(self, function: Callable[[], object]) -> Called:
        """Run a function of this process inside, in a process of its own; see `inside.call`."""
        return call_inside(function, target=self._target, user=self.user, env=self.environment())

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file that lies in one of the host's own folders."""
        # Through /proc, the host's mounts are seen from here.
        file = Path(f"/proc/{self._target}/root{path}")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def pipework(
        self,
        *arguments: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - as above
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run the pipework installed beside this Python, not the one of the current folder (-P)."""
        command = (sys.executable, "-P", "-m", "pipework_core", *arguments)
        return self.run(*command, check=check, input=input, env=env, timeout=timeout)

    def netns(self, name: str) -> str:
        """Make a named network namespace inside, which is a guest `netns:NAME`, and return its name."""
        self.run("ip", "netns", "add", name)
        return name

    def process_guest(self) -> int:
        """Start a guest that is a bare process with its own network; return its PID inside."""
        process = self.popen("unshare", "--net", "sleep", "infinity")
        worker = process.worker()
        own = Path(f"/proc/{self._target}/ns/net").readlink()
        while Path(f"/proc/{worker}/ns/net").readlink() == own:
            if process.poll() is not None:
                raise RuntimeError("the guest process ended at once")
            time.sleep(0.001)
        return process.inside()

    def enter(self, guest: Guest) -> tuple[str, ...]:
        """Return the words that, before a command, run it in the network of a guest."""
        if guest is None:
            return ()
        if isinstance(guest, int):
            return ("nsenter", f"--target={guest}", "--net", "--")
        return ("nsenter", f"--net=/run/netns/{guest}", "--")

    def state(self, guests: Iterable[Guest] = ()) -> dict[str, state.Network]:
        """Return the network of the host (`host`) and of guests in a form made to be compared."""
        everybody: dict[str, Guest] = {"host": None}
        everybody |= {str(guest): guest for guest in guests}
        return state.read_networks(self, everybody)

    def close(self) -> None:
        """Kill everything inside and wait until it is gone. May be called twice."""
        holder, self._holder = self._holder, None
        if holder is None:
            return
        try:
            holder.communicate(timeout=_CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            holder.kill()
            holder.communicate()
        for process in self._started:
            process.wait(_CLOSE_SECONDS)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        self._started.clear()
