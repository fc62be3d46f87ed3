"""A request that fails while guests that are gone still hold what they had is made again when they let go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import CommandError, ConflictError
from pipework_core.model.plan import Command, Outcome
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.contexts import make_attachment
from pipework_core.testing.fake import GOOD, FakeDriver

if TYPE_CHECKING:
    from collections.abc import Callable

PINS = {"/run/netns/blue": PinnedNetns(inode=11)}
BUSY = Outcome(code=2, stderr="RTNETLINK answers: Address already in use")


def is_look(command: Command) -> bool:
    return "end_stale.sh" in str(command)


def attach(answer: Callable[[Command], Outcome], *, dry_run: bool = False) -> FakeDriver:
    driver = FakeDriver(answer, pins=PINS)
    plugins = PluginManager(warn=pytest.fail, third_parties=False)
    engine = Engine(plugins=plugins, driver=driver, signals=Signals(), dry_run=dry_run)
    engine.attach(make_attachment(["br1", "-l", "app1", "netns:blue", "10.0.0.1/24"]))
    return driver


class Host:
    """A host on which the name `app1` is taken for so many looks at its links, and on which stale helpers run."""

    def __init__(self, *, taken: int, stale: int) -> None:
        self.taken, self.stale, self.looks = taken, stale, 0

    def __call__(self, command: Command) -> Outcome:
        if is_look(command):
            self.looks += 1
            self.stale -= 1
            return Outcome(0, "client eth1\n" if self.stale >= 0 else "")
        if command.argv[-2:] == ("link", "show"):
            self.taken -= 1
            return Outcome(0, json.dumps([{"ifname": "app1", "ifindex": 7}] if self.taken >= 0 else []))
        return GOOD


def test_what_a_guest_that_is_gone_holds_is_waited_for() -> None:
    host = Host(taken=2, stale=1)
    driver = attach(host)
    assert any("app1" in done.argv for done in driver.acts)
    assert host.looks == 2, "the kernel may take its time after the last one has been ended"


def test_a_refusal_by_the_kernel_is_tried_again_too() -> None:
    tried: list[Command] = []

    def answer(command: Command) -> Outcome:
        if is_look(command):
            return Outcome(0, "announcer\n")
        if command.argv[:2] == ("ip", "link") and command.argv[-1] == "up":
            tried.append(command)
            return BUSY if len(tried) == 1 else GOOD
        return GOOD

    attach(answer)
    assert len(tried) > 1


def test_a_failure_that_no_stale_helper_explains_is_final() -> None:
    host = Host(taken=1, stale=0)
    with pytest.raises(ConflictError, match="an interface app1 already"):
        attach(host)
    assert host.looks == 1
    with pytest.raises(CommandError, match="Address already in use"):
        attach(lambda command: BUSY if command.argv[-1] == "up" else GOOD)


def test_a_dry_run_ends_nothing() -> None:
    host = Host(taken=1, stale=1)
    with pytest.raises(ConflictError):
        attach(host, dry_run=True)
    assert host.looks == 0
