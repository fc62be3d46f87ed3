"""A request may have a second guest, which is found, pinned and read as the first one is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.attachment import Attachment
from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import GuestError
from pipework_core.model.plan import Command, Outcome, Plan
from pipework_core.plugins.api import LinkBackend
from pipework_core.plugins.hookspecs import hookimpl
from pipework_core.plugins.manager import PluginManager
from pipework_core.testing.fake import GOOD, FakeDriver

if TYPE_CHECKING:
    from pipework_core.model.context import Context

PINS = {"/run/netns/blue": PinnedNetns(inode=11), "/run/netns/red": PinnedNetns(inode=12)}
REQUEST = Attachment(
    guest="netns:blue", host="x", kind="pair", interface="eth1", peer="netns:red", peer_interface="eth7"
)


class Pair(LinkBackend):
    """Joins two guests, and keeps what it planned from."""

    kind = "pair"

    def __init__(self) -> None:
        self.contexts: list[Context] = []

    def plan(self, context: Context) -> Plan:
        self.contexts.append(context)
        return Plan(steps=(Command(argv=("join", "them")),))

    @hookimpl
    def pipework_backends(self) -> list[LinkBackend]:
        return [self]


def answer(command: Command) -> Outcome:
    """Show an interface in each guest, called like its namespace."""
    if command.netns is None or not command.stdin:
        return GOOD
    name = command.netns.path.rpartition("/")[2]
    return Outcome(0, f"{json.dumps([{'ifname': name, 'ifindex': 2}])}\n[]\n")


def make_engine(kind: Pair, driver: FakeDriver) -> Engine:
    plugins = PluginManager(warn=pytest.fail, third_parties=False, extra=[kind])
    return Engine(plugins=plugins, driver=driver, signals=Signals())


@pytest.mark.parametrize("many", [False, True], ids=["one", "a batch"])
def test_the_second_guest_is_found_pinned_and_read(*, many: bool) -> None:
    kind = Pair()
    engine = make_engine(kind, FakeDriver(answer, pins=PINS, programs=()))
    if many:
        jobs = engine.attach_all([REQUEST, REQUEST._replace(interface="eth2")])
        assert [str(job.error) for job in jobs if job.error] == []
    else:
        engine.attach(REQUEST)
    peer = kind.contexts[0].peer
    assert peer is not None
    assert (peer.guest.name, peer.guest.inode, peer.interface) == ("red", 12, "eth7")
    assert list(peer.guest_state.links) == ["red"]
    assert list(kind.contexts[0].guest_state.links) == ["blue"]


def test_a_second_guest_that_is_not_there_fails_the_request() -> None:
    engine = make_engine(Pair(), FakeDriver(answer, pins=PINS, programs=()))
    with pytest.raises(GuestError, match="green"):
        engine.attach(REQUEST._replace(peer="netns:green"))
