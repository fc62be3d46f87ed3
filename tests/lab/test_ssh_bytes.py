"""What travels over ssh arrives as it was sent, and nothing is imported without need."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipework_drivers.ssh.address import Address
from pipework_drivers.ssh.protocol import Job, command_line
from pipework_drivers.ssh.session import Session
from pipework_drivers.ssh.transport import Received

from .parts import require
from .scripts import complaints_of_shellcheck

if TYPE_CHECKING:
    from .host import PrivateHost

AGENT = Path(__import__("pipework_drivers").__path__[0]) / "ssh" / "remote_shell.sh"


class LocalShell:
    """A transport to a shell of a private host, without ssh."""

    def __init__(self, argv: tuple[str, ...]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe)

    def send(self, data: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def receive(self, seconds: float) -> Received:
        streams = (self._process.stdout, self._process.stderr)
        ready = select.select(streams, (), (), seconds)[0]
        out, err = (os.read(s.fileno(), 65536) if s in ready and s else b"" for s in streams)
        return Received(out=out, err=err, ended=bool(ready) and not out and not err)

    def close(self, seconds: float) -> int:
        self._process.communicate(timeout=seconds)
        return self._process.returncode


@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix"), ("busybox", "sh")], ids=lambda words: words[0])
def test_any_byte_goes_there_and_comes_back(host: PrivateHost, shell: tuple[str, ...]) -> None:
    """Words of commands, what they read, and what they say, through the very shell and the very far end."""
    session = Session(Address(host="here"), LocalShell(host.argv(*shell)), timeout=20.0)
    echo = ("sh", "-c", "printf '%s\\0' \"$@\"; cat >&2; exit 7", "sh")

    @settings(max_examples=40, deadline=None)
    @given(words=st.lists(st.binary(min_size=1).filter(lambda word: b"\0" not in word)), text=st.binary())
    @example(words=[bytes(range(1, 256)), b"-n", b"$(id)", b"'"], text=bytes(range(256)))
    @example(words=[b"\x81\x82\x88"], text=b"-%s\\n%")
    def goes_through(words: list[bytes], text: bytes) -> None:
        line = command_line([*echo, *map(os.fsdecode, words)], stdin=os.fsdecode(text))
        first, second = session.run_jobs([Job(line), Job("true")])
        assert os.fsencode(first.stdout) == b"".join(word + b"\0" for word in words or [b""])
        assert os.fsencode(first.stderr) == text
        assert (first.code, second.code) == (7, 0)

    try:
        goes_through()
    finally:
        session.close()


def test_the_far_end_pleases_shellcheck() -> None:
    require("shellcheck")
    assert complaints_of_shellcheck(AGENT.read_text()) == ""


def test_nothing_of_the_library_is_imported_without_it() -> None:
    code = "import sys, pipework_drivers.ssh.driver; sys.exit('sh' in sys.modules)"
    assert subprocess.run((sys.executable, "-c", code), env=dict(os.environ), check=False).returncode == 0
