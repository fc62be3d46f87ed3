"""Each hook of the contract, by an engine that changes nothing: what is told, when, and of what.

A test here is called after its hook; one that a hook is added without is missed by name.
"""

from __future__ import annotations

from inspect import getdoc
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine import gc as collecting
from pipework_core.model.attachment import HostAccess
from pipework_core.model.driver import DriverKind
from pipework_core.model.errors import CommandError, GuestError, HostError, Interrupted, UndoError
from pipework_core.model.plan import Command, Outcome
from pipework_core.plugins import api, validation
from pipework_core.plugins.builtin import CHECKS
from pipework_core.plugins.hookspecs import Specs, hookimpl
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.fake import GOOD
from plugins.observed import (
    BAD,
    EXISTS,
    THERE,
    WEB1,
    WEB2,
    World,
    asked,
    guest_state,
    having_bridge,
    interrupting,
    making,
)

if TYPE_CHECKING:
    from pipework_core.model.context import Context
    from pipework_core.model.plan import Plan


def hook_names() -> list[str]:
    return list(validation.list_hooks())


@pytest.mark.parametrize("hook", hook_names())
def test_every_hook_has_a_test(hook: str) -> None:
    assert [name for name in globals() if name.startswith(f"test_{hook}_")], f"write a test_{hook}_… in {__file__}"


@pytest.mark.parametrize("hook", hook_names())
def test_every_argument_of_a_hook_is_documented(hook: str) -> None:
    text = getdoc(getattr(Specs, hook)) or ""
    assert "Example: " in text
    assert [name for name in validation.list_hooks()[hook] if f"`{name}" not in text] == []


def registering(hook: str, item: object) -> PluginManager:
    plugin = ModuleType("mine")
    setattr(plugin, hook, hookimpl(lambda: [item]))
    return PluginManager(warn=pytest.fail, third_parties=False, extra=[plugin])


class Tap(api.LinkBackend):
    kind = "tap"

    def create(self, context: Context) -> Plan:
        raise NotImplementedError


def having(protocol: type, **attributes: object) -> object:
    """Return an object with all that a protocol asks for; its methods return what they are given."""
    methods = {
        name: lambda *given: given for name, value in vars(protocol).items() if callable(value) and name[0] != "_"
    }
    usual = {"options": {}, "programs": (), "interface": "eth1", "program": ""}
    return SimpleNamespace(**{**usual, **methods, **attributes})


def test_pipework_backends_makes_a_kind_known() -> None:
    tap = Tap()
    assert registering("pipework_backends", tap).find_backend("tap") is tap


def test_pipework_guest_resolvers_makes_a_runtime_known() -> None:
    vm = having(api.GuestResolver, runtime="vm")
    assert registering("pipework_guest_resolvers", vm).find_resolver("vm") is vm


def test_pipework_addressing_makes_a_method_known() -> None:
    zeroconf = having(api.Addressing, method="zeroconf")
    plugins = registering("pipework_addressing", zeroconf)
    assert plugins.find_addressing("zeroconf") is zeroconf
    assert "zeroconf" in plugins.list_methods()


def test_pipework_drivers_makes_a_driver_known() -> None:
    serial = having(DriverKind, name="serial", open=lambda address: f"through {address}")
    assert registering("pipework_drivers", serial).open_driver("serial:/dev/ttyS0") == "through /dev/ttyS0"


def test_pipework_host_access_registers_the_planner() -> None:
    plugins = PluginManager(warn=pytest.fail, third_parties=False)
    assert plugins.find_host_access_planner().programs == ("arping",)


def test_pipework_dhcp_clients_is_asked_for_the_clients_that_stay() -> None:
    plugins = PluginManager(warn=pytest.fail, third_parties=False)
    assert plugins.find_dhcp_client_finder().find_clients


def test_pipework_checks_is_asked_by_the_doctor() -> None:
    class Moon(api.Check):
        name = "moon"

        def judge(self, *_: object) -> tuple[()]:
            return ()

    moon = Moon()
    plugins = registering("pipework_checks", moon)
    assert plugins.list_checks()[-1] is moon
    assert [check.name for check in plugins.list_checks()[:-1]] == list(CHECKS)


def test_pipework_plan_ready_comes_first_with_all_steps() -> None:
    world = World()
    world.engine.attach(WEB1)
    assert world.recorder.names[0] == "plan_ready"
    (ready,) = world.recorder.of("plan_ready")
    assert list(ready["plan"].all_steps) == world.driver.acts
    assert ready["context"].attachment.interface == "eth1"


def test_pipework_plan_ready_is_told_of_whole_topologies_and_not_of_comparing() -> None:
    world = World()
    world.engine.compare([WEB1, WEB2])
    assert world.recorder.told == []
    world.engine.attach_all([WEB1, WEB2])
    assert [what["context"].guest.name for what in world.recorder.of("plan_ready")] == ["web1", "web2"]


def test_pipework_plan_ready_alone_is_told_where_nothing_is_going_to_be_done() -> None:
    world = World(dry_run=True)
    world.engine.attach(WEB1)
    world.preview.attach_all([WEB2])
    assert world.recorder.names == ["plan_ready", "plan_ready"]


@pytest.mark.parametrize("together", [False, True])
def test_pipework_step_done_is_told_of_each_with_its_context(*, together: bool) -> None:
    world = World()
    if together:
        world.engine.attach_all([WEB1, WEB2])
    else:
        world.engine.attach(WEB1)
    steps = world.recorder.of("step_done")
    assert [step["command"] for step in steps] == world.driver.acts
    assert {step["outcome"] for step in steps} == {GOOD}
    assert all(step["context"].guest.netns.path in str(step["command"]) for step in steps)


def test_pipework_step_done_is_told_of_what_failed() -> None:
    world = World(making(BAD))
    with pytest.raises(CommandError):
        world.engine.attach(WEB1)
    assert world.recorder.of("step_done")[-1]["outcome"] == BAD


def test_pipework_step_done_has_no_context_for_what_gc_takes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Command(argv=("ip", "link", "delete", "dev", "old"))
    held = left._replace(argv=("ip", "link", "delete", "dev", "used"), guard=Command(argv=("who", "uses")))
    monkeypatch.setattr(collecting.snapshot, "take_snapshot", lambda *_, **__: SimpleNamespace(spaces={}))
    monkeypatch.setattr(collecting, "plan_collection", lambda *_: collecting.Plan(cleanup=(left, held)))
    world = World(lambda command: Outcome(0, "somebody") if command == held.guard else GOOD)
    done = collecting.collect_garbage(plugins=world.plugins, driver=world.driver, signals=world.signals)
    assert world.recorder.told == [("step_done", {"command": left, "outcome": GOOD, "context": None})]
    assert done.gone == (left,)


@pytest.mark.parametrize("changed", [True, False])
def test_pipework_attached_tells_whether_anything_was_done(*, changed: bool) -> None:
    first = World()
    first.engine.attach(WEB1)
    (alias,) = (word for step in first.driver.acts for word in step.argv if word.startswith("pipework:"))
    addresses = [{"family": "inet", "local": "10.0.0.1", "prefixlen": 24, "scope": "global"}]
    there = {**THERE[0], "ifalias": alias, "addr_info": addresses, "flags": ["UP"]}
    world = first if changed else World(guest_state([there]))
    if not changed:
        world.engine.attach(WEB1)
    (attached,) = world.recorder.of("attached")
    assert world.recorder.names[-1] == "attached"
    assert attached["report"].changed is changed
    assert attached["context"].attachment.addresses == WEB1.addresses


def test_pipework_attached_is_told_of_the_host_s_own_part() -> None:
    world = World(having_bridge)
    world.hosting.run(HostAccess(asked("br1 netns:web1 10.0.0.9/24")._replace(guest=""), confirm=0))
    (attached,) = world.recorder.of("attached")
    assert attached["context"].guest.runtime == "host"
    assert attached["report"].changed
    assert world.recorder.of("step_done")[0]["context"] == attached["context"]


def test_pipework_attached_waits_for_all_of_an_atomic_topology() -> None:
    world = World(making(BAD, "web2"))
    world.engine.attach_all([WEB1, WEB2], atomic=True)
    assert world.recorder.of("attached") == []
    ends = [(what["context"].guest.name, type(what["error"])) for what in world.recorder.of("failed")]
    assert ends == [("web1", CommandError), ("web2", CommandError)]


def test_pipework_attached_is_told_although_an_error_ends_the_whole_run() -> None:
    """The second wave, of the same guest, cannot look at the host any more; the first stands."""
    world = World(lambda command: BAD if world.driver.acts and command.argv[-2:] == ("link", "show") else GOOD)
    with pytest.raises(HostError):
        world.engine.attach_all([WEB1, asked("dummy0 netns:web1 0/0 -i eth2")])
    assert [what["context"].attachment.interface for what in world.recorder.of("attached")] == ["eth1"]


def test_pipework_detached_has_the_context_with_the_interface_still_there() -> None:
    world = World(guest_state(THERE))
    world.engine.detach("netns:web1")
    assert (world.recorder.names[0], world.recorder.names[-1]) == ("plan_ready", "detached")
    (detached,) = world.recorder.of("detached")
    assert "eth1" in detached["context"].guest_state.links
    assert detached["report"].changed


def test_pipework_detached_is_told_of_the_host_s_own_part() -> None:
    world = World(having_bridge)
    world.hosting.run(HostAccess(asked("br1 netns:web1 0/0")._replace(guest=""), remove=True))
    (detached,) = world.recorder.of("detached")
    assert (detached["context"].guest.runtime, detached["report"].changed) == ("host", False)


def test_pipework_failed_says_why_after_the_steps() -> None:
    world = World(making(BAD))
    with pytest.raises(CommandError) as raised:
        world.engine.attach(WEB1)
    assert world.recorder.names == ["plan_ready", "step_done", "failed"]
    assert world.recorder.of("failed")[0]["error"] is raised.value
    assert world.recorder.of("failed")[0]["context"].guest.name == "web1"


def test_pipework_failed_is_told_of_an_interruption() -> None:
    def signalled(command: Command) -> Outcome:
        world.signals.wanted = "add" in command.argv
        return GOOD

    world = World(signalled)
    with pytest.raises(Interrupted):
        world.engine.attach(WEB1)
    assert isinstance(world.recorder.of("failed")[0]["error"], Interrupted)


def test_pipework_failed_names_what_could_not_be_undone() -> None:
    made: list[Command] = []

    def stuck(command: Command) -> Outcome:
        made.append(command)
        return GOOD if made[0] is command or command.argv[:3] == ("ip", "-details", "-json") else BAD

    world = World(lambda command: stuck(command) if command.argv[:2] == ("ip", "link") else GOOD)
    with pytest.raises(UndoError):
        world.engine.attach(WEB1)
    assert [str(left) for left in world.recorder.of("failed")[0]["error"].failed_cleanup] == [str(made[0].undo[0])]


def test_pipework_failed_is_told_of_detaching_and_of_the_host_s_own_part() -> None:
    world = World(lambda command: BAD if "delete" in command.argv else guest_state(THERE)(command))
    with pytest.raises(CommandError):
        world.engine.detach("netns:web1")
    assert world.recorder.names[-1] == "failed"
    world = World(lambda command: BAD if "add" in command.argv else having_bridge(command))
    with pytest.raises(CommandError):
        world.hosting.run(HostAccess(asked("br1 netns:web1 10.0.0.9/24")._replace(guest=""), confirm=0))
    assert world.recorder.names[-1] == "failed"


def test_pipework_failed_is_told_of_the_one_of_many() -> None:
    world = World(making(BAD, "web1"))
    world.engine.attach_all([WEB1, WEB2])
    assert [what["context"].guest.name for what in world.recorder.of("failed")] == ["web1"]
    assert [what["context"].guest.name for what in world.recorder.of("attached")] == ["web2"]


def test_pipework_failed_is_told_once_where_a_plan_is_made_anew() -> None:
    world = World(making(EXISTS))
    with pytest.raises(CommandError):
        world.engine.attach(WEB1)
    assert [name for name in world.recorder.names if name != "step_done"] == ["plan_ready"] * 3 + ["failed"]
    world = World(making(EXISTS))
    world.engine.attach_all([WEB1])
    assert [name for name in world.recorder.names if name != "step_done"] == ["plan_ready"] * 3 + ["failed"]


def test_pipework_failed_is_not_told_of_what_was_never_planned() -> None:
    world = World()
    with pytest.raises(GuestError):
        world.engine.attach(asked("dummy0 netns:nobody 0/0"))
    world.engine.attach_all([asked("dummy0 netns:nobody 0/0")])
    assert world.recorder.told == []


def test_no_signal_keeps_an_observer_from_hearing_how_it_ended() -> None:
    world = interrupting(World())
    world.engine.attach(WEB1)
    assert world.recorder.names[-1] == "attached"
    world = interrupting(World())
    world.engine.attach_all([WEB1, WEB2])
    assert world.recorder.names[-2:] == ["attached", "attached"]
    world = interrupting(World(guest_state(THERE)))
    world.engine.detach("netns:web1")
    assert world.recorder.names[-1] == "detached"
    world = interrupting(World(having_bridge))
    world.hosting.run(HostAccess(asked("br1 netns:web1 10.0.0.9/24")._replace(guest=""), confirm=0))
    assert world.recorder.names[-1] == "attached"
    world = interrupting(World(making(BAD)))
    with pytest.raises(CommandError):
        world.engine.attach(WEB1)
    assert world.recorder.names[-1] == "failed"
