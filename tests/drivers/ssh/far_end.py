"""A far end without a process: it takes requests apart as a shell would, and answers what it is told to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipework_core.model.plan import Outcome
from pipework_drivers.ssh.transport import Received

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HELLO = "uid=0\npid=77\nticks=100\nown=net:[1]\nfirst=net:[2]\n"
PROGRAMS = ("ip", "nsenter", "readlink", "flock", "timeout", "setsid", "sh", "cat", "ovs-vsctl")
_REQUEST = re.compile(rb"request\(\) \{\n(.*?):\n\}\nrequest; finished (\d+)\n", re.DOTALL)
_JOB = re.compile(r'began\n(.*?)\nended "\$\?"([ \dnoe]*) \|\| return 0\n', re.DOTALL)
_NONCE = re.compile(rb"nonce=([0-9a-f]{32})\n")


class Said(NamedTuple):
    """What a job comes to."""

    code: int = 0
    out: bytes = b""
    err: bytes = b""


class FarEnd:
    """A transport (`Transport`) that answers each job by `answer`; `requests` are the lines of jobs of each.

    `silent_from` is the number of the first request that gets no answer: the connection is lost then.
    """

    def __init__(
        self,
        answer: Callable[[str], Said | None] = lambda _: None,
        *,
        hello: str = HELLO,
        programs: tuple[str, ...] = PROGRAMS,
        noise: bytes = b"",
        silent_from: int = 1000,
    ) -> None:
        self._answer = answer
        self._hello = (hello + "".join(f"{name}=/bin/{name}\n" for name in programs)).encode()
        self._programs = programs
        self._out, self._err = bytearray(noise), bytearray()
        self._silent_from = silent_from
        self._given = b""
        self._nonce = b""
        self.requests: list[list[str]] = []
        self.lines: list[bytes] = []
        self.last_words = b""
        self.code = 255
        self.closed = False
        #: What was forwarded, and what that comes to.
        self.carried: list[str] = []
        self.carriage = Outcome(code=0)
        self.turns = 0

    def send(self, data: bytes) -> None:
        self._given += data
        if not self._nonce and (nonce := _NONCE.match(self._given)):
            self._nonce = nonce[1]
        while request := _REQUEST.search(self._given):
            self._given = self._given[request.end() :]
            self._carry_out(request[1].decode(errors="surrogateescape"), int(request[2]))
        if data in {b"on\n", b"stop\n"}:
            self.lines.append(data)

    def receive(self, seconds: float) -> Received:
        del seconds
        self.turns += 1
        assert self.turns < 1000, "waited for what nobody will say"
        if not self._out and len(self.requests) >= self._silent_from:
            err, self.last_words = self.last_words, b""
            return Received(err=err, ended=True)
        out, err = bytes(self._out), bytes(self._err)
        self._out.clear()
        self._err.clear()
        return Received(out=out, err=err)

    def carry(self, words: Sequence[str]) -> Outcome:
        assert self.requests, "nobody has answered so far"
        self.carried += words
        return self.carriage

    def close(self, seconds: float) -> int:
        del seconds
        self.closed = True
        return self.code

    def _carry_out(self, body: str, number: int) -> None:
        jobs = _JOB.findall(body)
        self.requests.append([line for line, _ in jobs])
        if len(self.requests) >= self._silent_from:
            return
        for line, good in jobs:
            said = self._said(line)
            self._say(b"began 5.25")
            self._out += said.out
            self._err += said.err
            self._say(b"ended %d" % said.code)
            if good.strip() and str(said.code) not in good.split():
                break
        self._say(b"finished %d" % number)

    def _said(self, line: str) -> Said:
        if line.startswith("hello "):
            return Said(out=self._hello)
        given = self._answer(line)
        if given is not None:
            return given
        if line.startswith("'pin' "):
            return Said(out=b"net:[9]\n77 (a) b) S " + b" ".join(b"%d" % n for n in range(4, 30)) + b"\n")
        return Said()

    def _say(self, words: bytes) -> None:
        line = b"\n%s %s\n" % (self._nonce, words)
        self._out += line
        self._err += line
