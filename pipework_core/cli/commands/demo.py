"""`pipework demo`: show pipework at work on a private host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import refuse_operands

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("demo [--topology]",)
HELP = (("demo", "show it work on a private host, without root or Docker"),)
OPTIONS = ("topology",)
EXAMPLES = (("demo", "three guests, attached and detached"), ("demo --topology", "a whole file"))


def parse_request(args: ParsedArgs) -> bool:
    """Return whether the demo of a whole topology is asked for."""
    refuse_operands(args)
    return args.has("topology")


def run(of_topology: bool, settings: Settings) -> int:  # noqa: FBT001 - it is the command's whole request
    """Become the demo."""
    from pipework_core.demo.entrance import enter_demo

    del settings
    enter_demo(of_topology=of_topology)
