"""`pipework wait-script`: print a shell script that waits as `--wait` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.commands.wait import OPTIONS, WaitRequest, parse_request

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

USAGE = ("wait-script [-i IF] [--timeout SECONDS]",)
HELP = (
    (
        "wait-script",
        "print a POSIX shell script that does so without Python; its arguments are the interface and the seconds",
    ),
)
EXAMPLES = (("wait-script -i eth1 > wait.sh", "for an image without Python"),)


def run(request: WaitRequest, settings: Settings) -> int:
    """Print the script."""
    from pipework_core.state import wait

    del settings
    print(wait.make_script(request.interface, request.timeout), end="")
    return 0


__all__ = ["EXAMPLES", "HELP", "OPTIONS", "USAGE", "parse_request", "run"]
