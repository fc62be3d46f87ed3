"""`pipework man`: print the manual page, for man(1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.cli.parser import parse_nothing

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings

USAGE = ("man",)
HELP = (("man", "print the manual page: pipework man | man -l -, or into /usr/local/share/man/man8/pipework.8"),)
OPTIONS = ()
EXAMPLES = (("man > /usr/local/share/man/man8/pipework.8", "for `man pipework`"),)
parse_request = parse_nothing


def run(_request: None, settings: Settings) -> int:
    """Print the page; packages of third parties are not on it, since they come and go."""
    from pipework_core import __version__
    from pipework_core.cli.manual import pages, roff
    from pipework_core.plugins.manager import PluginManager

    del settings
    plugins = PluginManager(warn=lambda _: None, third_parties=False)
    print(roff.render_page(pages.make_manual(plugins), __version__), end="")
    return 0
