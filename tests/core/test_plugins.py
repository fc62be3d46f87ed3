"""Plugins of third parties: found by entry point, named when broken, never chosen by accident."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pluggy
import pytest

from pipework_core.errors import HostError, PluginError, UsageError
from pipework_core.facts import HostFacts
from pipework_core.hookspecs import PROJECT, Specs, hookimpl
from pipework_core.plugins import ADDRESSING, BACKENDS, DRIVERS, GUESTS, Plugins, check_options

if TYPE_CHECKING:
    from pathlib import Path

BACKEND = """
from pipework_core.hookspecs import hookimpl
from pipework_core.contract import Claim, Clearing
from pipework_core.marks import Mark
from pipework_core.plan import Plan

pipework_contract = 1

class Tap:
    kind, interface, options = "{kind}", "eth1", {{}}
    def claims(self, name, host):
        return Claim.PREFIX if name.startswith("tap") else Claim.NO
    def reads(self, attachment, host):
        return {{}}
    def fits(self, scene, link):
        return False
    def mark(self, scene):
        return Mark(kind=self.kind)
    def plan(self, scene):
        return Plan()
    def clear(self, scene, link, mark):
        return Clearing(scene)
    def leftovers(self, scene, mark):
        return ()

@hookimpl
def pipework_backends():
    return [Tap()]
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a folder on the path into which distributions can be put, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith("strange_"):
            del sys.modules[name]


def install(folder: Path, package: str, code: str, **points: str) -> None:
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = "".join(f"[pipework.{group}]\n{entry}\n" for group, entry in points.items())
    (info / "entry_points.txt").write_text(lines)
    (folder / f"strange_{package}.py").write_text(code)


def plugins(warnings: list[str] | None = None) -> Plugins:
    return Plugins(warn=pytest.fail if warnings is None else warnings.append)


def test_every_built_in_answers_to_its_name() -> None:
    assert [backend.kind for backend in plugins().backends()] == list(BACKENDS)
    assert [plugins().resolver(runtime).runtime for runtime in GUESTS] == list(GUESTS)
    assert plugins().addressing("static").method == "static"


def test_a_third_partys_backend_is_found_by_its_kind(installed: Path) -> None:
    install(installed, "tap", BACKEND.format(kind="tap"), backends="tap = strange_tap")
    assert plugins().backend("tap").kind == "tap"
    assert [backend.kind for backend in plugins().foreign_backends()] == ["tap"]


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(PluginError, match="no backend of the kind 'tap'") as raised:
        plugins().backend("tap")
    assert "macvlan" in raised.value.hint


def test_a_broken_plugin_is_named_and_left_out(installed: Path) -> None:
    install(installed, "broken", "raise RuntimeError('boom')", backends="broken = strange_broken")
    install(installed, "tap", BACKEND.format(kind="tap"), backends="tap = strange_tap")
    warnings: list[str] = []
    assert [backend.kind for backend in plugins(warnings).foreign_backends()] == ["tap"]
    assert len(warnings) == 1
    assert "broken" in warnings[0]
    assert "boom" in warnings[0]


def test_a_broken_plugin_that_was_asked_for_is_an_error(installed: Path) -> None:
    install(installed, "broken", "raise RuntimeError('boom')", backends="broken = strange_broken")
    with pytest.raises(
        PluginError,
        match=r"'broken' of broken 1.0 cannot be loaded: .* raised RuntimeError: boom",
    ):
        plugins().backend("broken")


def test_two_packages_for_one_kind_are_both_named(installed: Path) -> None:
    install(installed, "one", BACKEND.format(kind="tap"), backends="tap = strange_one")
    install(installed, "two", BACKEND.format(kind="tap"), backends="tap = strange_two")
    with pytest.raises(PluginError, match=r"(one and two|two and one) both provide 'tap'"):
        plugins().backend("tap")


DRIVER = """
from pipework_core.hookspecs import hookimpl

pipework_contract = 1

class Serial:
    name = "serial"
    def open(self, address):
        return "a driver for " + address

@hookimpl
def pipework_drivers():
    return [Serial()]
"""


def test_a_third_partys_driver_is_found_by_its_name(installed: Path) -> None:
    install(installed, "serial", DRIVER, drivers="serial = strange_serial")
    assert plugins().driver("serial:/dev/ttyS0") == "a driver for /dev/ttyS0"


def test_an_unknown_driver_lists_the_known_ones() -> None:
    with pytest.raises(PluginError, match="no driver 'telnet'") as raised:
        plugins().driver("telnet://host2")
    assert "live, ssh" in raised.value.hint
    assert "pipework-telnet" in raised.value.hint


def test_two_packages_for_one_driver_are_both_named(installed: Path) -> None:
    install(installed, "one", DRIVER, drivers="serial = strange_one")
    install(installed, "two", DRIVER, drivers="serial = strange_two")
    with pytest.raises(PluginError, match=r"(one and two|two and one) both provide 'serial'"):
        plugins().driver("serial:")


def test_a_broken_driver_is_named(installed: Path) -> None:
    install(installed, "serial", "raise RuntimeError('boom')", drivers="serial = strange_serial")
    with pytest.raises(PluginError, match=r"'serial' of serial 1.0 cannot be loaded: .* RuntimeError: boom"):
        plugins().driver("serial:")


def test_the_live_driver_has_no_address() -> None:
    with pytest.raises(UsageError, match="live is this one"):
        plugins().driver("live:host2")


def test_a_misspelt_hook_is_an_error(installed: Path) -> None:
    code = BACKEND.format(kind="tap").replace("def pipework_backends", "def pipework_backend")
    install(installed, "tap", code, backends="tap = strange_tap")
    with pytest.raises(PluginError, match="no hook pipework_backend; did you mean pipework_backends"):
        plugins().backend("tap")


def test_an_observer_is_told(installed: Path) -> None:
    code = """
from pipework_core.hookspecs import hookimpl

pipework_contract = 1
told = []

@hookimpl
def pipework_step_done(command, outcome):
    told.append((command, outcome))
"""
    install(installed, "audit", code, observers="audit = strange_audit")
    plugins().tell("pipework_step_done", command="one", outcome="two", scene=None)
    assert sys.modules["strange_audit"].told == [("one", "two")]


def test_an_observer_that_raises_is_warned_of_and_stops_nothing() -> None:
    class Broken:
        @hookimpl
        def pipework_step_done(self) -> None:
            raise RuntimeError("boom")

    warnings: list[str] = []
    broken = plugins(warnings)
    broken.observe(Broken())
    for number in range(3):  # the same thing is said once
        broken.tell("pipework_step_done", command=number, outcome="two", scene=None)
    assert len(warnings) == 1
    assert warnings[0].endswith("failed in pipework_step_done: RuntimeError: boom")


def test_nothing_is_scanned_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setitem(sys.modules, "importlib.metadata", None)  # importing it would now fail
    assert plugins().foreign_backends() == []


def test_an_unknown_option_lists_the_known_ones() -> None:
    with pytest.raises((HostError, UsageError), match="macvlan has no option 'modus'") as raised:
        check_options(plugins().backend("macvlan"), [("modus", "private")])
    assert "mode" in raised.value.hint


def test_no_built_in_claims_a_name_that_says_nothing() -> None:
    host = HostFacts(links={})
    assert [backend.kind for backend in plugins().backends() if backend.claims("sw0", host)] == []


@pytest.mark.parametrize(
    "module", sorted({*BACKENDS.values(), *GUESTS.values(), *ADDRESSING.values(), *DRIVERS.values()})
)
def test_pluggy_would_take_every_built_in(module: str) -> None:
    """The built-ins are called without pluggy, and keep to the same names and arguments all the same."""

    class Manager(pluggy.PluginManager):
        def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
            del plugin
            return {} if name.startswith("pipework_") else None  # type: ignore[typeddict-item] # all as usual

    manager = Manager(PROJECT)
    manager.add_hookspecs(Specs)
    manager.register(import_module(module))
    manager.check_pending()
    assert manager.get_plugins()


@pytest.mark.parametrize("rehearsal", [True, False])
def test_a_dry_run_tells_observers_of_the_plan_alone(rehearsal: bool) -> None:  # noqa: FBT001 - a parameter
    told: list[str] = []

    class Audit:
        @hookimpl
        def pipework_plan_ready(self) -> None:
            told.append("plan")

        @hookimpl
        def pipework_step_done(self) -> None:
            told.append("step")

        @hookimpl
        def pipework_attached(self) -> None:
            told.append("attached")

    plugins = Plugins(warn=pytest.fail, rehearsal=rehearsal)
    plugins.observe(Audit())
    plugins.tell("pipework_plan_ready", scene=None, plan=None)
    plugins.tell("pipework_step_done", command=None, outcome=None, scene=None)
    plugins.tell("pipework_attached", scene=None, report=None)
    assert told == (["plan"] if rehearsal else ["plan", "step", "attached"])
