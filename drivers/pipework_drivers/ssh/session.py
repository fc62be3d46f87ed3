"""One connection of the ssh driver: requests in order, answers in order, and what is known of the other machine."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.errors import HostError
from pipework_core.model.records import Record
from pipework_drivers.ssh import errors
from pipework_drivers.ssh.databases import plan_carriage
from pipework_drivers.ssh.protocol import Answers, Job, make_request, quote_word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.model.plan import Outcome
    from pipework_drivers.ssh.address import Address
    from pipework_drivers.ssh.transport import Transport

#: Programs that are looked for with the first request; others cost a round trip each.
_USUAL = (
    *("ip", "nsenter", "readlink", "flock", "timeout", "setsid", "sh", "cat", "bridge", "tc", "sysctl", "arping"),
    *("docker", "podman", "lxc-info", "ovs-vsctl", "iw", "tee", "iptables"),
)
#: Seconds from the start of ssh until a shell has answered, whatever else comes; ssh itself gives up before.
_GREETING = 13.0
#: Seconds without a word from the other machine, beyond those that one command may take there.
_SILENCE = 15.0
_PARTING = 5.0
#: Seconds for one answer in all, and its bytes: one that talks for ever, or never ends, is no answer.
_LONGEST = 600.0
#: Seconds between two looks whether somebody wants to stop.
_TURN = 0.5
_SIZE_MAX = 64 << 20
_GLANCE = 0.1
_OVER = "pipework: over"
_TOKEN_BYTES = 8
_AGENT = os.path.join(os.path.dirname(__file__), "remote_shell.sh")


class Facts(Record):
    """What the shell says of itself: process, ticks a second, its own namespace and process 1's (`net:[…]`)."""

    pid: int
    ticks: int
    own: str
    first: str


class Session:
    """Asks a shell at the far end of a transport; the first question has gone out when this is made.

    Raises HostError when there is no shell, when it is not root's, and when the connection breaks.
    """

    def __init__(self, address: Address, transport: Transport, *, timeout: float) -> None:
        nonce = os.urandom(16).hex()
        self._address = address
        self._transport = transport
        self._timeout = timeout + _SILENCE
        self._answers = Answers(nonce)
        self._sent = 0
        self._answered = 0
        self._first: list[Job] = []
        self._facts: Facts | None = None
        self._programs: dict[str, str] = {}
        self._opened = time.monotonic()
        #: The command line that runs a script there which names what this connection carries; empty for nothing.
        self.script_line = ""
        with open(_AGENT, "rb") as agent:
            transport.send(b"nonce=%s\n%s" % (nonce.encode(), agent.read()))
        self._send_request([Job(" ".join(("hello", *_USUAL)))])

    @property
    def facts(self) -> Facts:
        """What the other machine says of itself."""
        if self._facts is None:
            self._facts = self._read_greeting()
            if self._address.databases:
                self._carry_databases()
        return self._facts

    @property
    def sent(self) -> int:
        """How many requests were sent so far."""
        return self._sent

    def locate(self, program: str) -> str | None:
        """Return where a program lies there; None when it is not on PATH."""
        _ = self.facts  # which come with the usual ones
        if program not in self._programs:
            outcome = self.run_jobs([Job(f"where {quote_word(program)}")])[0]
            self._programs[program] = outcome.stdout.partition("=")[2].rstrip("\n")
        return self._programs[program] or None

    def put_first(self, job: Job) -> None:
        """Keep a job for the front of the next request: when its code is not good, HostError says so there."""
        self._first.append(job)

    def run_jobs(
        self, jobs: Sequence[Job], *, timeout: float | None = None, stop: Callable[[], bool] = lambda: False
    ) -> list[Outcome]:
        """Have them run there and return the outcomes of those that were: one round trip.

        Once `stop()` says so, an answer that is under way has a few seconds more.
        """
        number, ahead = self._send_after_first(jobs)
        outcomes = self._await_answer(number, timeout=timeout or self._timeout, stop=stop)
        self._check_ahead(ahead, outcomes)
        return outcomes[len(ahead) :]

    def send_jobs(self, jobs: Sequence[Job]) -> None:
        """Have them run there without waiting for an answer. Never raises for what they do."""
        self._send_request([*self._first, *jobs])
        self._first = []

    def attend_job(self, job: Job, stop: Callable[[], bool], *, timeout: float) -> list[Outcome]:
        """Run a job (see `attend` there), and end it when `stop()` says so, or after `timeout` seconds."""
        number, ahead = self._send_after_first([job])
        deadline = time.monotonic() + timeout
        word = b""
        while not word:
            self._receive_bytes(_GLANCE)
            if _OVER in self._answers.rest[1]:
                word = b"on\n"
            elif stop() or time.monotonic() > deadline:
                word = b"stop\n"
        self._transport.send(word)
        *before, outcome = self._await_answer(number, timeout=self._timeout)
        self._check_ahead(ahead, [*before, outcome])
        said = outcome.stderr.replace(f"\n{_OVER}\n", "")
        if word == b"on\n":
            return [outcome._replace(stderr=said)]
        code = -15 if stop() else TIMED_OUT
        return [outcome._replace(code=code, stderr="was interrupted" if stop() else "gave no answer and was ended")]

    def close(self) -> None:
        """Let what was sent be finished there, and end the connection."""
        self._transport.close(_PARTING)

    def _send_after_first(self, jobs: Sequence[Job]) -> tuple[int, list[Job]]:
        """Send what was kept for the next request, and these; return its number, and what stands in front."""
        ahead, self._first = self._first, []
        return self._send_request([*ahead, *jobs]), ahead

    @staticmethod
    def _check_ahead(ahead: Sequence[Job], outcomes: Sequence[Outcome]) -> None:
        for job, outcome in zip(ahead, outcomes, strict=False):
            if job.good is not None and outcome.code not in job.good:
                raise HostError(job.otherwise, hint=job.hint)

    def _send_request(self, jobs: Sequence[Job]) -> int:
        self._sent += 1
        self._transport.send(make_request(self._sent, jobs))
        return self._sent

    def _await_answer(
        self, number: int, *, timeout: float, longest: float = _LONGEST, stop: Callable[[], bool] = lambda: False
    ) -> list[Outcome]:
        """Return the answer to the request of that number; those before it, which nobody waits for, are dropped."""
        deadline = time.monotonic() + timeout
        end = time.monotonic() + max(timeout, longest)
        hurries = False
        while True:
            if stop() and not hurries:
                hurries, end = True, time.monotonic() + _PARTING
            late = time.monotonic() > end
            if late and not self._answered:
                raise self._make_silence_error(timeout)
            if late or self._answers.size > _SIZE_MAX:
                raise self._make_endless_error()
            try:
                found = self._answers.find_answer(self._answered + 1)
            except ValueError:
                raise HostError(
                    f"{self._address} gives answers that are out of order.", hint="run the same command again"
                ) from None
            if found is not None:
                self._answered += 1
                if self._answered == number:
                    return found
            elif self._receive_bytes(min(_TURN, max(0.0, deadline - time.monotonic()))):
                deadline = time.monotonic() + timeout
            elif time.monotonic() >= deadline:
                raise self._make_silence_error(timeout)

    def _receive_bytes(self, seconds: float) -> bool:
        """Take what has come within so many seconds, if anything; raise HostError when nothing more ever will."""
        received = self._transport.receive(seconds)
        self._answers.add_bytes(received.out, received.err)
        if received.ended and not received.out:
            raise self._make_end_error()
        return bool(received.out or received.err)

    def _read_greeting(self) -> Facts:
        """Take the first answer; raise HostError for a shell that is of no use."""
        left = max(_TURN, self._opened + _GREETING - time.monotonic())
        outcome = self._await_answer(1, timeout=left, longest=left)[0]
        said = dict(line.partition("=")[::2] for line in outcome.stdout.splitlines())
        try:
            uid, pid, ticks = (int(said.pop(key)) for key in ("uid", "pid", "ticks"))
        except (KeyError, ValueError):
            raise HostError(
                f"the shell of {self._address} does not say what it is.", hint="it needs a Linux with /proc"
            ) from None
        if uid != 0:
            raise HostError(
                f"{self._address} lets us in as a user who is not root.",
                hint=f"write ssh://root@{self._address.host}, and let root in with a key",
            )
        self._programs = dict.fromkeys(_USUAL, "") | {name: path for name, path in said.items() if name in _USUAL}
        return Facts(pid=pid, ticks=ticks, own=said.get("own", ""), first=said.get("first", ""))

    def _carry_databases(self) -> None:
        """Have the databases forwarded, and the shell there name them to OVN's programs before anything else."""
        carriage = plan_carriage(self._address.databases, os.urandom(_TOKEN_BYTES).hex())
        outcome = self._transport.carry(carriage.words)
        if outcome.code != 0:
            raise errors.make_carriage_error(self._address, outcome.stderr)
        ports = outcome.stdout.split()
        sockets = [path for path in carriage.sockets if path]
        self.script_line = self._address.make_script_line(carriage.find_words_again(ports), sockets)
        words = ("carry", carriage.name_remotes(ports), *sockets)
        said = f"{self._address} has no socket for the northbound database, although sshd says so."
        job = Job(" ".join(map(quote_word, words)), good=frozenset({0}), otherwise=said, hint=errors.CARRIAGE_HINT)
        self._first.insert(0, job)

    def _make_end_error(self) -> HostError:
        code = self._transport.close(_PARTING)
        out, err = self._answers.rest
        if self._answered == 0:
            return errors.make_connection_error(self._address, code, out, err)
        return errors.make_lost_error(self._address, err)

    def _make_endless_error(self) -> HostError:
        self._transport.close(0.0)
        return HostError(
            f"{self._address} does not stop talking, and what it says is no answer.",
            hint=f"what does `ssh {self._address.host}` print by itself?",
        )

    def _make_silence_error(self, timeout: float) -> HostError:
        self._transport.close(0.0)  # what is silent would be silent for as long as we waited for its end
        out, err = self._answers.rest
        if self._answered == 0:
            return errors.make_silence_error(self._address, _GREETING, out, err)
        return errors.make_lost_error(self._address, f"no word for {timeout:g} seconds")
