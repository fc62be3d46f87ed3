"""The dry-run driver: reads for real, and prints what would change something as a script."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pipework_core.model.driver import BaseDriver, NullLock
from pipework_core.model.plan import Outcome
from pipework_core.plugins.hookspecs import hookimpl
from pipework_drivers.dry_run.script import Script, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from pipework_core.model.driver import Lock, PinnedNetns, RunDriver
    from pipework_core.model.plan import Command, Netns


class DryRunDriver(BaseDriver):
    """Hands reads to `inner`; whatever else it is given it takes for done, and writes to `out` in `finish`.

    `title` is the command line that the script names. Programs are found on PATH, or as `inner` finds them elsewhere.
    """

    def __init__(self, inner: RunDriver, out: TextIO, *, title: Sequence[str]) -> None:
        self._inner = inner
        self._out = out
        self._title = title
        self._locate: Callable[[str], str | None] = getattr(inner, "locate", shutil.which)
        self._inodes: dict[str, int] = {}
        self._sections: list[Section] = []
        self._steps: list[Command] = []  # of the section that is not finished
        self._announce: list[Command] = []

    @property
    def script_line(self) -> str:
        """What runs the script on another machine, where that takes more than the usual: see `DriverKind.open`."""
        return getattr(self._inner, "script_line", "")

    def pin(self, netns: Netns) -> PinnedNetns:
        """Pin it for the reads, and remember which namespace it is for the script."""
        pin = self._inner.pin(netns)
        self._inodes[netns.path] = pin.inode
        return pin

    def has_program(self, program: str) -> bool:
        """Look for it on the host."""
        return self._inner.has_program(program)

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Run them: reading changes nothing."""
        return self._inner.read(commands)

    def apply_list(self, commands: Sequence[Command], *, stop: Callable[[], bool]) -> list[Outcome]:
        """Keep them for the script, and answer that all went as expected."""
        if stop():
            return []
        self._steps += commands
        return [_as_expected(command) for command in commands]

    def clean_up(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """Finish a section of the script with them. Guards block nothing here: the script asks them."""
        self._add_section(self._steps, cleanup=commands)
        self._steps = []
        return [_as_expected(command) for command in commands]

    def _add_section(self, steps: Sequence[Command], *, cleanup: Sequence[Command] = ()) -> None:
        if steps or cleanup:
            self._sections.append(Section(steps=tuple(steps), cleanup=tuple(cleanup)))

    def start(self, commands: Sequence[Command]) -> None:
        """Keep them for the script."""
        self._announce += commands

    def lock(self) -> Lock:
        """Lock nobody out, since nothing is changed; not even the file for the lock is made."""
        return NullLock()

    def finish(self, notes: Sequence[str]) -> None:
        """Write the script. `notes` say why there is nothing to do, where that is so."""
        self._add_section(self._steps)
        script = Script(
            title=self._title,
            sections=self._sections,
            announce=self._announce,
            notes=notes,
            inodes=self._inodes,
            locate=self._locate,
            line=self.script_line,
        )
        self._out.write(script.render_text())

    def release(self) -> None:
        """Let go of the namespaces that the reads needed."""
        self._inner.release()

    def close(self, error: BaseException | None = None) -> None:
        """Let go of what the reads needed. Half a plan is none: after an error nothing is written."""
        self._inner.close(error)


def _as_expected(command: Command) -> Outcome:
    code = 0 if 0 in command.ok_codes else min(command.ok_codes)
    return Outcome(code=code, stdout=command.expect or "")


class DryRunWrapper:
    """Wraps the driver of a run for `--dry-run`."""

    name = "dry-run"

    def wrap(self, driver: RunDriver, to: TextIO, title: Sequence[str] = ()) -> DryRunDriver:
        """Return a driver that prints the script to a stream; `title` is the command line that the script names."""
        return DryRunDriver(driver, to, title=title)


@hookimpl
def pipework_drivers() -> list[DryRunWrapper]:
    """Register it."""
    return [DryRunWrapper()]
