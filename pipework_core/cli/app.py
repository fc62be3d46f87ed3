"""The command line: argv to exit code. The only place that prints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core import __version__
from pipework_core.cli import parser
from pipework_core.model.errors import Interrupted, PipeworkError, UsageError
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipework_core.cli.parser import Invocation


def run(argv: Sequence[str]) -> int:
    """Run one invocation and return its exit code: 0 done, 1 failed and undone, 2 wrong usage, 130 interrupted.

    A command that looks for something wrong has 3 for having found it.
    """
    as_json = "--json" in argv  # until the command line is understood: a word for `ip route` may look like this
    try:
        invocation = parser.parse(argv)
        as_json = invocation.json
        return _dispatch(invocation)
    except PipeworkError as error:
        if "--debug" in argv:
            raise
        return _failed(error, str(error), error.hint, error.exit_code, as_json=as_json)
    except (Interrupted, KeyboardInterrupt) as error:
        said = "interrupted" if "--wait" in argv else str(error) or "interrupted; everything was undone"
        return _failed(error, said, "", Interrupted.exit_code, as_json=as_json)
    except OSError as error:  # whoever read has gone, or the disk is full; the run itself raises errors of ours
        if not isinstance(error, BrokenPipeError):
            print(f"pipework: error: cannot write: {error.strerror}", file=sys.stderr)
        return 1


def _failed(error: BaseException, said: str, hint: str, code: int, *, as_json: bool) -> int:
    """Say what went wrong on stderr, and as data on stdout where that was asked for; return the exit code."""
    notes = getattr(error, "__notes__", [])
    print(f"pipework: {'error: ' if code != Interrupted.exit_code else ''}{escape_text(said)}", file=sys.stderr)
    if hint:
        print(f"hint: {escape_text(hint)}", file=sys.stderr)
    for note in notes:
        print(f"note: {escape_text(note)}", file=sys.stderr)
    if as_json:
        import json

        print(json.dumps({"error": said, "hint": hint, "notes": notes, "exit": code}, indent=2))
    return code


def _dispatch(invocation: Invocation) -> int:
    if invocation.command in {"help", "schema", "version", "plugins"}:
        text, code = _page(invocation)
        print(text, end="")
        return code
    if invocation.command == "wait":
        from pipework_core.engine import signals
        from pipework_core.state import wait

        signals.Signals().install()
        wait.wait_for(invocation.interface, timeout=invocation.timeout)
        return 0
    if invocation.command == "wait-script":
        from pipework_core.state import wait

        print(wait.make_script(invocation.interface, invocation.timeout), end="")
        return 0
    if invocation.command == "demo":
        from pipework_core.demo import attachments

        return attachments.run(of_topology=invocation.topology)
    from pipework_core.cli import run as session

    return session.run(invocation)


def _page(invocation: Invocation) -> tuple[str, int]:
    """Return a text for which no host is looked at, and the exit code."""
    if invocation.command == "version":
        return f"pipework {__version__}\n", 0
    if invocation.command == "schema":
        import json

        from pipework_core import topology

        return json.dumps(topology.schema(), indent=2) + "\n", 0
    from pipework_core.engine import signals

    signals.Signals().install()  # a plugin is imported: Ctrl-C is ours
    if invocation.command == "plugins":
        from pipework_core.cli import inventory

        return inventory.render_page(as_json=invocation.json)
    from pipework_core.cli import help as manual
    from pipework_core.plugins.manager import PluginManager

    broken: list[str] = []
    plugins = PluginManager(warn=broken.append)
    return manual.text(plugins, broken), 0


__all__ = ["UsageError", "run"]
