"""A shell at a terminal: what is typed, the Tab key pressed, and the line that the shell makes of it.

Runs inside a private host: `python terminal.py SHELL SETUP LINE...` prints what becomes of each line.
"""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time

#: How each shell starts without files of the machine's.
SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}
#: Seconds after which a shell that says nothing has failed.
PATIENCE = 30.0
HOME, END, TAB = "\x01", "\x05", "\t"


class Terminal:
    """A shell with a terminal of its own."""

    def __init__(self, shell: str) -> None:
        self._seen = ""
        pid, self._master = pty.fork()
        if not pid:
            os.execvp(SHELLS[shell][0], SHELLS[shell])  # noqa: S606 - a shell is what is tried

    def complete(self, line: str) -> str:
        """Type the line, press Tab, and return what it is then: the shell is made to print it."""
        self._type(f"{line}{TAB}{HOME}echo @: {END} :@\n")
        return " ".join(self._wait_for(r"[\r\n]@: ([^\r\n]*):@[\r\n]").split())

    def run(self, command: str) -> None:
        """Run a command, and wait until it has ended."""
        self._type(f"{command}; echo @:ready:@\n")
        self._wait_for(r"[\r\n]@:(ready):@[\r\n]")

    def _type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def _wait_for(self, pattern: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._seen)):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._master], [], [], left)[0]:
                raise TimeoutError(f"the shell shows no {pattern!r}: {self._seen!r}")
            self._seen += os.read(self._master, 65536).decode(errors="replace")
        self._seen = self._seen[found.end() :]
        return found[1]


def main() -> None:
    """Print what becomes of each line."""
    shell, setup, *lines = sys.argv[1:]
    terminal = Terminal(shell)
    terminal.run(setup)
    for line in lines:
        print(terminal.complete(line), flush=True)


if __name__ == "__main__":
    main()
