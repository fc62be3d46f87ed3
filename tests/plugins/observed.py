"""An engine that changes nothing, and observers of it: one that keeps what it is told, one that a signal meets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.cli import parser
from pipework_core.engine.engine import Engine
from pipework_core.engine.host_access import Hosting
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.ownership import Tag
from pipework_core.model.plan import Command, Outcome
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.fake import GOOD, HOST_INODE, FakeDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipework_core.model.attachment import Attachment
    from pipework_core.model.context import Context
    from pipework_core.model.plan import Plan, Report

BAD = Outcome(code=2, stderr="RTNETLINK answers: No such device")
EXISTS = Outcome(code=2, stderr="RTNETLINK answers: File exists")
#: A guest's dummy that an earlier run made.
THERE = [{"ifname": "eth1", "ifindex": 2, "linkinfo": {"info_kind": "dummy"}, "ifalias": Tag(kind="dummy").alias}]
PINS = {f"/run/netns/web{number}": PinnedNetns(inode=number + 70) for number in (1, 2)} | {
    "/proc/1/ns/net": PinnedNetns(inode=HOST_INODE)
}


class Recorder:
    """An observer that keeps what it is told: the hook's name without `pipework_`, and its arguments."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    @hookimpl
    def pipework_plan_ready(self, context: Context, plan: Plan) -> None:
        self.told.append(("plan_ready", {"context": context, "plan": plan}))

    @hookimpl
    def pipework_step_done(self, command: Command, outcome: Outcome, context: Context | None) -> None:
        self.told.append(("step_done", {"command": command, "outcome": outcome, "context": context}))

    @hookimpl
    def pipework_attached(self, context: Context, report: Report) -> None:
        self.told.append(("attached", {"context": context, "report": report}))

    @hookimpl
    def pipework_detached(self, context: Context, report: Report) -> None:
        self.told.append(("detached", {"context": context, "report": report}))

    @hookimpl
    def pipework_failed(self, context: Context, error: BaseException) -> None:
        self.told.append(("failed", {"context": context, "error": error}))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    def of(self, hook: str) -> list[dict[str, Any]]:
        return [what for name, what in self.told if name == hook]


class World:
    """An engine with a driver that changes nothing, and one who is told of everything."""

    def __init__(self, handler: Callable[[Command], Outcome] = lambda _: GOOD, *, dry_run: bool = False) -> None:
        self.recorder = Recorder()
        self.signals = Signals()
        self.plugins = PluginManager(warn=pytest.fail, third_parties=False, dry_run=dry_run, extra=[self.recorder])
        self.driver = FakeDriver(handler, pins=PINS, programs=())
        self.engine = Engine(plugins=self.plugins, driver=self.driver, signals=self.signals)
        self.preview = Engine(plugins=self.plugins, driver=self.driver, signals=self.signals, dry_run=True)
        self.hosting = Hosting(plugins=self.plugins, driver=self.driver, signals=self.signals)


def asked(line: str) -> Attachment:
    attachment = parser.parse(line.split()).request
    assert attachment is not None
    return attachment


WEB1, WEB2 = (asked(f"dummy0 netns:web{number} 10.0.0.{number}/24") for number in (1, 2))


def making(answer: Outcome, *netns: str) -> Callable[[Command], Outcome]:
    """Answer so whoever makes a link, in these namespaces alone; the rest goes well."""
    return lambda command: answer if "add" in command.argv and all(n in str(command) for n in netns) else GOOD


def guest_state(links: list[dict[str, Any]]) -> Callable[[Command], Outcome]:
    """Show these links to whoever looks into a guest."""
    return lambda command: Outcome(0, f"{json.dumps(links)}\n[]\n") if command.netns and command.stdin else GOOD


def having_bridge(command: Command) -> Outcome:
    bridge = [{"ifname": "br1", "ifindex": 3, "linkinfo": {"info_kind": "bridge"}, "flags": ["UP"]}]
    return Outcome(0, f"{json.dumps(bridge)}\n[]\n") if command.stdin else GOOD


class Impatient:
    """An observer during whose work a signal comes."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    @hookimpl
    def pipework_attached(self) -> None:
        self._signals._handle_signal(2, None)

    @hookimpl
    def pipework_detached(self) -> None:
        self._signals._handle_signal(2, None)

    @hookimpl
    def pipework_failed(self) -> None:
        self._signals._handle_signal(2, None)


def interrupting(world: World) -> World:
    """Let a signal come while an observer hears how something ended, ahead of the one that keeps what is told."""
    world.plugins = PluginManager(warn=pytest.fail, third_parties=False)
    world.plugins.register_observer(Impatient(world.signals))
    world.plugins.register_observer(world.recorder)
    world.engine = Engine(plugins=world.plugins, driver=world.driver, signals=world.signals)
    world.hosting = Hosting(plugins=world.plugins, driver=world.driver, signals=world.signals)
    return world
