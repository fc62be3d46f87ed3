"""`pipework watch`: give containers the interfaces that they ask for, whenever they start."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipework_core.cli.parser import read_file, refuse_operands
from pipework_core.model.errors import UsageError
from pipework_core.model.records import Record
from pipework_core.spec import classic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.cli.commands import Settings
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.model.event import Event
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.spec.options import ParsedArgs
    from pipework_core.watch.notify import Notifier
    from pipework_core.watch.watcher import Watcher

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
        filters=tuple(map(_split_filter, args.values.get("filter", ()))),
        policy=read_file(args, "policy"),
        file=read_file(args, "file"),
        once=args.has("once"),
        variables=args.has("env"),
        seconds=classic.parse_timeout(seconds, option="--for 60") or 0.0,
        unit=args.has("unit"),
    )


def _split_filter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise UsageError(f"{text!r} is not KEY=VALUE.", hint="write for instance --filter label=stage=test")
    return key, value


def run(request: WatchRequest, settings: Settings) -> int:
    """Watch, and return 0; with --once 1 when one failed, and 3 when one was refused."""
    from pipework_core.cli.own_command import find_own_command
    from pipework_core.plugins.entry_points import InstalledMethods
    from pipework_core.plugins.manager import PluginManager
    from pipework_core.watch import runtime, unit
    from pipework_core.watch.notify import Notifier
    from pipework_core.watch.policy_file import DEFAULT_FILE
    from pipework_core.watch.watcher import Watcher, Wishes

    if request.unit:
        print(unit.make_unit(find_own_command()), end="")
        return 0
    plugins = PluginManager(warn=_print_warning, dry_run=settings.dry_run)
    plugins.load_all()  # threads share it, and none is to import what another one does
    there = tuple(name for name in _RUNTIMES if runtime.is_there(name))
    filters: dict[str, list[str]] = {}
    for key, value in request.filters:
        filters.setdefault(key, []).append(value)
    wishes = Wishes(
        runtimes=request.runtimes or there or _RUNTIMES[:1],
        policy=request.policy or DEFAULT_FILE,
        topology=request.file,
        filters=filters,
        variables=request.variables,
        once=request.once,
        seconds=request.seconds,
        dry_run=settings.dry_run,
    )
    notifier = Notifier()
    watcher = Watcher(
        wishes,
        open_engine=_Opener(plugins, settings).open,
        methods=InstalledMethods(),
        tell=_Printer(json=settings.json).print_event,
        tick=_Heartbeat(notifier).beat,
    )
    _handle_signals(watcher, notifier)
    watcher.run(ready=lambda: notifier.send(READY="1", STATUS="serving"))
    notifier.send(STOPPING="1")
    sys.stdout.flush()
    if not request.once:
        return 0
    return 1 if watcher.failed else _REFUSED if watcher.refused else 0


def _print_warning(text: str) -> None:
    from pipework_core.cli import output

    output.print_warning(text)


def _handle_signals(watcher: Watcher, notifier: Notifier) -> None:
    def stop(*_: object) -> None:
        watcher.stop()

    def reload(*_: object) -> None:
        notifier.send(RELOADING="1", MONOTONIC_USEC=str(time.monotonic_ns() // 1000))
        watcher.reload()
        notifier.send(READY="1")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGHUP, reload)


class _Opener:
    """Opens engines for the threads of guests; they share plugins, and each has a driver of its own."""

    def __init__(self, plugins: PluginManager, settings: Settings) -> None:
        self._plugins = plugins
        self._settings = settings

    @contextmanager
    def open(self, signals: Signals) -> Iterator[Engine]:
        """Give an engine, and close its driver; of a dry run print what it would have done, as a whole."""
        import io

        from pipework_core.engine.engine import Engine

        out = io.StringIO()
        driver = self._plugins.open_driver()
        if self._settings.dry_run:
            driver = self._plugins.find_driver_wrapper("dry-run").wrap(driver, out, self._settings.argv)
        try:
            yield Engine(plugins=self._plugins, driver=driver, signals=signals, dry_run=self._settings.dry_run)
            driver.finish(())
        finally:
            driver.close()
            sys.stdout.write(out.getvalue())


class _Heartbeat:
    """Tells systemd that the loop that reads is alive, as often as half of the time that it allows (WATCHDOG_USEC)."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._every = int(os.environ.pop("WATCHDOG_USEC", "0") or 0) / 2_000_000
        self._next = 0.0

    def beat(self) -> None:
        """Send a sign of life when it is time for one."""
        now = time.monotonic()
        if self._every and now >= self._next:
            self._next = now + self._every
            self._notifier.send(WATCHDOG="1")


class _Printer:
    """Prints events on stdout, one a line: for people, or as JSON."""

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def print_event(self, event: Event) -> None:
        """Print one."""
        print(_encode(event) if self._json else _format(event), flush=True)


def _format(event: Event) -> str:
    who = " ".join(filter(None, (event.guest, event.interface)))
    took = f" ({event.seconds * 1000:.0f} ms)" if event.seconds else ""
    hint = f" hint: {event.hint}" if event.hint else ""
    return f"{who + ': ' if who else ''}{event.kind}: {event.text}{took}{hint}"


def _encode(event: Event) -> str:
    import json

    from pipework_core.engine import report_json

    return json.dumps({"time": time.time(), **report_json.encode_event(event)})
