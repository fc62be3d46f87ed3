"""`pipework help [COMMAND|TOPIC]`, `--help`: print the manual, or one page of it; `pipework` alone a first screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("help [COMMAND|TOPIC]", "COMMAND --help")
HELP = (
    (
        "help [COMMAND|TOPIC]",
        "show this manual, or what it says about a command, a word such as ADDRESS, a kind of link, an option",
    ),
)
OPTIONS = ()
EXAMPLES = (
    ("help up", "one command"),
    ("help address", "addresses, DHCP"),
    ("help macvlan", "one kind of link"),
)


class HelpRequest(Record):
    """What to show: the first screen (`brief`), or the page about `topic`, the whole manual without one."""

    topic: str = ""
    brief: bool = False


def parse_request(args: ParsedArgs) -> HelpRequest:
    """Return which page is asked for."""
    if len(args.operands) > 1:
        hint = f"write pipework help {args.operands[0]}"
        raise UsageError(f"help takes one word, and {' '.join(args.operands)} are several.", hint=hint)
    return HelpRequest("".join(args.operands))


def run(request: HelpRequest, settings: Settings) -> int:
    """Print the page; raise UsageError when there is none."""
    from pipework_core.cli.manual import pages, text

    del settings
    if request.brief:
        from pipework_core.cli.manual.overview import render_overview

        print(render_overview(), end="")
        return 0
    from pipework_core.engine.signals import Signals
    from pipework_core.plugins.manager import PluginManager

    Signals().install()  # a plugin is imported, and Ctrl-C is ours
    broken: list[str] = []
    plugins = PluginManager(warn=broken.append)
    page = pages.find_page(request.topic, plugins) if request.topic else pages.make_manual(plugins, broken)
    print(text.render_page(page), end="")
    return 0
