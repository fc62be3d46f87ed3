"""The command line: argv to exit code. The only place that prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core import __version__, arguments
from pipework_core.errors import Interrupted, PipeworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.arguments import Invocation


def run(argv: Sequence[str]) -> int:
    """Run one invocation and return its exit code: 0 done, 1 failed and undone, 2 wrong usage, 130 interrupted."""
    try:
        invocation = arguments.parse(argv)
        return _dispatch(invocation)
    except PipeworkError as error:
        if "--debug" in argv:
            raise
        print(f"pipework: error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except (Interrupted, KeyboardInterrupt):
        print("pipework: interrupted; everything was undone", file=sys.stderr)
        return Interrupted.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _dispatch(invocation: Invocation) -> int:
    # Each command's module is imported when it is the one: start-up is a feature.
    if invocation.command == "help":
        from pipework_core import manual  # noqa: PLC0415

        print(manual.text(), end="")
        return 0
    if invocation.command == "version":
        print(f"pipework {__version__}")
        return 0
    if invocation.command == "wait":
        from pipework_core import signals, waiting  # noqa: PLC0415

        signals.Signals().install()
        waiting.wait(invocation.interface, timeout=invocation.timeout)
        return 0
    if invocation.command == "wait-script":
        from pipework_core import waiting  # noqa: PLC0415

        print(waiting.script(invocation.interface, invocation.timeout), end="")
        return 0
    if invocation.command == "demo":
        from pipework_core import demo  # noqa: PLC0415

        return demo.run()
    from pipework_core import session  # noqa: PLC0415

    return session.run(invocation)


__all__ = ["UsageError", "run"]
