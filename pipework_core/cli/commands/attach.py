"""`pipework [attach] HOSTIF GUEST ADDRESS [MAC][@VID]`: give a guest one more network interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.plugins.entry_points import InstalledMethods
from pipework_core.spec import classic, options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.model.attachment import Attachment
    from pipework_core.spec.options import ParsedArgs

USAGE = (
    "[OPTION...] HOSTIF GUEST ADDRESS [MAC][@VID]",
    "attach [OPTION...] HOSTIF GUEST ADDRESS [MAC][@VID]",
)
HELP = (
    ("HOSTIF GUEST ADDRESS", "attach the guest to HOSTIF"),
    ("attach ...", "the same, for a HOSTIF that is called like one of the words below"),
)
OPTIONS = (*options.SHAPING, "json", *options.CHANGING)


def parse_request(args: ParsedArgs) -> Attachment:
    """Return the attachment that the words ask for."""
    return classic.parse_attachment(args, InstalledMethods())


def run(attachment: Attachment, settings: Settings) -> int:
    """Attach the guest."""
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        context, report = run.engine.attach(attachment)
        run.driver.finish(report.plan.notes)  # first: a replay that is not content has no result to show
        if report.warnings or settings.json:
            from pipework_core.cli import output

            output.print_warnings(report.warnings)
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_attachment(context, report, dry_run=settings.dry_run))
    return 0
