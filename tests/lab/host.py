"""A host for one test: a fresh network, mount and PID namespace with nothing in it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Self

from . import state
from .inside import InsideProcess, child_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: A guest: the PID of one of its processes, the name of a network namespace, or None: the host.
Guest = int | str | None

#: Every process of the lab carries this variable, so that a left-over one is recognised.
OWNER = "PIPEWORK_LAB_OWNER"
#: How the control groups of private hosts begin.
CGROUP = "pipework-lab"
#: The folder of this package; its modules run as process 1 of hosts and kernels.
PACKAGE = Path(__file__).parent
CLOSE_SECONDS = 10.0
#: Variables that would lead a tool inside to a component outside, or make ps(1) cut its lines.
OUTSIDE = ("COLUMNS", "CONTAINER", "DOCKER_", "LXC_", "OVS_", "XDG_RUNTIME_DIR")


def is_root() -> bool:
    """Tell whether the test process is root (or pretends to be, in a user namespace)."""
    return os.geteuid() == 0


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what points to components of the machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(OUTSIDE)}
    path = kept.get("PATH", os.defpath)
    missing = [d for d in ("/usr/sbin", "/sbin", "/usr/bin", "/bin") if d not in path.split(":")]
    return kept | {
        "PATH": ":".join((path, *missing)),
        "LC_ALL": "C.UTF-8",
        OWNER: str(os.getpid()),
    }


class PrivateHost:
    """A host of its own: interfaces, firewall, /run, /sys, processes.

    The machine's folders are visible inside, so the same Python environment runs there, but what
    is written to /etc, /var/lib, /var/log and /var/cache stays inside.

    Without root (or with `user=True`) it lies in a user namespace as well; everything that needs
    only `ip` works there. Nothing outlives `close()`, nor the test process.

    PIDs given to and returned by the methods are those of the host's own PID namespace: process 1
    is the host's, as on a machine.
    """

    def __init__(self, *, user: bool | None = None) -> None:
        """Choose a user namespace (`user`), or leave it to whether this process is root."""
        self.user = not is_root() if user is None else user
        #: Variables that `run` and `popen` set for every command.
        self.env: dict[str, str] = {}
        #: The control group below which engines of this host make theirs.
        self.cgroup = f"{CGROUP}-{os.getpid()}-{secrets.token_hex(4)}"
        self._holder: subprocess.Popen[str] | None = None
        self._target = 0
        self._started: list[InsideProcess] = []

    def __enter__(self) -> Self:
        """Start the host; raise RuntimeError with the reason when the kernel refuses."""
        user = ("--user", "--map-root-user") if self.user else ()
        unshare = ("unshare", *user, "--net", "--mount", "--uts", "--pid", "--fork")
        options = ("--propagation", "private", "--mount-proc", "--kill-child=KILL")
        # Without the site packages (-S), Python starts in half the time.
        init = (sys.executable, "-S", "-m", f"{PACKAGE.name}.init")
        self._holder = subprocess.Popen(
            (*unshare, *options, *init, "" if self.user else self.cgroup),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment() | {"PYTHONPATH": str(PACKAGE.parent)},
            text=True,
        )
        assert self._holder.stdout
        assert self._holder.stderr
        if self._holder.stdout.readline() != "ready\n":
            reason = self._holder.stderr.read().strip()
            self.close()
            message = f"no private host: {reason}"
            raise RuntimeError(message)
        target = child_of(self._holder.pid)
        assert target is not None
        self._target = target
        self.run("ip", "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        """Close the host."""
        self.close()

    @property
    def pid(self) -> int:
        """Return the machine's PID of process 1 of this host."""
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
            env=clean_environment() | self.env | dict(env or {}),
            text=True,
        )
        self._started.append(process)
        return process

    def run(
        self,
        *argv: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 (the name subprocess.run gives it)
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside and return what it said.

        Raises AssertionError with its output when `check` and it fails, TimeoutExpired (after
        killing it) when it takes longer than `timeout` seconds.
        """
        # Files, not pipes: a daemon that the command leaves behind would keep a pipe open.
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
            message = f"{argv} ended with {done.returncode}\n{stdout}{stderr}"
            raise AssertionError(message)
        return done

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file that lies in one of the host's own folders."""
        # Through /proc, the host's mounts are seen from here.
        file = Path(f"/proc/{self._target}/root{path}")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def pipework(
        self,
        *arguments: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 - as subprocess.run() calls it
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run the pipework installed beside this Python, not the one of the current folder (-P)."""
        command = (sys.executable, "-P", "-m", "pipework_core", *arguments)
        return self.run(*command, check=check, input=input, env=env, timeout=timeout)

    def netns(self, name: str) -> str:
        """Make a named network namespace inside and return its name."""
        self.run("ip", "netns", "add", name)
        return name

    def process_guest(self) -> int:
        """Start a guest that is a bare process with its own network; return its PID inside."""
        process = self.popen("unshare", "--net", "sleep", "infinity")
        worker = process.worker()
        own = Path(f"/proc/{self._target}/ns/net").readlink()
        while Path(f"/proc/{worker}/ns/net").readlink() == own:
            if process.poll() is not None:
                message = "the guest process ended at once"
                raise RuntimeError(message)
            time.sleep(0.001)
        return process.inside()

    def enter(self, guest: Guest) -> tuple[str, ...]:
        """Return the words that, before a command, run it in the network of a guest."""
        if guest is None:
            return ()
        if isinstance(guest, int):
            return ("nsenter", f"--target={guest}", "--net", "--")
        return ("nsenter", f"--net=/run/netns/{guest}", "--")

    def ping(self, from_guest: Guest, address: str, *, within: float = 3.0) -> bool:
        """Tell whether an address answers a guest within so many seconds."""
        deadline = time.monotonic() + within
        ping = (*self.enter(from_guest), "busybox", "ping", "-c", "1", "-W", "1", address)
        while self.run(*ping, check=False).returncode != 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def sysctl(self, key: str, value: int) -> None:
        """Set a kernel parameter of this host, such as `net.ipv4.ip_forward`."""
        self.run("sysctl", "-q", "-w", f"{key}={value}")

    def state(self, guests: Iterable[Guest] = ()) -> dict[str, state.Network]:
        """Return the network of the host and of guests in a form made to be compared."""
        everybody: dict[str, Guest] = {"host": None}
        everybody |= {str(guest): guest for guest in guests}
        return state.networks(self, everybody)

    def close(self) -> None:
        """Kill everything inside and wait until it is gone. May be called twice."""
        holder, self._holder = self._holder, None
        if holder is None:
            return
        try:
            holder.communicate(timeout=CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            holder.kill()
            holder.communicate()
        for process in self._started:
            process.wait(CLOSE_SECONDS)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        self._started.clear()
