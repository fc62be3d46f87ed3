"""`pipework serve`: the API on a Unix socket."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.errors import HostError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.spec.options import ParsedArgs

USAGE = ("serve [--socket PATH] [--policy FILE] [--json]",)
HELP = (("serve", "answer requests by HTTP on /run/pipework/api.sock: list, attach, detach, events"),)
OPTIONS = ("socket", "policy", "json")


class ServeRequest(Record):
    """Where to serve, and by which policy."""

    socket: str = ""
    policy: str = ""


def parse_request(args: ParsedArgs) -> ServeRequest:
    """Return where to serve."""
    refuse_operands(args)
    return ServeRequest(socket=read_file(args, "socket"), policy=read_file(args, "policy"))


def run(request: ServeRequest, settings: Settings) -> int:
    """Serve until a signal comes."""
    _require_libraries()
    from pipework_core.cli import output
    from pipework_core.cli.event_output import EventPrinter
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.serve.engines import Engines
    from pipework_core.serve.server import Server, ServeWishes
    from pipework_core.watch.notify import Notifier
    from pipework_core.watch.policy_file import DEFAULT_FILE

    plugins = PluginManager(warn=output.print_warning)
    dry_plugins = PluginManager(warn=lambda _: None, dry_run=True)
    for manager in (plugins, dry_plugins):
        manager.load_all()  # threads share it, and none is to import what another one does
    notifier = Notifier()
    server = Server(
        ServeWishes(policy=request.policy or DEFAULT_FILE, path=request.socket),
        engines=Engines(plugins, dry_plugins),
        tell=EventPrinter(json=settings.json).print_event,
        warn=output.print_warning,
    )
    server.run(
        ready=lambda: notifier.send(READY="1", STATUS="serving"),
        stopping=lambda: notifier.send(STOPPING="1"),
        reload=lambda: None,
    )
    sys.stdout.flush()
    return 0


def _require_libraries() -> None:
    try:
        import aiohttp  # noqa: F401
        import msgspec  # noqa: F401
        import prometheus_client  # noqa: F401
        import yaml  # noqa: F401
    except ImportError as error:
        hint = "pip install 'pipework[serve]', into the environment that pipework runs in"
        raise HostError(f"serving needs the library {error.name}, which is not installed.", hint=hint) from None
