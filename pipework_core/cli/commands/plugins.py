"""`pipework plugins`: list every installed package with plugins, what it provides, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import refuse_operands

if TYPE_CHECKING:
    from pipework_core.cli.parser import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("plugins [--json]",)
HELP = (("plugins", "list the installed plugins with version, origin, hooks and what is wrong with them"),)
OPTIONS = ("json",)


def parse_request(args: ParsedArgs) -> None:
    """Return nothing: all packages are meant."""
    refuse_operands(args)


def run(_request: None, settings: Settings) -> int:
    """Print a text about all packages, and return 3 when one of them has a problem."""
    from pipework_core.cli import inventory  # noqa: PLC0415 - `--help` does not need it
    from pipework_core.engine.signals import Signals  # noqa: PLC0415 - as above

    Signals().install()  # plugins are imported, and Ctrl-C is ours
    text, code = inventory.render_page(as_json=settings.json)
    print(text, end="")
    return code
