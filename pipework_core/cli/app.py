"""From argv to exit code: parse, run the command, and say what went wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.cli import parser
from pipework_core.cli.commands import find_command
from pipework_core.cli.environment import describe_variables
from pipework_core.model.errors import GuestError, Interrupted, PipeworkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.parser import Invocation


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed and undone, 2 wrong usage, 130 interrupted.

    A command that looks for something wrong returns 3 when it finds it.
    """
    # Until the command line is understood: a word for `ip route` may look like one of these.
    as_json, debug, waits = "--json" in argv, "--debug" in argv, "--wait" in argv
    invocation: Invocation | None = None
    try:
        invocation = parser.parse(argv)
        as_json, debug, waits = invocation.settings.json, invocation.settings.debug, invocation.command == "--wait"
        return _run_command(invocation)
    except PipeworkError as error:
        if debug:
            raise
        for note in describe_variables(invocation.settings.variables) if invocation else ():
            error.add_note(note)
        return _report_failure(
            error, str(error), _improve_hint(error, argv, invocation), error.exit_code, as_json=as_json
        )
    except (Interrupted, KeyboardInterrupt) as error:
        message = "interrupted" if waits else str(error) or "interrupted; everything was undone"
        return _report_failure(error, message, "", Interrupted.exit_code, as_json=as_json)
    except OSError as error:  # the reader has gone, or the disk is full; a run itself raises errors of ours
        if not isinstance(error, BrokenPipeError):
            print(f"pipework: error: cannot write: {error.strerror}", file=sys.stderr)
        return 1


def _run_command(invocation: Invocation) -> int:
    command = find_command(invocation.command)
    if not invocation.settings.quiet:
        return command.run(invocation.request, invocation.settings)
    from pipework_core.cli.quiet import run_quietly

    return run_quietly(lambda: command.run(invocation.request, invocation.settings))


def _improve_hint(error: PipeworkError, argv: Sequence[str], invocation: Invocation | None) -> str:
    """Return the error's hint, or a better one: what was probably meant, where that can be told."""
    if invocation is not None and not isinstance(error, GuestError):
        return error.hint
    from pipework_core.cli import corrections

    found = corrections.correct_guest(error, invocation) if invocation else corrections.correct_usage(argv)
    return found or error.hint


def _report_failure(error: BaseException, message: str, hint: str, code: int, *, as_json: bool) -> int:
    """Say what went wrong on stderr, and as data on stdout where that was asked for; return the exit code."""
    from pipework_core.cli import output

    notes = getattr(error, "__notes__", [])
    if code == Interrupted.exit_code:
        output.print_message(message)
    else:
        for one in getattr(error, "errors", (error,)):
            output.print_error(str(one) or message, hint if one is error else getattr(one, "hint", ""))
    output.print_notes(notes)
    if as_json:
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_failure(message, hint, notes, code))
    return code
