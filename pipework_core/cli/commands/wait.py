"""`pipework --wait`: wait, inside a container, until an interface exists and is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import refuse_operands
from pipework_core.model import names
from pipework_core.model.records import Record
from pipework_core.spec.classic import parse_timeout

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("--wait [-i IF] [--timeout SECONDS]",)
HELP = (
    (
        "--wait",
        "wait until the interface exists and is up; made for use inside a container, needs neither root nor `ip`",
    ),
)
OPTIONS = ("interface", "timeout")
EXAMPLES = (("--wait -i ib0 --timeout 30", "in the guest, before its service starts"),)


class WaitRequest(Record):
    """The interface to wait for, and for how many seconds; None is for ever."""

    interface: str
    timeout: float | None = None


def parse_request(args: ParsedArgs) -> WaitRequest:
    """Return what to wait for, `eth1` when no interface is given."""
    refuse_operands(args, hint=f"name the interface with -i, such as pipework {args.command} -i eth1")
    interface = args.get("interface")
    return WaitRequest(
        interface=names.interface_name("eth1" if interface is None else interface),
        timeout=parse_timeout(args.get("timeout")),
    )


def run(request: WaitRequest, settings: Settings) -> int:
    """Wait; the time that runs out is an error."""
    from pipework_core.engine import signals
    from pipework_core.state import wait

    del settings
    signals.Signals().install()
    wait.wait_for(request.interface, timeout=request.timeout)
    return 0
