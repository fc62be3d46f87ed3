"""`pipework host HOSTIF ADDRESS`: let the host itself take part in a network, or with `--remove` no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.spec import options

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.model.attachment import HostAccess
    from pipework_core.spec.options import ParsedArgs

USAGE = (
    "host HOSTIF IP/N[@GATEWAY] [--confirm-within SECONDS]",
    "host --remove HOSTIF [--keep-bridge]",
)
HELP = (
    (
        "host HOSTIF IP/N",
        (
            "let the host itself take part: by an address on a bridge, or by a macvlan beside the NIC that takes over "
            "its addresses and routes, so that host and macvlan guests reach each other; all is put back if the "
            "gateway does not answer, even when pipework is killed meanwhile"
        ),
    ),
    ("host --remove HOSTIF", "the exact inverse of that"),
)
OPTIONS = ("keep-bridge", "remove", "confirm-within", "json", *options.CHANGING, *options.REACHING)
EXAMPLES = (
    ("host br1 192.168.1.254/24", "the host is on the bridge, too"),
    ("host eth0 10.1.1.123/24@10.1.1.254", "macvlan guests on eth0 reach the host"),
    ("host --remove eth0", "as it was before"),
)


def parse_request(args: ParsedArgs) -> HostAccess:
    """Return the host's part in a network that the words ask for."""
    from pipework_core.spec import host_access

    return host_access.parse_host_access(args)


def run(part: HostAccess, settings: Settings) -> int:
    """Let the host take part, or no longer; return 1 when something stays that should have gone."""
    from pipework_core.cli import output
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        change = run.engine.revoke_host_access if part.remove else run.engine.grant_host_access
        context, report = change(part)
        run.driver.finish(report.plan.notes)
        output.print_warnings((*report.warnings, *report.not_removed))
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_host_access(part, context, report, dry_run=settings.dry_run))
    return 1 if report.not_removed else 0
