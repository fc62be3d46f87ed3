"""Threads that visit a guest's namespace: what they see and start is the guest's, and they come home."""

from __future__ import annotations

import os
import shlex
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pipework_core.cli import parser
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.plan import Command, Netns
from pipework_core.plugins.manager import PluginManager
from pipework_core.state import facts
from pipework_drivers.local import netns_thread
from pipework_drivers.local.driver import LiveDriver
from pipework_drivers.local.parallel import run_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipework_core.model.plan import Outcome

    from .host import PrivateHost

SPACES = tuple(Netns(path=f"/run/netns/{name}") for name in ("blue", "red"))
#: Links of all sorts, with addresses of all sorts, in a guest that has a peer outside.
SCENERY = """
link add br1 type bridge
link add outside master br1 up type veth peer name eth1 netns blue
-n blue link add inner type bridge stp_state 1
-n blue link add name left master inner alias pipework:sound group 28791 mtu 1400 type veth peer name right
-n blue link set right alias "é # '" address 02:00:00:00:00:07 up
-n blue link set eth1 up
-n blue link set lo up
-n blue address add 10.0.0.1/24 dev eth1
-n blue address add 10.0.0.2/24 broadcast + dev eth1 label eth1:2
-n blue address add 10.9.0.1 peer 10.9.0.2/32 dev right
-n blue address add 10.0.0.3/24 dev eth1 valid_lft 900 preferred_lft 600
-n blue address add fd00::1/64 dev eth1 nodad
-n blue address add fd00::2/64 dev eth1 valid_lft 900 preferred_lft 600 nodad
-n blue address add fd00::3/64 dev left
-n blue link add link right name wide type macvlan mode bridge
"""


@pytest.fixture
def guests(host: PrivateHost) -> None:
    host.netns("blue")
    host.netns("red")


class Inside(NamedTuple):
    """What a function of a test works with, in the host."""

    driver: LiveDriver

    def read(self, *argv: str, netns: Netns | None = None) -> str:
        """Return what a command says."""
        return self.driver.read([Command(argv=argv, netns=netns)])[0].stdout


def in_(host: PrivateHost, function: Callable[[Inside], None]) -> None:
    """Call a function in the host, in a process of its own, with both guests pinned."""

    def call() -> None:
        driver = LiveDriver()
        for space in SPACES:
            driver.pin(space)
        function(Inside(driver))

    done = host.call(call)
    assert done.code == 0, done.said


def never() -> bool:
    return False


@pytest.mark.usefixtures("guests")
def test_a_glance_sees_what_ip_shows(host: PrivateHost) -> None:
    for line in SCENERY.strip().split("\n"):
        host.run("ip", *shlex.split(line))

    def compare(guest_state: Inside) -> None:
        glanced = guest_state.driver.peek_links(SPACES)
        for space, links in zip(SPACES, glanced, strict=True):
            shown = facts.parse_guest(guest_state.driver.read([facts.guest_query(space)])[0].stdout).links
            assert links == {name: link._replace(data={}, port_state="", altnames=()) for name, link in shown.items()}
        assert {"eth1", "left", "right", "inner"} <= (glanced[0] or {}).keys(), "a scenery, and not an empty stage"
        assert "right" not in (glanced[1] or {})

    in_(host, compare)


@pytest.mark.usefixtures("guests")
def test_a_namespace_that_is_not_pinned_is_left_to_commands(host: PrivateHost) -> None:
    def peek_links(guest_state: Inside) -> None:
        assert guest_state.driver.peek_links([Netns(path="/run/netns/green")]) == [None]

    in_(host, peek_links)


@pytest.mark.usefixtures("guests")
def test_what_is_started_for_guests_side_by_side_runs_in_them_and_threads_come_home(host: PrivateHost) -> None:
    def apply(guest_state: Inside) -> None:
        home = os.readlink("/proc/self/ns/net")
        lists = [[Command(argv=("ip", "link", "add", "x0", "type", "bridge"), netns=space)] for space in SPACES]
        lists += [[Command(argv=("ip", "link", "add", "h0", "type", "bridge"))]]
        found = guest_state.driver.apply(lists, stop=never)
        assert [outcome.code for outcomes in found for outcome in outcomes] == [0, 0, 0], found
        for space in SPACES:
            assert {"x0", "lo"} <= set(guest_state.read("ls", "/proc/self/net/dev_snmp6", netns=space).split()), space
        assert "x0" not in guest_state.read("ip", "link"), "a guest's command came to the host"
        assert "h0" in guest_state.read("ip", "link"), "a command of the host went astray"
        places = run_parallel([lambda: os.readlink("/proc/thread-self/ns/net")] * 8, at_once=4)
        assert {*places, os.readlink("/proc/thread-self/ns/net")} == {home}

    in_(host, apply)


@pytest.mark.usefixtures("guests")
def test_a_thread_is_home_again_before_anything_else_is_started(host: PrivateHost) -> None:
    def visit(_: Inside) -> None:
        move, seen = netns_thread.find_mover(), []
        fd = os.open(SPACES[0].path, os.O_RDONLY)

        def work() -> None:
            home = os.readlink("/proc/thread-self/ns/net")
            with netns_thread.visit_namespace(fd, move):
                seen.append(os.readlink("/proc/thread-self/ns/net") != home)
            seen.append(os.readlink("/proc/thread-self/ns/net") == home)
            with suppress(ZeroDivisionError), netns_thread.visit_namespace(fd, move):
                seen.append(1 / 0 > 0)
            seen.append(os.readlink("/proc/thread-self/ns/net") == home)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [True, True, True]

    in_(host, visit)


@pytest.mark.usefixtures("guests")
def test_a_thread_that_cannot_go_home_does_nothing_more(host: PrivateHost) -> None:
    def visit(_: Inside) -> None:
        move = netns_thread.find_mover()
        fd, calls, ran = os.open(SPACES[0].path, os.O_RDONLY), [], []

        def once(target: int) -> None:
            calls.append(target)
            if len(calls) > 1:
                raise OSError(1, "Operation not permitted")
            move(target)

        def stranded() -> None:
            with netns_thread.visit_namespace(fd, once):
                pass

        with pytest.raises(netns_thread.LostThreadError, match="cannot leave a guest's network namespace"):
            run_parallel([stranded, lambda: ran.append(1)], at_once=1)
        assert ran == [], "the thread went on, in a guest's namespace"

    in_(host, visit)


@pytest.mark.usefixtures("guests")
def test_whatever_happens_to_one_list_the_others_outcomes_are_told(host: PrivateHost) -> None:
    """A change that may have been made is reported as one that was cut short, so that it is undone."""

    def apply(guest_state: Inside) -> None:
        usual = netns_thread.visit_namespace
        entered: list[int] = []

        def broken(fd: int, move: Callable[[int], None]) -> object:
            entered.append(fd)
            if len(entered) == 1:
                raise MemoryError
            return usual(fd, move)

        netns_thread.visit_namespace = broken  # this process is about to end
        lists: Sequence[Sequence[Command]] = [
            [Command(argv=("ip", "link", "add", "x0", "type", "bridge"), netns=space)] for space in SPACES
        ]
        first, second = guest_state.driver.apply(lists, stop=never)
        assert sorted(outcome.code for outcome in (*first, *second)) == [0, TIMED_OUT], (first, second)

    in_(host, apply)


class Looked(LiveDriver):
    """A live driver that remembers the namespaces that a command has looked into."""

    def __init__(self) -> None:
        super().__init__()
        self.into: list[Netns] = []

    def read(self, commands: Sequence[Command]) -> list[Outcome]:
        """Remember, and read."""
        self.into += [command.netns for command in commands if command.netns]
        return super().read(commands)


def attached(host: PrivateHost, *lines: str, looked: Sequence[Netns], changed: Sequence[bool]) -> None:
    """Attach in one go; hold against the expected into which guests a command looked, and which were changed."""

    def call() -> None:
        driver = Looked()
        plugins = PluginManager(warn=print, third_parties=False)
        wanted = [attachment for line in lines if (attachment := parser.parse(line.split()).request)]
        jobs = Engine(plugins=plugins, driver=driver, signals=Signals()).attach_all(wanted)
        assert [(job.whole, job.error, bool(job.outcomes)) for job in jobs] == [(True, None, yes) for yes in changed]
        assert driver.into == list(looked)

    done = host.call(call)
    assert done.code == 0, done.said


@pytest.mark.usefixtures("guests")
def test_nobody_is_started_in_a_guest_that_has_all_it_should(host: PrivateHost) -> None:
    lines = ("br1 netns:blue 10.0.0.1/24", "br1 netns:red 10.0.0.2/24")
    attached(host, *lines, looked=(), changed=(True, True))
    attached(host, *lines, looked=(), changed=(False, False))


@pytest.mark.usefixtures("guests")
@pytest.mark.parametrize(
    "spoilt",
    [
        "address delete 10.0.0.1/24 dev eth1",
        "link set eth1 down",
        "link set eth1 group 28791",
        "link delete eth1",
    ],
)
def test_what_is_seen_at_a_glance_to_be_spoilt_is_looked_into_and_mended(host: PrivateHost, spoilt: str) -> None:
    lines = ("br1 netns:blue 10.0.0.1/24", "br1 netns:red 10.0.0.2/24")
    attached(host, *lines, looked=(), changed=(True, True))
    host.run("ip", "-n", "blue", *spoilt.split())
    # Without a link of ours on the host, nothing tells that the guest may have one.
    looked = SPACES[:1] if spoilt != "link delete eth1" else ()
    attached(host, *lines, looked=looked, changed=(True, False))
    attached(host, *lines, looked=(), changed=(False, False))
    assert host.ping("blue", "10.0.0.2")


@pytest.mark.usefixtures("guests")
@pytest.mark.parametrize("line", ["nic0 netns:blue 10.0.0.1/24", "br1 netns:blue 10.0.0.1/24@10.0.0.254"])
def test_where_a_glance_does_not_show_all_a_command_looks(host: PrivateHost, line: str) -> None:
    host.run("ip", "link", "add", "nic0", "up", "type", "veth", "peer", "name", "wire0")
    host.run("ip", "link", "set", "wire0", "up")
    host.pipework(*line.split())
    attached(host, line, looked=SPACES[:1], changed=(False,))
