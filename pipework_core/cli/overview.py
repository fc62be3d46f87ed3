"""`ls` and `gc`: what there is on a whole host, and what of it nobody needs, for the command line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from pipework_core.cli import output
from pipework_core.engine import attachments as listing
from pipework_core.engine import guests, owners, snapshot
from pipework_core.model.errors import GuestError
from pipework_core.model.names import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.cli.parser import Invocation
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.signals import Signals
    from pipework_core.model.driver import RunDriver
    from pipework_core.plugins.manager import PluginManager


def show(invocation: Invocation, *, driver: RunDriver, plugins: PluginManager, warn: Callable[[str], None]) -> int:
    """List attachments: all of the host, or a guest's; return the exit code."""
    warnings: list[str] = []
    found = attachments(invocation.guest, driver=driver, plugins=plugins, warn=warnings.append, parts=True)
    driver.finish(())
    for text in warnings:
        warn(text)
    if invocation.json:
        print(json.dumps({"attachments": [output.as_json(entry) for entry in found], "warnings": warnings}, indent=2))
    elif found:
        print(output.table(found), end="")
    else:
        whom = invocation.guest or "any guest of this host"
        print(f"pipework: nothing is attached to {escape_text(whom)}", file=sys.stderr)
    return 0


def attachments(
    name: str, *, driver: RunDriver, plugins: PluginManager, warn: Callable[[str], None], parts: bool = False
) -> list[AttachmentStatus]:
    """Return the attachments of a guest, or with an empty name of all; raise GuestError for a name nobody has.

    What a guest left that is gone can be asked for by the name that a switch remembers. With `parts`, the host's own
    parts in networks are among all, which are no attachments.
    """
    inode, unknown = None, None
    if name:
        try:
            inode = guests.resolve(name, plugins=plugins, driver=driver).inode
        except GuestError as error:
            unknown = error
    seen = snapshot.take(driver, plugins, only=inode)
    for text in (*seen.warnings, *((snapshot.PARTIAL_VIEW,) if seen.partial_view else ())):
        warn(text)
    found = [entry for entry in listing.entries(seen) if parts or entry.guest is not listing.THIS_HOST]
    if name:
        late = name.removeprefix("docker:").removeprefix("podman:")
        found = [
            entry
            for entry in found
            if entry.inode == inode or (entry.former_guest and entry.former_guest in {name, late})
        ]
        if not found and unknown is not None:
            raise unknown
    spaces = [seen.spaces[key] for key in {entry.inode for entry in found} if key in seen.spaces]
    clients = {client.pid for client in seen.clients}
    named = owners.named(spaces, driver=driver, plugins=plugins, warn=warn, clients=clients)
    return listing.with_guests(found, named)


def collect(
    invocation: Invocation,
    *,
    driver: RunDriver,
    plugins: PluginManager,
    signals: Signals,
    warn: Callable[[str], None],
) -> int:
    """Take away what dead guests and killed runs left; return 1 when something of it could not be taken away."""
    from pipework_core.engine import gc as collecting  # noqa: PLC0415 - ls does not need it
    from pipework_core.engine import report_json  # noqa: PLC0415 - ls does not need them

    done = collecting.collect(plugins=plugins, driver=driver, signals=signals)
    signals.settle()
    notes = () if done.plan.cleanup else ("nothing is left over on this host",)
    driver.finish(notes)
    for text in done.plan.warnings:
        warn(text)
    for command, said in done.failed:
        print(f"pipework: error: cannot {escape_text(command.reason)}: {escape_text(said)}", file=sys.stderr)
    if invocation.json:
        data = {
            "dry_run": invocation.dry_run,
            "removed": [report_json.command(command) for command in done.gone],
            "failed": [{**report_json.command(command), "error": said} for command, said in done.failed],
            "notes": list(notes),
            "warnings": list(done.plan.warnings),
        }
        print(json.dumps(data, indent=2))
    elif not invocation.dry_run:
        for command in done.gone:
            print(escape_text(command.reason))
        for note in notes:
            print(f"pipework: {note}", file=sys.stderr)
    return 1 if done.failed else 0
