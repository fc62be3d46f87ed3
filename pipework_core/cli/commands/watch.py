"""`pipework watch`: give containers the interfaces that they ask for, whenever they start."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import classic
from pipework_core.watch.selection import parse_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.cli.commands import Settings
    from pipework_core.cli.event_output import EventPrinter
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.opener import EngineOpener
    from pipework_core.engine.signals import Signals
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.watch.notify import Service
    from pipework_core.watch.watcher import Watcher, Wishes

USAGE = (
    "watch [-f FILE] [--once | --for SECONDS] [--runtime NAMES]",
    "watch [--filter KEY=VALUE] [--policy FILE] [--env] | watch --unit",
)
HELP = (
    (
        "watch",
        "give containers what their labels ask for, pipework.IF='HOSTIF ADDRESS', now and whenever one starts",
    ),
)
OPTIONS = ("file", "once", "runtime", "filter", "policy", "env", "for", "unit", "json", "dry-run")
EXAMPLES = (
    ("watch", "serve the containers that ask, until Ctrl-C"),
    ("watch --once --dry-run", "see what those that run now would get"),
    ("watch --unit > /etc/systemd/system/pipework-watch.service", "as a service"),
)

_RUNTIMES = ("docker", "podman")
_REFUSED = 3


class WatchRequest(Record):
    """What is to be watched; no `runtimes` are those whose sockets there are. `unit` prints the unit for systemd."""

    runtimes: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    policy: str = ""
    file: str = ""
    once: bool = False
    variables: bool = False
    seconds: float = 0.0
    unit: bool = False


def parse_request(args: ParsedArgs) -> WatchRequest:
    """Return what is to be watched; raise UsageError for runtimes and filters that make no sense."""
    refuse_operands(args)
    names = tuple(filter(None, (args.get("runtime") or "").split(",")))
    for name in names:
        if name not in _RUNTIMES:
            raise UsageError(f"{name!r} tells no events.", hint=f"watch {' or '.join(_RUNTIMES)}, or both with a comma")
    if args.has("runtime") and not names:
        raise UsageError("--runtime names none.", hint="write for instance --runtime docker,podman")
    seconds = args.get("for")
    return WatchRequest(
        runtimes=tuple(dict.fromkeys(names)),
        filters=tuple(map(parse_filter, args.values.get("filter", ()))),
        policy=read_file(args, "policy"),
        file=read_file(args, "file"),
        once=args.has("once"),
        variables=args.has("env"),
        seconds=classic.parse_timeout(seconds, option="--for 60") or 0.0,
        unit=args.has("unit"),
    )


def run(request: WatchRequest, settings: Settings) -> int:
    """Watch, and return 0; with --once 1 when one failed, and 3 when one was refused."""
    import gc

    from pipework_core.cli.event_output import EventPrinter
    from pipework_core.cli.own_command import find_own_command
    from pipework_core.engine.opener import EngineOpener
    from pipework_core.plugins.entry_points import InstalledMethods
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.watch import unit
    from pipework_core.watch.notify import Notifier, Service
    from pipework_core.watch.watcher import Watcher

    if request.unit:
        print(unit.make_unit(find_own_command()), end="")
        return 0
    wishes = make_wishes(request, dry_run=settings.dry_run)
    plugins = PluginManager(warn=_print_warning, dry_run=settings.dry_run)
    plugins.load_all()  # threads share it, and none is to import what another one does
    gc.enable()  # a process that stays has to; those that end at once are started without it
    opener = EngineOpener(plugins, dry_run=settings.dry_run)
    service = Service(Notifier())
    printer = EventPrinter(settings)
    watcher = Watcher(
        wishes,
        open_engine=partial(_open_dry, opener, plugins, printer) if settings.dry_run else opener.open,
        methods=InstalledMethods(),
        tell=printer.print_event,
        tick=lambda: _look_around(watcher, service, opener),
    )
    _handle_signals(watcher, service)
    try:
        watcher.run(ready=service.tell_ready)
    finally:
        service.tell_stopping()
        opener.close()
    printer.raise_error()
    told = watcher.teller
    if not request.once:
        return 0
    return 1 if told.failed else _REFUSED if told.refused else 0


def make_wishes(request: WatchRequest, *, dry_run: bool = False) -> Wishes:
    """Return what a watcher is to do."""
    from pipework_core.cli.topology_file import find_host_file
    from pipework_core.watch import runtime
    from pipework_core.watch.policy_file import DEFAULT_FILE
    from pipework_core.watch.watcher import Wishes

    missing = () if request.once and request.file else _RUNTIMES[:1]  # which may come later, or is an error now
    filters: dict[str, list[str]] = {}
    for key, value in request.filters:
        filters.setdefault(key, []).append(value)
    return Wishes(
        runtimes=request.runtimes or tuple(filter(runtime.is_there, _RUNTIMES)) or missing,
        policy=request.policy or DEFAULT_FILE,
        topology=request.file or find_host_file(),
        filters=filters,
        variables=request.variables,
        once=request.once,
        seconds=request.seconds,
        dry_run=dry_run,
    )


def _look_around(watcher: Watcher, service: Service, opener: EngineOpener) -> None:
    """Do what is done between two events."""
    service.beat(watcher.teller.summary)
    opener.tidy()


def _print_warning(text: str) -> None:
    from pipework_core.cli import output

    output.print_warning(text)


def _handle_signals(watcher: Watcher, service: Service) -> None:
    def stop(*_: object) -> None:
        watcher.stop()

    def reload(*_: object) -> None:
        service.tell_reloading()
        watcher.reload()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, reload)


@contextmanager
def _open_dry(
    opener: EngineOpener, plugins: PluginManager, printer: EventPrinter, signals: Signals
) -> Iterator[Engine]:
    """Give an engine that changes nothing; print what it would have done, as a whole."""
    import io

    out = io.StringIO()
    wrapper = plugins.find_driver_wrapper("dry-run")
    try:
        with opener.open(signals, wrap=lambda driver: wrapper.wrap(driver, out, printer.argv)) as engine:
            yield engine
    finally:
        printer.print_script(out.getvalue())
