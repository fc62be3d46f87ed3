"""What goes over the wire of the ssh driver: requests as shell functions, answers between lines that nobody can forge.

A request is a function and its call, so a shell that got half of it, from a connection that broke, runs nothing of it.
Every word is quoted, and what a command reads is the format of a printf(1) that is built into the shell: any byte goes
through, and no file is written. Answers come as they are, stdout and stderr each in its own stream of ssh; where one
begins and ends say lines with a number that is made up for each connection.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pipework_core.model.plan import Outcome
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The highest number of a signal; shells say 128 and the number for what one ended (POSIX, 2.8.2). 255 is `ip`'s own.
_SIGNAL_MAX = 64
_SHELLS_OFFSET = 128


class Job(Record):
    """One command line of a request. When its code is none of `good`, the rest is left out; None: whatever it is.

    `otherwise` and `hint` are what that means, for a job whose outcome nobody looks at.
    """

    line: str
    good: frozenset[int] | None = None
    otherwise: str = ""
    hint: str = ""


def quote_word(word: str) -> str:
    """Return the word as the shell gets it back, whatever it holds (POSIX, 2.2.2; no word holds a NUL)."""
    return "'" + word.replace("'", "'\\''") + "'"


def command_line(
    argv: Sequence[str], *, stdin: str | None = None, held: Iterable[int] = (), closed: Iterable[int] = ()
) -> str:
    """Return the line that runs `argv` with what it reads, with descriptors that it needs and without others."""
    # Some shells close what they opened unless it is named; who inherits a namespace or a lock keeps it.
    redirections = [f"{fd}<&{fd}" for fd in held] + [f"{fd}<&-" for fd in closed]
    words = [quote_word(word) for word in argv]
    if stdin is None:
        return " ".join([*words, "</dev/null", *redirections])
    return f"printf {quote_word(_escape_format(stdin))} 2>/dev/null | " + " ".join([*words, *redirections])


def _escape_format(text: str) -> str:
    """Return the format of printf(1) that prints this text; a dash in front would be an option to some."""
    text = text.replace("\\", "\\\\").replace("%", "%%").replace("\0", "\\000")
    return f"\\055{text[1:]}" if text.startswith("-") else text


def make_request(number: int, jobs: Iterable[Job]) -> bytes:
    """Return the request of that number: its jobs in order, and a last line that says that they are over."""
    lines = ["request() {"]
    for job in jobs:
        good = "" if job.good is None else "".join(f" {code}" for code in sorted(job.good)) or " none"
        lines += ["began", job.line, f'ended "$?"{good} || return 0']
    lines += [":", "}", f"request; finished {number}", ""]
    return os.fsencode("\n".join(lines))


class Answers:
    """Takes the two streams apart. `nonce` is the number that only both ends of the connection know."""

    def __init__(self, nonce: str) -> None:
        self._streams = [bytearray(), bytearray()]
        self._mark = re.compile(rb"\n%s (began|ended) ([0-9.]+)\n" % nonce.encode())
        self._any = re.compile(rb"\n?%s [^\n]*\n" % nonce.encode())
        self._end = b"\n%s finished %%d\n" % nonce.encode()

    def add_bytes(self, out: bytes, err: bytes) -> None:
        """Add what has come."""
        self._streams[0] += out
        self._streams[1] += err

    @property
    def size(self) -> int:
        """The bytes that have come and belong to no answer so far."""
        return sum(map(len, self._streams))

    @property
    def rest(self) -> tuple[str, str]:
        """What stands in the streams and belongs to no answer so far, to quote from when there will be none."""
        out, err = (os.fsdecode(self._any.sub(b"\n", bytes(stream))) for stream in self._streams)
        return out, err

    def find_answer(self, number: int) -> list[Outcome] | None:
        """Return the outcomes of the request of that number, None while it is not finished.

        Raises ValueError when the two streams do not belong together.
        """
        end = self._end % number
        found = [stream.find(end) for stream in self._streams]
        if min(found) < 0:
            return None
        parts = [self._mark.split(bytes(stream[:at])) for stream, at in zip(self._streams, found, strict=True)]
        for stream, at in zip(self._streams, found, strict=True):
            del stream[: at + len(end)]
        outs, errs = (list(_split_jobs(part)) for part in parts)
        return [
            Outcome(code=_parse_code(int(code)), stdout=os.fsdecode(out), stderr=os.fsdecode(err), asked=float(asked))
            for (asked, out, code), (_, err, _) in zip(outs, errs, strict=True)
        ]


def _split_jobs(parts: list[bytes]) -> Iterable[tuple[bytes, bytes, bytes]]:
    """Give clock, words and code of each job.

    `parts` are noise, then `began`, clock, words, `ended`, code and noise for each; ValueError says that they are not.
    """
    if len(parts) % 6 != 1 or parts[1::6] != [b"began"] * (len(parts) // 6):
        raise ValueError("answers are out of order")
    return zip(parts[2::6], parts[3::6], parts[5::6], strict=True)


def _parse_code(said: int) -> int:
    """Return the exit code, negative for what a signal ended, as `Outcome` has it."""
    return _SHELLS_OFFSET - said if _SHELLS_OFFSET < said <= _SHELLS_OFFSET + _SIGNAL_MAX else said
