"""`pipework serve`: the API on a Unix socket."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from pipework_core.cli.commands import watch
from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.errors import HostError, UsageError
from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.cli.commands import Settings
    from pipework_core.model.event import Event
    from pipework_core.serve.engines import Engines
    from pipework_core.serve.server import Server
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.watch.watcher import Watcher

USAGE = (
    "serve [--socket PATH] [--policy FILE]",
    "serve [--listen ADDRESS:PORT [--allow-changes]]",
    "serve --watch [-f FILE] [--runtime NAMES] [--filter K=V] [--env]",
    "serve --unit [--write]",
)
HELP = (("serve", "answer requests by HTTP on a Unix socket, and with --listen show a browser what is attached"),)
#: What goes with --watch alone.
_WATCHING = ("file", "runtime", "filter", "env")
OPTIONS = ("socket", "policy", "listen", "allow-changes", "watch", *_WATCHING, "unit", "write", "json")


class ServeRequest(Record):
    """Where to serve, by which policy, and what is to be watched besides.

    `unit` prints the units for systemd, with `write` it writes them.
    """

    socket: str = ""
    policy: str = ""
    listen: str = ""
    allow_changes: bool = False
    watch: watch.WatchRequest | None = None
    unit: bool = False
    write: bool = False


def parse_request(args: ParsedArgs) -> ServeRequest:
    """Return where to serve; raise UsageError for options that do not go together."""
    refuse_operands(args)
    pairs = (("allow-changes", "listen"), ("write", "unit"), *((name, "watch") for name in _WATCHING))
    for option, other in pairs:
        if args.has(option) and not args.has(other):
            message = f"--{option} goes with --{other}, which is missing."
            raise UsageError(message, hint=f"add --{other}, or leave --{option} out")
    if args.get("listen") == "":
        raise UsageError("--listen names no address.", hint="write for instance --listen 127.0.0.1:8080")
    return ServeRequest(
        socket=read_file(args, "socket"),
        policy=read_file(args, "policy"),
        listen=args.get("listen") or "",
        allow_changes=args.has("allow-changes"),
        watch=watch.parse_request(args) if args.has("watch") else None,
        unit=args.has("unit"),
        write=args.has("write"),
    )


def run(request: ServeRequest, settings: Settings) -> int:
    """Serve until a signal comes; return 1 when watching ended by itself."""
    _require_libraries()
    import gc

    from pipework_core.cli import output
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.serve import sockets
    from pipework_core.serve.engines import Engines
    from pipework_core.serve.server import Server, ServeWishes
    from pipework_core.watch.policy_file import DEFAULT_FILE

    if request.unit:
        return _give_units(write=request.write)
    listen = sockets.parse_listen(request.listen) if request.listen else None
    gc.enable()  # a process that stays has to; those that end at once are started without it
    plugins = PluginManager(warn=output.print_warning)
    dry_plugins = PluginManager(warn=lambda _: None, dry_run=True)
    for manager in (plugins, dry_plugins):
        manager.load_all()  # threads share it, and none is to import what another one does
    engines = Engines(plugins, dry_plugins)
    policy = request.policy or DEFAULT_FILE
    wishes = ServeWishes(policy, path=request.socket, listen=listen, allow_changes=request.allow_changes)
    server = Server(wishes, engines=engines, warn=output.print_warning)
    if server.url:
        print(server.url, flush=True)
    return _Process(server, engines, request, settings).run()


class _Process:
    """A server, and with --watch a watcher in a thread beside it."""

    def __init__(self, server: Server, engines: Engines, request: ServeRequest, settings: Settings) -> None:
        from pipework_core.cli.event_output import EventPrinter
        from pipework_core.watch.notify import Notifier, Service

        self._server = server
        self._engines = engines
        self._printer = EventPrinter(settings)
        self._service = Service(Notifier())
        self._watcher = self._make_watcher(engines, request)
        self._waiting = 1 if self._watcher is None else 2

    def run(self) -> int:
        """Serve until a signal comes; return 1 when watching ended by itself."""
        from pipework_core.serve.server import Hooks

        self._server.run(
            Hooks(
                log=self._printer.print_event,
                ready=self._begin,
                stopping=self._stop,
                reload=self._reload,
                tick=self._look_around,
            )
        )
        self._engines.close()
        self._printer.raise_error()
        return 0 if self._server.was_told else 1

    def _make_watcher(self, engines: Engines, request: ServeRequest) -> Watcher | None:
        if request.watch is None:
            return None
        from pipework_core.plugins.entry_points import InstalledMethods
        from pipework_core.watch.watcher import Watcher

        wishes = watch.make_wishes(request.watch)
        return Watcher(wishes, open_engine=engines.open, methods=InstalledMethods(), tell=self._tell)

    def _tell(self, told: Event) -> None:
        """Print what the watcher tells, and pass on what the server does not see by itself."""
        from pipework_core.model import event

        self._printer.print_event(told)
        if told.kind in {event.FAILED, event.REFUSED, event.NOTE}:
            self._server.publish(told)

    def _begin(self) -> None:
        if self._watcher is not None:
            threading.Thread(target=self._watch, args=(self._watcher,), name="watcher", daemon=True).start()
        self._count_ready()

    def _watch(self, watcher: Watcher) -> None:
        try:
            watcher.run(ready=self._count_ready)
        finally:
            self._server.stop()

    def _count_ready(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._service.tell_ready()

    def _stop(self) -> None:
        self._service.tell_stopping()
        if self._watcher is not None:
            self._watcher.stop()

    def _reload(self) -> None:
        """Let the watcher read its files again; the server has read the policy."""
        self._service.tell_reloading()
        if self._watcher is None:
            self._service.tell_ready()
            return
        self._waiting = 1
        self._watcher.reload()

    def _look_around(self) -> None:
        self._service.beat(self._watcher.teller.summary if self._watcher is not None else "serving")
        self._engines.tidy()


def _give_units(*, write: bool) -> int:
    """Print the units, each under its file name, as `systemctl cat` does; or write them."""
    from pipework_core.cli.own_command import find_own_command
    from pipework_core.serve import unit

    for name, text in unit.make_units(find_own_command()).items():
        path = os.path.join(unit.FOLDER, name)
        if not write:
            print(f"# {path}\n{text}")
            continue
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise HostError(f"{path} cannot be written: {error.strerror}.", hint="run it as root") from None
        print(path)
    return 0


def _require_libraries() -> None:
    try:
        import aiohttp  # noqa: F401 - each of them is only looked for
        import msgspec  # noqa: F401 - as above
        import prometheus_client  # noqa: F401 - as above
        import yaml  # noqa: F401 - as above
    except ImportError as error:
        hint = "pip install 'pipework[serve]', into the environment that pipework runs in"
        raise HostError(f"serving needs the library {error.name}, which is not installed.", hint=hint) from None
