"""From argv to exit code: parse, run the command, and say what went wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.cli import parser
from pipework_core.cli.commands import Settings, find_command
from pipework_core.cli.environment import describe_variables
from pipework_core.model.errors import Interrupted, PipeworkError

if TYPE_CHECKING:
    from collections.abc import Sequence


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 failed and undone, 2 wrong usage, 130 interrupted.

    A command that looks for something wrong returns 3 when it finds it.
    """
    # Until the command line is understood: a word for `ip route` may look like one of these.
    as_json, debug, waits = "--json" in argv, "--debug" in argv, "--wait" in argv
    settings = Settings()
    try:
        invocation = parser.parse(argv)
        settings = invocation.settings
        as_json, debug, waits = settings.json, settings.debug, invocation.command == "--wait"
        return find_command(invocation.command).run(invocation.request, settings)
    except PipeworkError as error:
        if debug:
            raise
        for note in describe_variables(settings.variables):
            error.add_note(note)
        return _report_failure(error, str(error), error.hint, error.exit_code, as_json=as_json)
    except (Interrupted, KeyboardInterrupt) as error:
        message = "interrupted" if waits else str(error) or "interrupted; everything was undone"
        return _report_failure(error, message, "", Interrupted.exit_code, as_json=as_json)
    except OSError as error:  # the reader has gone, or the disk is full; a run itself raises errors of ours
        if not isinstance(error, BrokenPipeError):
            print(f"pipework: error: cannot write: {error.strerror}", file=sys.stderr)
        return 1


def _report_failure(error: BaseException, message: str, hint: str, code: int, *, as_json: bool) -> int:
    """Say what went wrong on stderr, and as data on stdout where that was asked for; return the exit code."""
    from pipework_core.cli import output

    notes = getattr(error, "__notes__", [])
    if code == Interrupted.exit_code:
        output.print_message(message)
    else:
        for one in getattr(error, "errors", (error,)):
            output.print_error(str(one) or message, getattr(one, "hint", hint))
    output.print_notes(notes)
    if as_json:
        from pipework_core.engine import report_json

        output.print_json(report_json.encode_failure(message, hint, notes, code))
    return code
