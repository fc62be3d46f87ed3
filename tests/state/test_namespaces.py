"""What lists network namespaces, where processes come and go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError
from pipework_core.model.link import GuestState
from pipework_core.model.plan import Outcome
from pipework_core.state import namespaces
from pipework_core.testing import make_link
from pipework_core.testing.fake import GOOD, HOST_INODE, FakeDriver

if TYPE_CHECKING:
    from pipework_core.model.plan import Command

FOUND = Outcome(code=0, stdout=json.dumps({"namespaces": [{"ns": HOST_INODE, "pid": 1}, {"ns": 7, "pid": 70}]}))


def driver(*answers: Outcome) -> FakeDriver:
    """Return one whose lsns gives these answers, one after the other."""
    left = list(answers)

    def answer(command: Command) -> Outcome:
        return (left.pop(0) if len(left) > 1 else left[0]) if command == namespaces.PROCESSES else GOOD

    return FakeDriver(answer)


def test_a_list_that_a_process_broke_by_ending_is_asked_for_again() -> None:
    silent = Outcome(code=1)
    assert [found.pid for found in namespaces.find_namespaces(driver(silent, silent, FOUND))] == [70]


def test_a_list_that_cannot_be_had_is_an_error_with_the_tools_own_words() -> None:
    with pytest.raises(HostError, match="lsns: no"):
        namespaces.find_namespaces(driver(Outcome(code=1, stderr="lsns: no")))


def test_a_list_that_is_broken_again_and_again_is_an_error() -> None:
    with pytest.raises(HostError, match="list the network namespaces of processes: exit code 1"):
        namespaces.find_namespaces(driver(*[Outcome(code=1)] * 5))


NIC = make_link("eth0", ifindex=5)
ON_TOP = '[{"ifindex":9,"ifname":"mv0","link_index":5,"link_netnsid":0,"linkinfo":{"info_kind":"macvlan"}}]'


def looked(guest_state: Outcome) -> FakeDriver:
    """Return a driver of a host with one other namespace, which says that of its links."""

    def answer(command: Command) -> Outcome:
        return FOUND if command == namespaces.PROCESSES else guest_state if command.netns else GOOD

    return FakeDriver(answer)


@pytest.mark.parametrize(("said", "names"), [("[]", set()), (ON_TOP, {"eth0"})])
def test_what_links_of_others_are_on_is_in_use(said: str, names: set[str]) -> None:
    assert namespaces.find_parent_uses(looked(Outcome(code=0, stdout=said)), [NIC]) == (frozenset(names), ())


def test_where_nobody_can_look_anything_may_be_in_use_and_that_is_said() -> None:
    found = namespaces.find_parent_uses(
        looked(Outcome(code=1, stderr="nsenter: setns: Operation not permitted")), [NIC]
    )
    assert found.names == {"eth0"}
    (warning,) = found.warnings
    assert "cannot look into a network namespace (nsenter: setns: Operation not permitted)" in warning


def ending(*pids: int) -> FakeDriver:
    """Return a driver of a host whose other namespace has these processes, one after the other (0: none any more).

    None of them lives long enough to be entered by, but the last.
    """
    looks = [pid for pid in pids for _ in range(2)]

    def answer(command: Command) -> Outcome:
        if command == namespaces.PROCESSES:
            pid = looks.pop(0) if len(looks) > 1 else looks[0]
            found = [{"ns": HOST_INODE, "pid": 1}, *([{"ns": 7, "pid": pid}] if pid else [])]
            return Outcome(code=0, stdout=json.dumps({"namespaces": found}))
        if command.netns is None:
            return GOOD
        alive = len(pids) > 1 and command.netns.path == f"/proc/{pids[-1]}/ns/net"
        return Outcome(code=0, stdout=ON_TOP) if alive else Outcome(code=1, stderr="nsenter: No such process")

    return FakeDriver(answer)


def test_one_that_ended_meanwhile_uses_nothing() -> None:
    assert namespaces.find_parent_uses(ending(70, 0), [NIC]) == (frozenset(), ())


def test_one_whose_process_handed_over_is_looked_into_again() -> None:
    assert namespaces.find_parent_uses(ending(70, 71, 72), [NIC]) == (frozenset({"eth0"}), ())


def test_one_whose_processes_come_and_go_counts_as_a_user() -> None:
    found = namespaces.find_parent_uses(ending(70), [NIC])
    assert found.names == {"eth0"}
    assert "its processes come and go" in found.warnings[0]


def test_a_namespace_that_one_list_misses_is_in_the_other() -> None:
    empty = Outcome(code=0, stdout=json.dumps({"namespaces": [{"ns": HOST_INODE, "pid": 1}]}))
    assert [found.inode for found in namespaces.find_namespaces(driver(empty, FOUND))] == [7]
    assert [found.inode for found in namespaces.find_namespaces(driver(FOUND, empty))] == [7]


def test_a_mount_is_a_better_way_in_than_a_process() -> None:
    mounts = Outcome(code=0, stdout="1 2 0:4 net:[7] /run/netns/blue rw - nsfs nsfs rw\n")
    (found,) = namespaces.parse_namespaces(FOUND, mounts, host=HOST_INODE)
    assert (found.netns.path, found.pid, found.names) == ("/run/netns/blue", 70, ("blue",))


def test_addresses_are_read_where_they_matter_alone() -> None:
    for addresses, what in ((False, "link"), (True, "address")):
        machine = looked(Outcome(code=0, stdout="[]"))
        namespaces.peek_into(machine, namespaces.find_namespaces(machine), addresses=addresses)
        assert [command.argv[3] for command in machine.reads if command.netns] == [what]


def test_a_namespace_whose_future_is_known_is_not_looked_into() -> None:
    driver = looked(Outcome(code=0, stdout=ON_TOP))
    assert namespaces.find_parent_uses(driver, [NIC], {7: GuestState()}) == (frozenset(), ())
    assert not [command for command in driver.reads if command.netns]


def test_a_namespace_whose_process_has_ended_is_read_where_it_is_mounted() -> None:
    """What announces an address runs in the guest for a moment, and may be the only process there."""

    def answer(command: Command) -> Outcome:
        if command == namespaces.PROCESSES:
            return FOUND
        if command == namespaces.MOUNTS:
            return Outcome(code=0, stdout="1 2 0:4 net:[7] /run/netns/blue rw - nsfs nsfs rw\n")
        by_process = command.netns is not None and command.netns.path == "/proc/70/ns/net"
        return Outcome(code=1, stderr="No such file or directory") if by_process else Outcome(code=0, stdout=ON_TOP)

    machine = FakeDriver(answer)
    found, unreadable = namespaces.peek_into(machine, namespaces.find_namespaces(machine))
    assert (list(found[7].links), unreadable) == (["mv0"], {})
