"""What a line says: when, who, what, where. Everything but `line` and `who` is pure."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from pipework_core.api import address_words, find_leases, has_succeeded

if TYPE_CHECKING:
    from pipework_core.api import Command, Context, Outcome, Report

Fields = dict[str, Any]

#: What the kernel has for the login of a process that nobody's login led to (proc_pid_loginuid(5)).
_NOBODY = 2**32 - 1


def format_line(event: str, what: Fields) -> bytes:
    """Return a line as it is written: ASCII alone, so that a name can neither end it nor reach a terminal."""
    now = time.time()
    stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now * 1000) % 1000:03d}Z"  # RFC 3339
    return json.dumps({"time": stamp, "event": event, **describe_process(), **what}).encode("ascii") + b"\n"


def describe_process() -> Fields:
    """Return who runs this process: user, login, what sudo says, number, command line."""
    return {
        "uid": os.getuid(),
        "login_uid": _read_login(),
        "sudo_user": os.environ.get("SUDO_USER"),
        "pid": os.getpid(),
        "argv": sys.argv,
    }


def _read_login() -> int | None:
    """Return the user who logged in, whatever he became since; None where the kernel does not know."""
    try:
        with open("/proc/self/loginuid", encoding="ascii") as file:
            number = int(file.read())
    except (OSError, ValueError):
        return None
    return None if number == _NOBODY else number


def describe_request(context: Context) -> Fields:
    """Return what a request is about; the host's own part in a network is of the runtime `host`."""
    asked, guest = context.attachment, context.guest
    return {
        "guest": guest.name,
        "runtime": guest.runtime,
        "guest_id": guest.id or None,
        "guest_pid": guest.pid or None,
        "interface": asked.interface,
        "kind": asked.kind,
        "host": asked.host,
        "vlan": asked.vlan or None,
        "addresses": _list_addresses(context),
        "gateways": [str(gateway) for gateway in asked.gateways],
        "mac": asked.mac or None,
    }


def _list_addresses(context: Context) -> list[str]:
    """Return what was asked for; of an interface that is to go, which nobody asks addresses for, what it was given."""
    link = context.guest_state.links.get(context.attachment.interface)
    if _is_detaching(context) and link is not None:
        return [address for address in (*link.addresses, *link.leased) if not address.startswith("fe80:")]
    return address_words(context.attachment)


def _is_detaching(context: Context) -> bool:
    """Whether the interface is to go; the host never takes part without an address."""
    return context.detaching or (context.guest.runtime == "host" and not context.attachment.addresses)


def describe_attached(context: Context, report: Report) -> Fields:
    """Return what became of a request: `leased` are addresses that the network gave, `replaced` what had to go."""
    return {
        **describe_request(context),
        "changed": True,
        "replaced": context.attachment.replace and context.attachment.interface in context.guest_state.links,
        "leased": _list_leased(report),
        "warnings": list(report.warnings),
    }


def _list_leased(report: Report) -> list[str]:
    if not any(step.timeout for step in report.plan.steps):
        return []
    return [lease.address for lease in find_leases(report.plan.steps, report.outcomes)]


def describe_detached(context: Context, report: Report) -> Fields:
    """Return what was detached; `left` are the commands that should have taken the rest away, and failed."""
    return {**describe_request(context), "changed": True, "left": [str(command) for command in report.failed_cleanup]}


def describe_failed(context: Context, error: BaseException) -> Fields:
    """Return why nothing came of what was `tried`; `left` are the commands that should have undone it, and failed."""
    left = [str(command) for command in getattr(error, "failed_cleanup", ())]
    tried = "detach" if _is_detaching(context) else "attach"
    reason = str(error) or type(error).__name__.lower()
    return {**describe_request(context), "changed": bool(left), "tried": tried, "error": reason, "left": left}


def describe_step(command: Command, outcome: Outcome) -> Fields:
    """Return a command, in whose namespace it ran, and how it ended."""
    good = has_succeeded(command, outcome)
    return {
        "step": list(command.argv),
        "netns": command.netns.path if command.netns else None,
        "why": command.reason or None,
        "code": outcome.code,
        "error": None if good else outcome.error_text or f"exit code {outcome.code}",
    }
