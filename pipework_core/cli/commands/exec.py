"""`pipework route|rule|tc GUEST WORD...`: run `ip route`, `ip rule` or `tc` in a guest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.model.errors import CommandError, UsageError
from pipework_core.model.records import Record
from pipework_core.spec import grammar, options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("route|rule|tc GUEST WORD...",)
HELP = (
    ("route GUEST WORD...", "run `ip route WORD...` in the guest"),
    ("rule GUEST WORD...", "run `ip rule WORD...` in the guest"),
    ("tc GUEST WORD...", "run `tc WORD...` in the guest"),
)
OPTIONS = options.CHANGING


class ToolRequest(Record):
    """The words that begin the tool's command line, such as `ip route`, and those that the user gives it."""

    guest: str
    program: tuple[str, ...]
    words: tuple[str, ...]


def parse_request(args: ParsedArgs) -> ToolRequest:
    """Return the guest and the tool's whole command line."""
    command = args.command
    program = ("tc",) if command == "tc" else ("ip", command)
    if not args.operands:
        raise UsageError(f"{command} needs a guest.", hint=f"write for instance pipework {command} web1 show")
    guest, *words = args.operands
    if not words:
        hint = f"add for instance show, as for {' '.join(program)}"
        raise UsageError(f"{command} {guest} says nothing to do.", hint=hint)
    return ToolRequest(grammar.parse_guest(guest), program, tuple(words))


def run(request: ToolRequest, settings: Settings) -> int:
    """Run the tool in the guest, and pass on what it says."""
    from pipework_core.cli.run import open_run

    program = request.program
    with open_run(settings) as run:
        command, outcome = run.engine.run_in_guest(request.guest, (*program, *request.words))
        sys.stdout.write(outcome.stdout)
        if outcome.code != 0:
            raise CommandError(command, outcome, hint=f"`{' '.join(program)} help` lists what it understands")
        sys.stderr.write(outcome.stderr)
        run.driver.finish(())
    return 0
