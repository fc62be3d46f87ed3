"""PluginManager of third parties: found by entry point, named when broken, never chosen by accident."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError, PluginError, UsageError
from pipework_core.plugins.builtin import BACKENDS, CLAIMS, GROUPS, GUESTS, MOVING_KINDS, TABLES, guess_interface
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.plugins.manager import PluginManager, check_options
from pipework_core.plugins.registry import Registry
from plugins.misfits import ODD_DRIVER
from plugins.strangers import BACKEND, DRIVER, install

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a folder on the path into which distributions can be put, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith("strange_"):
            del sys.modules[name]


def plugins(warnings: list[str] | None = None) -> PluginManager:
    return PluginManager(warn=pytest.fail if warnings is None else warnings.append)


def test_every_built_in_answers_to_its_name() -> None:
    assert [backend.kind for backend in plugins().iterate_built_in_backends()] == list(BACKENDS)
    assert [plugins().find_resolver(runtime).runtime for runtime in GUESTS] == list(GUESTS)
    assert plugins().find_addressing("static").method == "static"


def test_a_third_partys_backend_is_found_by_its_kind(installed: Path) -> None:
    install(installed, "tap", BACKEND, backends="tap = strange_tap")
    assert plugins().find_backend("tap").kind == "tap"
    assert [backend.kind for backend in plugins().list_third_party_backends()] == ["tap"]


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(PluginError, match="no backend of the kind 'tap'") as raised:
        plugins().find_backend("tap")
    assert "macvlan" in raised.value.hint


def test_a_third_partys_driver_is_found_by_its_name(installed: Path) -> None:
    install(installed, "odd", ODD_DRIVER, drivers="odd = strange_odd")
    assert plugins().open_driver("odd:/dev/ttyS0").address == "/dev/ttyS0"


def test_an_unknown_driver_lists_the_known_ones() -> None:
    with pytest.raises(PluginError, match="no driver 'telnet'") as raised:
        plugins().open_driver("telnet://host2")
    assert "live, ssh" in raised.value.hint
    assert "pipework-telnet" not in raised.value.hint


def test_two_packages_for_one_driver_are_both_named(installed: Path) -> None:
    install(installed, "one", DRIVER, drivers="serial = strange_one")
    install(installed, "two", DRIVER, drivers="serial = strange_two")
    with pytest.raises(PluginError, match=r"(one and two|two and one) both provide 'serial'"):
        plugins().open_driver("serial:")


def test_the_live_driver_has_no_address() -> None:
    with pytest.raises(UsageError, match="live is this one"):
        plugins().open_driver("live:host2")


def test_an_observer_is_told(installed: Path) -> None:
    code = """
from pipework_core.plugins.hookspecs import hookimpl

pipework_contract = 2
told = []

@hookimpl
def pipework_step_done(command, outcome):
    told.append((command, outcome))
"""
    install(installed, "audit", code, observers="audit = strange_audit")
    plugins().fire_step_done("one", "two", None)
    assert sys.modules["strange_audit"].told == [("one", "two")]


def test_an_observer_that_raises_is_warned_of_and_stops_nothing() -> None:
    class Broken:
        @hookimpl
        def pipework_step_done(self) -> None:
            raise RuntimeError("boom")

    warnings: list[str] = []
    broken = plugins(warnings)
    broken.register_observer(Broken())
    for number in range(3):  # the same thing is said once
        broken.fire_step_done(number, "two", None)
    assert len(warnings) == 1
    assert warnings[0].endswith("failed in pipework_step_done: RuntimeError: boom")


def test_nothing_is_scanned_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setitem(sys.modules, "importlib.metadata", None)  # importing it would now fail
    assert plugins().list_third_party_backends() == []


def test_an_unknown_option_lists_the_known_ones() -> None:
    with pytest.raises((HostError, UsageError), match="macvlan has no option 'modus'") as raised:
        check_options(plugins().find_backend("macvlan"), [("modus", "private")])
    assert "mode" in raised.value.hint


@pytest.mark.parametrize("kind", BACKENDS)
def test_the_table_claims_what_the_class_does(kind: str) -> None:
    backend = plugins().find_backend(kind)
    assert backend.claims == CLAIMS[kind]
    assert backend.interface == guess_interface(kind, "")
    assert backend.moves_nic == (kind in MOVING_KINDS)


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, table in TABLES.items() for name in table])
def test_every_built_in_is_found_through_its_hook(group: str, name: str) -> None:
    hook, attribute = GROUPS[group]
    registry = Registry((), (), pytest.fail)
    found = registry.find(group, name)
    assert getattr(found, attribute) == name
    module = import_module(TABLES[group][name])
    assert getattr(module, hook).pipework_impl
    (registered,) = registry.call_hook(module, hook)
    assert name in [getattr(item, attribute) for item in registered]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_tells_observers_of_the_plan_alone(dry_run: bool) -> None:  # noqa: FBT001 - a parameter
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

    plugins = PluginManager(warn=pytest.fail, dry_run=dry_run)
    plugins.register_observer(Audit())
    plugins.fire_plan_ready(None, None)
    plugins.fire_step_done(None, None, None)
    plugins.fire_attached(None, None)
    assert told == (["plan"] if dry_run else ["plan", "step", "attached"])
