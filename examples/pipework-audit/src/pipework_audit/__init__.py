"""An audit log for pipework: one line of JSON for each change.

A run that finds nothing to do writes nothing, and neither does a dry run, which pipework tells of its plan alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipework_audit import lines, log
from pipework_core.api import hookimpl

if TYPE_CHECKING:
    from pipework_core.api import Command, Context, Outcome, Report

#: The contract of plugins that this was written for; pipework refuses it in a sentence when it has another one.
pipework_contract = 2

#: Where the log is, and whether each step is wanted too (anything but nothing and 0).
PATH, STEPS = "PIPEWORK_AUDIT_LOG", "PIPEWORK_AUDIT_STEPS"
DEFAULT = "/var/log/pipework-audit.jsonl"


@hookimpl
def pipework_attached(context: Context, report: Report) -> None:
    """Write down what is attached now and was not before."""
    if report.changed:
        _write_line("attached", lines.describe_attached(context, report))


@hookimpl
def pipework_detached(context: Context, report: Report) -> None:
    """Write down what was detached, and what of it stays."""
    if report.changed:
        _write_line("detached", lines.describe_detached(context, report))


@hookimpl
def pipework_failed(context: Context, error: BaseException) -> None:
    """Write down what was tried and undone."""
    _write_line("failed", lines.describe_failed(context, error))


@hookimpl
def pipework_step_done(command: Command, outcome: Outcome, context: Context | None) -> None:
    """Write down a command that belongs to no request, which nothing else tells of; others where that is asked for."""
    if context is None:
        _write_line("command", lines.describe_step(command, outcome))
    elif os.environ.get(STEPS, "0") not in {"", "0"}:
        _write_line("step", {**lines.describe_request(context), **lines.describe_step(command, outcome)})


def _write_line(event: str, what: lines.Fields) -> None:
    """Append a line; pipework makes a warning of what this raises, and goes on."""
    log.append_line(lines.format_line(event, what), os.environ.get(PATH) or DEFAULT)
