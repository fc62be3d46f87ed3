"""The one process of the ssh driver: OpenSSH's client, kept for a whole run. The only module that uses `sh`."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from pipework_core.model.errors import HostError
from pipework_core.model.records import Record
from pipework_drivers.ssh.control import find_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sh import RunningCommand

    from pipework_core.model.plan import Outcome
    from pipework_drivers.ssh.address import Address

#: No questions, no terminal, nothing of a connection but the command. Which hosts are trusted and which keys fit is
#: left to the user's own configuration (ssh_config(5)); a line that is dead is noticed within fifteen seconds.
_OPTIONS = (
    *("BatchMode=yes", "ClearAllForwardings=yes", "RemoteCommand=none"),
    *("ConnectTimeout=11", "ServerAliveInterval=5", "ServerAliveCountMax=3"),
)
#: Whatever shell the account has, this is understood by it, and everything else by a POSIX shell.
_SHELL = "exec sh"
_CHUNK = 65536
#: Signals that make Python code run, and must not while a child is being made.
_OURS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Received(Record):
    """What came over the line; `ended` when nothing more ever will."""

    out: bytes = b""
    err: bytes = b""
    ended: bool = False


class Transport(Protocol):
    """A connection to a shell: bytes there, and two streams of bytes back."""

    def send(self, data: bytes) -> None:
        """Send all of it, at the latest during the next `receive`; never raises when the line is dead."""

    def receive(self, seconds: float) -> Received:
        """Wait so long for something to come; empty when nothing did."""

    def carry(self, words: Sequence[str]) -> Outcome:
        """Have this forwarded to us (`ssh -R`), once there was an answer; see `Control.carry`."""

    def close(self, seconds: float) -> int:
        """Say that nothing more will be sent, wait so long for the other end, and return ssh's exit code."""


class OpenSSH:
    """An `ssh` process in a session of its own, so that Ctrl-C at a terminal reaches pipework alone."""

    def __init__(self, address: Address) -> None:
        self._control = find_control((*_list_options(_OPTIONS), *address.words)) if address.databases else None
        self._carried: tuple[str, ...] = ()
        options = _list_options((*_OPTIONS, *(self._control.options if self._control else ())))
        words = ("-T", *options, *address.words, _SHELL)
        self._stdin, self._stdout, self._stderr, self._process = _start_ssh(words)
        self._waiting = b""
        self._code: int | None = None
        self._open = {self._stdout, self._stderr}
        for fd in (self._stdin, *self._open):
            os.set_blocking(fd, False)

    def send(self, data: bytes) -> None:
        """Send what fits now; the rest goes out while something is waited for."""
        if self._code is None:
            self._waiting += data
            self._write_waiting()

    def receive(self, seconds: float) -> Received:
        """Wait for one of the two streams."""
        if self._code is not None or not self._open:
            return Received(ended=True)
        poll = select.poll()
        for fd in self._open:
            poll.register(fd, select.POLLIN)
        if self._waiting:
            poll.register(self._stdin, select.POLLOUT)
        ready = {fd for fd, _ in poll.poll(seconds * 1000)}
        if self._stdin in ready:
            self._write_waiting()
        out, err = (self._read_stream(fd) if fd in ready else b"" for fd in (self._stdout, self._stderr))
        # A master connection of the user's own configuration keeps stderr open for as long as it lives.
        return Received(out=out, err=err, ended=self._stdout not in self._open)

    def carry(self, words: Sequence[str]) -> Outcome:
        """Order it from the connection that we have, or share."""
        if self._control is None:
            message = "this connection was made without a control socket"
            raise ValueError(message)
        self._carried = tuple(words)
        return self._control.carry(words)

    def close(self, seconds: float) -> int:
        """Let the far end finish and leave; a process that stays is killed. May be called again."""
        if self._code is None:
            if self._control and self._carried:
                self._control.drop(self._carried)
            self._write_waiting()
            os.close(self._stdin)
            self._waiting = b""
            received, end = Received(out=b"more"), time.monotonic() + 2 * seconds
            while (received.out or received.err) and not received.ended and time.monotonic() < end:
                received = self.receive(seconds)
            self._code = self._end_process(seconds)
            for fd in (self._stdout, self._stderr):
                os.close(fd)
            if self._control:
                self._control.remove()
        return self._code

    def _end_process(self, seconds: float) -> int:
        import sh  # it is loaded by now

        try:
            with suppress(sh.TimeoutException):
                return int(self._process.wait(timeout=seconds).exit_code)
            self._process.kill_group()
            return int(self._process.wait(timeout=seconds).exit_code)
        except sh.ErrorReturnCode as error:
            return int(error.exit_code)
        except (sh.TimeoutException, ProcessLookupError):
            return -int(signal.SIGKILL)

    def _write_waiting(self) -> None:
        try:
            while self._waiting:
                self._waiting = self._waiting[os.write(self._stdin, self._waiting) :]
        except BlockingIOError:
            pass
        except OSError:  # the process has ended; its last words come by `receive`
            self._waiting = b""

    def _read_stream(self, fd: int) -> bytes:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._open.discard(fd)
        return data


def _list_options(options: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for option in options for word in ("-o", option))


def _start_ssh(words: Sequence[str]) -> tuple[int, int, int, RunningCommand]:
    """Start ssh; return our ends of its three streams, and the process. Raises HostError when it cannot be."""
    try:
        import sh  # a tenth of a second, which no other driver pays
    except ImportError:
        raise HostError(
            "the ssh driver needs the Python package sh, which is not installed.", hint="pip install 'pipework[ssh]'"
        ) from None
    (stdin, ours_in), (ours_out, stdout), (ours_err, stderr) = (os.pipe() for _ in range(3))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        with os.fdopen(stdin, "rb") as given, os.fdopen(stdout, "wb") as out, os.fdopen(stderr, "wb") as err:
            process = sh.Command("ssh")(
                *words,
                _in=given,
                _out=out,
                _err=err,
                _bg=True,
                _bg_exc=False,
                _new_session=True,
                _preexec_fn=lambda: _as_before(before),
                _env={**os.environ, "LC_ALL": "C.UTF-8"},  # what goes wrong is told by its English words
            )
    except sh.CommandNotFound:
        for fd in (ours_in, ours_out, ours_err):
            os.close(fd)
        raise HostError("ssh is not installed here.", hint="install it (package openssh-client in Debian)") from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return ours_in, ours_out, ours_err, process


def _as_before(mask: Iterable[int]) -> None:
    """Give the child the signals as programs expect them; its Python has nothing to do with ours any more."""
    for number in _OURS - {signal.SIGHUP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
