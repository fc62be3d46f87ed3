"""pipework on a terminal: a table that fits, colour, and signs of life that leave nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from typing import TYPE_CHECKING

from pipework_core.cli.table import measure_text

if TYPE_CHECKING:
    from .host import PrivateHost

#: Select Graphic Rendition, and Erase in Line.
COLOUR, CLEAR = re.compile(r"\x1b\[[\d;]*m"), "\r\x1b[K"


def on_terminal(host: PrivateHost, *words: str, columns: int = 80) -> tuple[str, int]:
    """Return what pipework writes on a terminal of so many columns, stdout and stderr, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    argv = (sys.executable, "-P", "-m", "pipework_core", *words)
    process = host.popen(*argv, stdout=theirs, stderr=theirs, env={"TERM": "xterm"})
    os.close(theirs)
    seen = b""
    while chunk := read(ours):
        seen += chunk
    os.close(ours)
    return seen.decode().replace("\r\n", "\n"), process.wait(60)


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last process has closed the other end
        return b""


def test_the_table_fits_the_window_and_a_pipe_gets_all_of_it(host: PrivateHost) -> None:
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    for number in (10, 2):
        name = host.netns(f"n{number}")
        host.pipework("br1", name, f"10.0.0.{number}/24,fd00:1234:5678:9abc::{number}/64", "-l", f"hostapp{number}")
    host.pipework("eth0", host.netns("a-name-that-is-as-long-as-names-of-containers-can-be-and-日本"), "10.1.0.1/24")
    piped = host.pipework("ls", env={"COLUMNS": "40"}).stdout
    assert "fd00:1234:5678:9abc::10/64" in piped
    assert "\x1b" not in piped
    for columns in (40, 80, 120):
        written, code = on_terminal(host, "ls", columns=columns)
        rows = COLOUR.sub("", written).splitlines()
        assert code == 0
        assert max(map(measure_text, rows)) <= columns
        assert [row.split()[0][:9] for row in rows] == ["GUEST", "netns:a-n", "netns:n2", "netns:n10"]
        assert rows[0].split()[:3] == ["GUEST", "INTERFACE", "STATE"]
        assert ("hostapp10" in rows[3]) == (columns >= 80)
        assert "\x1b[32mup\x1b[0m" in written
    assert on_terminal(host, "ls", "--wide", "--color", "never", columns=40)[0] == piped


def test_a_bridge_is_asked_for_what_is_on_it(host: PrivateHost) -> None:
    host.run("ip", "link", "add", "eth0", "up", "type", "veth", "peer", "name", "wire")
    blue, green = host.netns("blue"), host.netns("green")
    host.pipework("br1", blue, "10.0.0.1/24", "-l", "hostapp1")
    host.pipework("eth0", green, "10.1.0.1/24")
    host.run("ip", "link", "add", "br2", "type", "bridge")

    def ask(*words: str) -> list[str]:
        return host.pipework("ls", "--format", "{name} {interface}", *words).stdout.splitlines()

    assert ask("br1") == ask("hostapp1") == ask("--kind", "bridge") == ["blue eth1"]
    assert ask("eth0") == ask("--kind=macvlan", "--runtime=netns") == ["green eth1"]
    assert ask("br2") == ask("--state", "down") == ask("--runtime", "docker") == []
    assert host.pipework("ls", "br2").stderr == "pipework: nothing is attached to br2\n"
    host.pipework("br1", host.netns("br2"), "10.0.0.2/24")
    assert ask("br2") == ["br2 eth1"], "a guest of that name comes first"
    for words, said in (
        (("br3",), "note: the host has no interface br3 either"),
        (("--kind", "brige"), "there is no backend of the kind 'brige'"),
        (("--runtime", "dcoker"), "'dcoker'"),
    ):
        refused = host.pipework("ls", *words, check=False)
        assert refused.returncode in {1, 2}
        assert said in refused.stderr
        assert "\nhint: " in refused.stderr


def test_a_lease_that_does_not_come_gives_a_sign_of_life_that_goes_again(host: PrivateHost) -> None:
    blue = host.netns("blue")
    written, code = on_terminal(host, "br1", blue, "udhcpc", "--timeout", "4")
    assert code == 1
    signs = [part for part in written.split(CLEAR) if part.endswith(" s")]
    assert len({sign.rpartition("…")[2] for sign in signs}) >= 2, "the seconds go on"
    assert all(measure_text(sign) < 80 for sign in signs)
    assert written.rpartition(CLEAR)[2].startswith("pipework: error: ")
    piped = host.pipework("br1", blue, "udhcpc", "--timeout", "3", check=False)
    assert piped.stderr.startswith("pipework: error: ")
    assert "\x1b" not in piped.stderr
