"""`pipework ls [GUEST]`: list attachments, as a table for people or as data for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.spec import grammar, options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipework_core.cli.commands import Settings
    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.spec.options import ParsedArgs

USAGE = ("ls [GUEST] [--json]",)
HELP = (
    (
        "ls [GUEST]",
        "list attachments: up, down, expired (lease over), unfinished (killed), orphan (guest gone), elsewhere (moved)",
    ),
)
OPTIONS = ("json", *options.LOOKING)
EXAMPLES = (("ls", "all of the host"), ("ls web1", "one guest"), ("ls --json", "for machines"))

_COLUMNS = ("GUEST", "INTERFACE", "KIND", "ON", "ADDRESSES", "MAC", "VLAN", "MTU", "STATE", "DHCP")


def parse_request(args: ParsedArgs) -> str:
    """Return the guest that is asked for; empty for all."""
    if not args.operands:
        return ""
    if len(args.operands) > 1:
        raise UsageError(
            f"ls takes one guest, and {' '.join(args.operands)} are several.", hint="write ls alone for all of them"
        )
    return grammar.parse_guest(args.operands[0])


def run(guest: str, settings: Settings) -> int:
    """Print the attachments of all guests, or of one."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        found, warnings = run.engine.list_attachments(guest, with_host_access=True)
        run.driver.finish(())
        output.print_warnings(warnings)
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_list(found, warnings))
        elif found:
            print(format_attachments(found), end="")
        else:
            output.print_message(f"nothing is attached to {guest or 'any guest of this host'}")
    return 0


def format_attachments(found: Iterable[AttachmentStatus]) -> str:
    """Return the table with its heading."""
    from pipework_core.cli import output

    return output.format_table([_COLUMNS, *map(_format_cells, found)])


def _format_cells(entry: AttachmentStatus) -> tuple[str, ...]:
    """Return a cell for each of `_COLUMNS`."""
    from pipework_core.engine.attachments import name_guest

    return (
        name_guest(entry),
        entry.interface or entry.host_end,
        entry.kind,
        entry.parent,
        ",".join(entry.addresses),
        entry.mac,
        entry.vlan,
        str(entry.mtu or ""),
        entry.state + (" (adopted)" if entry.adopted else ""),
        entry.dhcp + (" (dead)" if entry.alive is False else ""),
    )
