"""One run of the engine for the command line: driver and plugins put together, what it did shown."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.errors import CommandError
from pipework_core.model.names import escape_text
from pipework_core.model.plan import Command
from pipework_core.plugins.manager import PluginManager
from pipework_core.spec.options import FLEET

if TYPE_CHECKING:
    from pipework_core.cli.parser import Invocation
    from pipework_core.engine.host_access import Hosting
    from pipework_core.model.attachment import Attachment, HostAccess
    from pipework_core.model.driver import RunDriver
    from pipework_core.model.errors import PipeworkError


def run(invocation: Invocation) -> int:
    """Carry the invocation out and return its exit code."""
    _let_any_bytes_through()
    signals = Signals()
    signals.install()
    plugins = PluginManager(warn=_warn, dry_run=invocation.dry_run or bool(invocation.replay))
    driver = _driver(invocation, plugins)
    try:
        if invocation.verbose:
            from pipework_core.cli.verbose import VerboseObserver  # noqa: PLC0415 - brings pluggy along

            plugins.register_observer(VerboseObserver(), on_dry_run=True)
        if invocation.command in {"ls", "gc"}:
            return _overview(invocation, driver, plugins, signals)
        if invocation.part is not None:
            return _host(invocation.part, invocation, driver, plugins, signals)
        engine = Engine(plugins=plugins, driver=driver, signals=signals)
        if invocation.command in FLEET:
            from pipework_core.cli.fleet import Fleet  # noqa: PLC0415 - an attachment does not need it

            fleet = Fleet(
                invocation,
                engine,
                driver,
                plugins,
                _warn,
                hosting=lambda *, hears=True: _hosting(invocation, driver, plugins, signals if hears else Signals()),
            )
            return fleet.run()
        if invocation.command == "detach":
            return _detach(invocation, engine, driver)
        if invocation.attachment is None:
            _inside(invocation, engine, driver, plugins, signals)
            driver.finish(())
        else:
            _attach(invocation.attachment, invocation, engine, driver)
    except BaseException as error:
        driver.close(error)
        raise
    finally:
        driver.close()
    return 0


def _warn(text: str) -> None:
    print(f"pipework: warning: {escape_text(text)}", file=sys.stderr)


def _let_any_bytes_through() -> None:
    """Let stdout carry the bytes of any name, as the file system does, whatever the language is set to."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")


def _driver(invocation: Invocation, plugins: PluginManager) -> RunDriver:
    """Return the driver that the options choose. Drivers are found by name: the core imports none of them."""
    if invocation.replay:
        driver = plugins.open_replay(invocation.replay)
    else:
        driver = plugins.open_driver(invocation.driver or "live")
    if invocation.dry_run:
        # With --json the plan is printed as data, and the script is not wanted.
        out = io.StringIO() if invocation.json else sys.stdout
        driver = plugins.find_driver_wrapper("dry-run").wrap(driver, out, invocation.given)
    if invocation.record:
        driver = plugins.find_driver_wrapper("record").wrap(driver, invocation.record)
    return driver


def _attach(attachment: Attachment, invocation: Invocation, engine: Engine, driver: RunDriver) -> None:
    context, report = engine.attach(attachment)
    driver.finish(report.plan.notes)  # first: a replay that is not content has no result to show
    for text in report.warnings:
        _warn(text)
    if invocation.json:
        from pipework_core.engine import report_json  # noqa: PLC0415 - for machines only

        print(json.dumps(report_json.attachment(context, report, dry_run=invocation.dry_run), indent=2))


def _detach(invocation: Invocation, engine: Engine, driver: RunDriver) -> int:
    """Detach, and return 1 when something stays that should have gone."""
    failed: dict[str, PipeworkError] = {}
    done = engine.detach(
        invocation.guest,
        invocation.interface,
        everything=invocation.everything,
        keep=invocation.keep_bridge,
        last=True,
        complain=failed.__setitem__ if invocation.everything else None,
    )
    notes = () if done or failed else (f"nothing is attached to {invocation.guest}",)
    driver.finish(notes)
    left = [text for _, report in done for text in report.not_removed]
    for text in (*(text for _, report in done for text in report.warnings), *left):
        _warn(text)
    for interface, error in failed.items():
        print(f"pipework: error: {escape_text(f'{interface} stays: {error}')}", file=sys.stderr)
        if error.hint:
            print(f"hint: {escape_text(error.hint)}", file=sys.stderr)
    if invocation.json:
        from pipework_core.engine import report_json  # noqa: PLC0415 - for machines only

        detached = [report_json.attachment(context, report, dry_run=invocation.dry_run) for context, report in done]
        errors = {interface: str(error) for interface, error in failed.items()}
        print(json.dumps({"detached": detached, "failed": errors, "notes": list(notes)}, indent=2))
    elif invocation.verbose:
        for note in notes:
            print(f"# {escape_text(note)}", file=sys.stderr)
    return 1 if left or failed else 0


def _hosting(invocation: Invocation, driver: RunDriver, plugins: PluginManager, signals: Signals) -> Hosting:
    from pipework_core.engine.host_access import Hosting  # noqa: PLC0415 - an attachment does not need it

    return Hosting(plugins=plugins, driver=driver, signals=signals, dry_run=invocation.dry_run)


def _host(part: HostAccess, invocation: Invocation, driver: RunDriver, plugins: PluginManager, signals: Signals) -> int:
    """Let the host take part, or no longer; return 1 when something stays that should have gone."""
    run = _hosting(invocation, driver, plugins, signals)
    context, report = run.run(part)
    driver.finish(report.plan.notes)
    for text in (*report.warnings, *report.not_removed):
        _warn(text)
    if invocation.json:
        from pipework_core.engine import report_json  # noqa: PLC0415 - for machines only

        print(json.dumps(report_json.host_access(part, context, report, dry_run=invocation.dry_run), indent=2))
    return 1 if report.not_removed else 0


def _overview(invocation: Invocation, driver: RunDriver, plugins: PluginManager, signals: Signals) -> int:
    from pipework_core.cli import overview  # noqa: PLC0415 - an attachment does not need it

    if invocation.command == "ls":
        return overview.show(invocation, driver=driver, plugins=plugins, warn=_warn)
    return overview.collect(invocation, driver=driver, plugins=plugins, signals=signals, warn=_warn)


def _inside(
    invocation: Invocation, engine: Engine, driver: RunDriver, plugins: PluginManager, signals: Signals
) -> None:
    """Run `ip route`, `ip rule` or `tc` in the guest; what the tool says is passed on."""
    guest = engine.guest(invocation.guest)
    program = ("tc",) if invocation.command == "tc" else ("ip", invocation.command)
    command = Command(argv=(*program, *invocation.words), netns=guest.netns, reason=f"as asked, in {guest.name}")
    with signals.deferred():  # whether a tool that was interrupted has done its work nobody could tell
        outcome = driver.apply([[command]], stop=lambda: False)[0][0]
    signals.settle()
    plugins.fire_step_done(command, outcome, None)
    sys.stdout.write(outcome.stdout)
    if outcome.code != 0:
        raise CommandError(command, outcome, hint=f"`{' '.join(program)} help` lists what it understands")
    sys.stderr.write(outcome.stderr)
