"""A sign of life on a terminal: what has been waited for since more than a second. It is gone afterwards."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from pipework_core.cli.table import cut_text
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import NoReturn, TextIO

    from pipework_core.model.context import Guest
    from pipework_core.model.driver import Lock, PinnedNetns, RunDriver
    from pipework_core.model.link import Link
    from pipework_core.model.plan import Command, Netns, Outcome

#: Seconds until there is a sign, and between two. What is shorter than a period is not worth one: it would flicker.
_DELAY, _PERIOD = 1.0, 0.25
#: Erase in Line (ECMA-48), from the first column on.
_CLEAR = "\r\x1b[K"


class Progress:
    """Writes on one line of a terminal, and only while something is waited for: whoever prints next finds it empty.

    A thread writes it. It lives no longer than the wait, since a process with threads may not enter every namespace.
    """

    def __init__(self, out: TextIO, *, delay: float = _DELAY) -> None:
        self._out = out
        self._start = time.monotonic()
        self._delay = delay
        self._noted = ""

    def count(self, done: int, total: int) -> None:
        """Take note of how many of how many are done, for the next sign."""
        self.note(f"{done} of {total}, ")

    def note(self, text: str) -> None:
        """Take note of what is to stand before what is waited for."""
        self._noted = text

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show `text` while the block takes time, if the run has taken long enough."""
        done = Event()
        writer = Thread(target=self._write, args=(text, done), daemon=True)
        writer.start()
        try:
            yield
        finally:
            done.set()
            writer.join()

    def _write(self, text: str, done: Event) -> None:
        if done.wait(max(self._start + self._delay - time.monotonic(), min(_PERIOD, self._delay))):
            return
        shown = ""
        while not (shown and done.wait(_PERIOD)):
            seconds = f" … {time.monotonic() - self._start:.0f} s"
            line = cut_text(f"{self._noted}{escape_text(text)}", self._find_width() - len(seconds) - 1) + seconds
            if line != shown:
                self._print(f"{_CLEAR}{line}")
            shown = line
        self._print(_CLEAR)

    def _find_width(self) -> int:
        try:
            return os.get_terminal_size(self._out.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _print(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):  # the terminal has gone, or cannot write the character; the work goes on
            pass


class ProgressDriver:
    """Hands everything to `inner`, and says what is waited for meanwhile."""

    def __init__(self, inner: RunDriver, progress: Progress) -> None:
        self._inner = inner
        self._progress = progress

    def pin(self, netns: Netns) -> PinnedNetns:
        """Pin it: on another machine, this may have to connect first."""
        with self._progress.waiting("open the guest's network"):
            return self._inner.pin(netns)

    def has_program(self, program: str) -> bool:
        """Look for it."""
        with self._progress.waiting(f"look for {program}"):
            return self._inner.has_program(program)

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run reads."""
        with self._progress.waiting(_describe([commands])):
            return self._inner.read(commands)

    def peek_links(self, spaces: Sequence[Netns]) -> list[Mapping[str, Link] | None]:
        """Look at links, which takes no time."""
        return self._inner.peek_links(spaces)

    def apply(self, lists: Sequence[Sequence[Command]], *, stop: Callable[[], bool]) -> list[list[Outcome]]:
        """Run changes."""
        with self._progress.waiting(_describe(lists)):
            return self._inner.apply(lists, stop=stop)

    def clean_up(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """Run what removes things."""
        with self._progress.waiting(_describe([commands])):
            return self._inner.clean_up(commands)

    def start(self, commands: Sequence[Command]) -> None:
        """Start commands that nobody waits for."""
        self._inner.start(commands)

    def replace_process(self, command: Command, guest: Guest, warn: Callable[[str], None]) -> NoReturn:
        """Become the command's program."""
        self._inner.replace_process(command, guest, warn)

    def lock(self) -> Lock:
        """Return the lock of the host."""
        return self._inner.lock()

    def release(self) -> None:
        """Let go of namespaces."""
        self._inner.release()

    def finish(self, notes: Sequence[str]) -> None:
        """Complete the run."""
        self._inner.finish(notes)

    def close(self, error: BaseException | None = None) -> None:
        """Let go of everything."""
        self._inner.close(error)


def _describe(lists: Sequence[Sequence[Command]]) -> str:
    """Say what the commands are for: the one that waits for the network, or else the first, and how many guests."""
    commands = [command for one in lists for command in one]
    told = next((command for command in commands if command.timeout), commands[0] if commands else None)
    others = len(lists) - 1
    text = (told.reason or str(told)) if told else "work"
    return f"{text}, and {others} more" if others > 0 else text
