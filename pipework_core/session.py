"""One run of the engine for the command line: driver and plugins put together, what it did shown."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipework_core.engine import Engine
from pipework_core.errors import CommandError
from pipework_core.plan import Command
from pipework_core.plugins import Plugins
from pipework_core.signals import Signals

if TYPE_CHECKING:
    from pipework_core.arguments import Invocation
    from pipework_core.contract import Scene
    from pipework_core.driver import Driver
    from pipework_core.plan import Report


def run(invocation: Invocation) -> int:
    """Carry the invocation out and return its exit code."""
    signals = Signals()
    signals.install()
    driver = _driver(invocation)
    try:
        plugins = Plugins(warn=lambda text: print(f"pipework: warning: {text}", file=sys.stderr))
        engine = Engine(plugins=plugins, driver=driver, signals=signals)
        if invocation.attachment is None:
            return _inside(invocation, engine, driver)
        scene, report = engine.attach(invocation.attachment)
        _show(invocation, scene, report)
        driver.finish()
    finally:
        driver.close()
    return 0


def _driver(invocation: Invocation) -> Any:  # noqa: ANN401 - a Driver that is also closed and finished
    """Return the driver that the options choose. Drivers are found by name: the core imports none of them."""
    live = import_module("pipework_drivers.live")
    if invocation.dry_run:
        return import_module("pipework_drivers.dry_run").DryRunDriver(
            live.LiveDriver(), sys.stdout, title=invocation.given
        )
    if invocation.replay:
        return import_module("pipework_drivers.recorded").ReplayDriver(invocation.replay)
    if invocation.record:
        return import_module("pipework_drivers.recorded").RecordingDriver(live.LiveDriver(), invocation.record)
    return live.LiveDriver()


def _inside(invocation: Invocation, engine: Engine, driver: Driver) -> int:
    """Run `ip route`, `ip rule` or `tc` in the guest; what the tool prints is printed."""
    guest = engine.guest(invocation.guest)
    program = ("tc",) if invocation.command == "tc" else ("ip", invocation.command)
    command = Command(argv=(*program, *invocation.words), netns=guest.netns, why=f"as asked, in {guest.name}")
    if invocation.verbose:
        _say(command)
    outcome = driver.act([command], stop=lambda: False)[0]
    sys.stdout.write(outcome.stdout)
    if outcome.code != 0:
        raise CommandError(command, outcome)
    return 0


def _show(invocation: Invocation, scene: Scene, report: Report) -> None:
    if invocation.json:
        json.dump(as_json(scene, report), sys.stdout, indent=2)
        print()
    if invocation.verbose:
        for command in (*report.plan.steps, *report.plan.announce):
            _say(command)
        for note in report.plan.notes:
            print(f"# {note}", file=sys.stderr)
        if not report.changed:
            print("# nothing to do", file=sys.stderr)


def _say(command: Command) -> None:
    if command.why:
        print(f"# {command.why}", file=sys.stderr)
    print(command, file=sys.stderr)


def as_json(scene: Scene, report: Report) -> dict[str, Any]:
    """Return plan and report as plain data: keys `attachment`, `guest`, `changed`, `steps`, `announce`, `notes`."""
    asked, guest = scene.attachment, scene.guest
    return {
        "attachment": {
            "kind": asked.kind,
            "host": asked.host,
            "interface": asked.interface,
            "addresses": [str(address) for address in asked.addresses],
            "gateways": [str(gateway) for gateway in asked.gateways],
            "mac": asked.mac or None,
            "vlan": asked.vlan or None,
            "mtu": asked.mtu,
            "options": dict(asked.options),
        },
        "guest": {
            "name": guest.name,
            "runtime": guest.runtime,
            "id": guest.id or None,
            "pid": guest.pid or None,
            "netns": guest.netns.path,
            "inode": guest.inode,
        },
        "changed": report.changed,
        "steps": [command_as_json(command) for command in report.plan.steps],
        "announce": [command_as_json(command) for command in report.plan.announce],
        "notes": list(report.plan.notes),
    }


def command_as_json(command: Command) -> dict[str, Any]:
    """Return one command as plain data; `netns` is null on the host."""
    return {
        "argv": list(command.argv),
        "netns": command.netns.path if command.netns else None,
        "stdin": command.stdin,
        "why": command.why,
        "undo": [command_as_json(step) for step in command.undo],
    }
