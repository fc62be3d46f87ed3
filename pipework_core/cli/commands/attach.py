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
OPTIONS = (*options.SHAPING, "json", *options.CHANGING, *options.REACHING)
EXAMPLES = (
    ("br1 web1 192.168.1.1/24", "a new or existing bridge"),
    ("br1 -i eth2 -l hostapp1 db 192.168.1.2/24@192.168.1.254", "names of both ends, and a gateway"),
    ("br1 web1 192.168.1.1/24,fd00::1/64@fd00::ff @10", "both families, VLAN 10 of the bridge"),
    ("br1 web1 dhclient-f", "an address by DHCP, from a client that stays and renews the lease"),
    ("eth2 web1 50.19.169.157/24", "a macvlan on the NIC eth2"),
    ("eth0 web1 192.168.1.2/24 26:2e:71:98:60:8f@10", "a chosen MAC, on VLAN 10 of eth0"),
    ("ipvlan:wlan0 -o mode=l3 web1 10.0.0.2/24", "where only one MAC gets through"),
    ("ovsbr0 web1 192.168.1.2/24 @10", "Open vSwitch, tag 10"),
    ("ib0 web1 10.10.10.10/24 @8001", "InfiniBand, partition 0x8001"),
    ("dummy web1 192.168.21.101/24@192.168.21.1", "connected to nothing"),
    ("--direct-phys eth1 web1 192.168.1.2/24", "the NIC itself"),
    ("--dry-run br1 web1 192.168.1.1/24", "see the commands first"),
)


def parse_request(args: ParsedArgs) -> Attachment:
    """Return the attachment that the words ask for."""
    return classic.parse_attachment(args, InstalledMethods())


def run(attachment: Attachment, settings: Settings) -> int:
    """Attach the guest."""
    from pipework_core.cli.run import open_run

    with open_run(settings) as run:
        if run.nb:
            from pipework_core.machines.resolve import add_database

            attachment = add_database(attachment, run.nb)
        context, report = run.engine.attach(attachment)
        run.driver.finish(report.plan.notes)  # first: a replay that is not content has no result to show
        if report.warnings or settings.json:
            from pipework_core.cli import output

            output.print_warnings(report.warnings)
        if settings.json:
            from pipework_core.engine import report_json

            output.print_json(report_json.encode_attachment(context, report, dry_run=settings.dry_run))
    return 0
