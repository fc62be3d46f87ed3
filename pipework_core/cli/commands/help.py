"""`pipework --help`: print all of the command line on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import parse_nothing

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

USAGE = HELP = OPTIONS = ()
parse_request = parse_nothing


def run(_request: None, settings: Settings) -> int:
    """Print the page."""
    from pipework_core.cli import help as page
    from pipework_core.engine.signals import Signals
    from pipework_core.plugins.manager import PluginManager

    del settings
    Signals().install()  # a plugin is imported, and Ctrl-C is ours
    broken: list[str] = []
    plugins = PluginManager(warn=broken.append)
    print(page.render_page(plugins, broken), end="")
    return 0
