"""The observer of `-v`: shows each command with its reason after it has run, and what needed nothing. On stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.model import lease as leases
from pipework_core.model.driver import has_succeeded
from pipework_core.model.names import escape_text
from pipework_core.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from typing import TextIO

    from pipework_core.model.context import Context
    from pipework_core.model.plan import Command, Outcome, Report


class VerboseObserver:
    """Shows a run as it happens, so that a run that fails shows how far it came.

    `prefix` begins each line, where several runs are shown at once.
    """

    def __init__(self, out: TextIO | None = None, *, prefix: str = "") -> None:
        self._out = out or sys.stderr
        self._prefix = prefix

    @hookimpl
    def pipework_step_done(self, command: Command, outcome: Outcome) -> None:
        """Show the command, and what it said when it failed."""
        self._print_command(command)
        if command.timeout:
            for lease in leases.parse_leases(outcome.stdout):
                self._print_comment(f"{lease}")
        if not has_succeeded(command, outcome):
            self._print_comment(f"failed with code {outcome.code}: {outcome.error_text or 'it said nothing'}")

    @hookimpl
    def pipework_attached(self, context: Context, report: Report) -> None:
        """Show what nobody waits for, and what needed nothing."""
        del context
        for command in report.plan.announce:
            self._print_command(command)
        self._print_notes(report)

    @hookimpl
    def pipework_detached(self, context: Context, report: Report) -> None:
        """Show what needed nothing."""
        del context
        self._print_notes(report)

    def _print_notes(self, report: Report) -> None:
        for note in (*report.plan.notes, *(() if report.changed else ("nothing to do",))):
            self._print_comment(note)

    def _print_command(self, command: Command) -> None:
        if command.reason:
            self._print_comment(command.reason)
        self._print_line(escape_text(str(command)))

    def _print_comment(self, text: str) -> None:
        self._print_line(f"# {escape_text(' '.join(text.splitlines()))}")

    def _print_line(self, line: str) -> None:
        self._out.write(f"{self._prefix}{line}\n")  # in one piece, for others write as well
        self._out.flush()
