"""The live driver with faked processes: what they say is told of the command that it belongs to."""

from __future__ import annotations

import os
import re
import resource
from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.model.driver import TIMED_OUT, cut_short
from pipework_core.model.errors import GuestError, HostError, NoNamespaceError
from pipework_core.model.plan import HOST, Command, Netns, Outcome
from pipework_drivers.local import driver as live
from pipework_drivers.local import pins
from pipework_drivers.local.driver import LiveDriver

from .processes import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .processes import FakeProcesses

FIRST = Command(argv=("ip", "link", "add", "br1", "type", "bridge"))
SECOND = Command(argv=("ip", "link", "set", "br1", "up"))
THIRD = Command(argv=("ip", "address", "add", "10.0.0.1/24", "dev", "br1"))
BATCH = ("ip", "-batch", "-")


@pytest.fixture(autouse=True)
def _all_programs_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveDriver, "has_program", lambda _, name: bool(name))


@pytest.fixture
def driver() -> Iterator[LiveDriver]:
    driver = LiveDriver(timeout=0.05)
    yield driver
    driver.close()


def never() -> bool:
    return False


def stdin_of(fp: FakeProcesses, *argv: str) -> list[str]:
    """Register the command and return the list that what it reads goes to."""
    given: list[str] = []

    def keep(text: bytes) -> None:
        given.append(text.decode())

    fp.register(list(argv), stdin_callable=keep)
    return given


def test_a_batch_is_one_process_with_a_line_a_command(fp: FakeProcesses, driver: LiveDriver) -> None:
    given = stdin_of(fp, *BATCH)
    outcomes = driver.apply_list([FIRST, SECOND], stop=never)
    assert [outcome.code for outcome in outcomes] == [0, 0]
    assert given == ["link add br1 type bridge\nlink set br1 up\n"]


def test_a_failing_line_is_told_of_its_command_in_the_tools_words(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(
        list(BATCH), returncode=1, stdout=b"noise\n", stderr=b"RTNETLINK answers: File exists\nCommand failed -:2\n"
    )
    outcomes = driver.apply_list([FIRST, SECOND, THIRD], stop=never)
    assert [outcome.code for outcome in outcomes] == [0, 1]
    assert outcomes[-1].error_text == "RTNETLINK answers: File exists"


def test_noise_on_stdout_fails_nothing(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(list(BATCH), stdout=b"\xff\xfe noise\n", stderr=b"Warning: whatever\n")
    assert [outcome.code for outcome in driver.apply_list([FIRST, SECOND], stop=never)] == [0, 0]


def test_an_answer_that_is_not_the_expected_one_ends_the_run(fp: FakeProcesses, driver: LiveDriver) -> None:
    asked = Command(argv=("ovs-vsctl", "get", "interface", "p", "error"), expect="[]")
    both = ["ovs-vsctl", *2 * ("--", "get", "interface", "p", "error")]
    fp.register(both, stdout=b'[]\n"no such device"\n')
    outcomes = driver.apply_list([asked, asked, FIRST], stop=never)
    assert [outcome.stdout for outcome in outcomes] == ["[]\n", '"no such device"\n']


ADD_BRIDGE = Command(argv=("ovs-vsctl", "--timeout=5", "add-br", "b"))
ADD_PORT = Command(argv=("ovs-vsctl", "--timeout=5", "add-port", "b", "p"))
TRANSACTION = ("ovs-vsctl", "--timeout=5", "--", "add-br", "b", "--", "add-port", "b", "p")


def test_a_failed_transaction_is_run_again_one_by_one(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(list(TRANSACTION), returncode=1, stderr=b"ovs-vsctl: something failed")
    fp.register(list(ADD_BRIDGE.argv))
    fp.register(list(ADD_PORT.argv), returncode=1, stderr=b"ovs-vsctl: cannot create a port named p")
    outcomes = driver.apply_list([ADD_BRIDGE, ADD_PORT, FIRST], stop=never)
    assert [outcome.code for outcome in outcomes] == [0, 1]
    assert outcomes[-1].error_text == "ovs-vsctl: cannot create a port named p"
    assert [list(call) for call in fp.calls] == [list(TRANSACTION), list(ADD_BRIDGE.argv), list(ADD_PORT.argv)]


def test_a_transaction_that_timed_out_is_not_run_again(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(list(TRANSACTION), returncode=-14)
    outcomes = driver.apply_list([ADD_BRIDGE, ADD_PORT, FIRST], stop=never)
    assert [outcome.code for outcome in outcomes] == [0, -14]
    assert len(fp.calls) == 1


def test_stopping_happens_between_processes(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(list(BATCH))
    asked = iter((False, True))
    outcomes = driver.apply_list([FIRST, SECOND, ADD_BRIDGE], stop=lambda: next(asked))
    assert len(outcomes) == 2
    assert len(fp.calls) == 1


@pytest.mark.parametrize(
    ("program", "package"),
    [
        ("ip", "iproute2"),
        ("ovs-vsctl", "openvswitch-switch"),
        ("lxc-info", "lxc"),
        ("docker", "docker.io"),
    ],
)
def test_a_missing_program_is_an_error_with_its_package(
    fp: FakeProcesses, driver: LiveDriver, monkeypatch: pytest.MonkeyPatch, program: str, package: str
) -> None:
    monkeypatch.setattr(LiveDriver, "has_program", lambda _, name: name != program)
    fp.register([ANY], occurrences=9)
    for call in (driver.read, lambda commands: driver.apply_list(commands, stop=never)):
        with pytest.raises(HostError, match=f"^{program} is not installed here") as caught:
            call([Command(argv=("arping",)), Command(argv=(program, "x"))])
        assert f"package {package} in Debian" in caught.value.hint
    assert not fp.calls, "something was done before"


def test_no_package_is_made_up_for_a_program(driver: LiveDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveDriver, "has_program", lambda *_: False)
    with pytest.raises(HostError, match=r"^xyz is not installed here\.$") as caught:
        driver.read([Command(argv=("xyz", "x"))])
    assert caught.value.hint == "install it"


@pytest.mark.parametrize("where", ["undo", "guard", "nsenter"])
def test_what_undoing_takes_is_looked_for_before_anything_is_done(
    fp: FakeProcesses, driver: LiveDriver, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(LiveDriver, "has_program", lambda _, name: name not in {"absent", "nsenter"})
    guard = Command(argv=("absent" if where == "guard" else "ip", "x"))
    undo = Command(argv=("absent" if where == "undo" else "ip", "y"), guard=guard)
    netns = Netns(path="/run/netns/blue") if where == "nsenter" else None
    with pytest.raises(HostError, match="is not installed here"):
        driver.apply_list([Command(argv=("ip", "z"), undo=(undo,), netns=netns)], stop=never)
    assert not fp.calls


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Provide a set for programs that the kernel refuses to start."""
    names: set[str] = set()
    really = live.Process

    def start(argv: list[str], **options: Any) -> live.Process:  # noqa: ANN401 - passed on
        if argv[0] in names:
            raise PermissionError(13, "Permission denied")
        return really(argv, **options)

    monkeypatch.setattr(live, "Process", start)
    return names


def test_a_program_that_cannot_be_started_fails_its_command_and_no_more(
    fp: FakeProcesses, driver: LiveDriver, refused: set[str]
) -> None:
    """An exception would lose what was done before, which is to be undone."""
    refused.add("ovs-vsctl")
    fp.register(list(BATCH))
    outcomes = driver.apply_list([FIRST, SECOND, ADD_BRIDGE], stop=never)
    assert [outcome.code for outcome in outcomes] == [0, 0, 127]
    assert outcomes[-1].error_text == "ovs-vsctl cannot be started: Permission denied"


def test_a_read_that_cannot_be_started_is_an_error(fp: FakeProcesses, driver: LiveDriver, refused: set[str]) -> None:
    refused.add("ovs-vsctl")
    fp.register(list(FIRST.argv))
    with pytest.raises(HostError, match=r"^ovs-vsctl cannot be started: Permission denied\.$"):
        driver.read([FIRST, ADD_BRIDGE])


def test_a_hung_program_counts_as_timed_out(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(list(FIRST.argv), returncode=TIMED_OUT, stdout=b"half")
    assert cut_short(driver.apply_list([FIRST], stop=never)[0])


def test_exit_code_124_counts_as_cut_short(fp: FakeProcesses, driver: LiveDriver) -> None:
    fp.register(list(FIRST.argv), returncode=124)
    (outcome,) = driver.apply_list([FIRST], stop=never)
    assert cut_short(outcome)


# Namespaces: files stand for them, and what the kernel would say of their type is patched.


@pytest.fixture
def guests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Netns]:
    monkeypatch.setattr(pins, "_is_network", lambda fd: fd >= 0)
    paths = [tmp_path / name for name in ("blue", "blue2", "red")]
    for path in paths:
        path.touch()
    return [Netns(path=str(path)) for path in paths]


def test_a_pinned_path_becomes_its_descriptor_and_nothing_else_does(
    fp: FakeProcesses, driver: LiveDriver, guests: list[Netns]
) -> None:
    blue, longer, _ = guests
    for guest in guests:
        driver.pin(guest)
    held = f"/proc/self/fd/{driver._pins._fds[blue.path]}"
    fp.register([ANY])
    words = ("link", "set", "a", "netns", blue.path, "alias", f"x{blue.path}", "name", f"{blue.path}/y")
    driver.apply_list([Command(argv=("ip", "-d", *words), netns=blue)], stop=never)
    assert list(fp.calls[-1]) == [
        *("nsenter", f"--net={held}", "ip", "-d"),
        *("link", "set", "a", "netns", held, "alias", f"x{blue.path}", "name", f"{blue.path}/y"),
    ]
    given = stdin_of(fp, "ip", "-batch", "-")
    put = [Command(argv=("ip", "link", "set", "a", "netns", guest.path)) for guest in (blue, blue, longer)]
    driver.apply_list(put, stop=never)
    other = f"/proc/self/fd/{driver._pins._fds[longer.path]}"
    assert given == [f"link set a netns {held}\nlink set a netns {held}\nlink set a netns {other}\n"]


def test_only_the_descriptors_that_it_needs_are_given_to_a_process(
    fp: FakeProcesses, driver: LiveDriver, guests: list[Netns]
) -> None:
    for guest in guests:
        driver.pin(guest)
    fp.register([ANY], occurrences=3)
    blue, _, red = guests
    driver.apply_list([FIRST], stop=never)
    driver.apply_list([Command(argv=("ip", "x", blue.path), netns=red)], stop=never)
    assert fp.descriptors == [[], sorted((driver._pins._fds[blue.path], driver._pins._fds[red.path]))]


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_no_descriptor_is_left_open(driver: LiveDriver, guests: list[Netns], monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_descriptors()
    for _ in range(3):
        for guest in guests:
            driver.pin(guest)
    assert len(open_descriptors()) == len(before) + len(guests)
    monkeypatch.setattr(pins, "_is_network", lambda _: False)
    with pytest.raises(GuestError, match="is no network namespace"):
        driver.pin(guests[0])
    driver.close()
    assert open_descriptors() == before
    driver.close()


def test_a_pin_is_what_was_there_when_it_was_last_opened(
    driver: LiveDriver, guests: list[Netns], tmp_path: Path
) -> None:
    first = driver.pin(guests[0])
    (tmp_path / "new").touch()
    (tmp_path / "new").rename(guests[0].path)
    assert os.fstat(driver._pins._fds[guests[0].path]).st_ino == first.inode
    assert driver.pin(guests[0]).inode != first.inode


def test_a_namespace_that_is_not_there_or_is_none(driver: LiveDriver, tmp_path: Path) -> None:
    with pytest.raises(NoNamespaceError, match=re.escape("missing is not there (No such file or directory)")):
        driver.pin(Netns(path=str(tmp_path / "missing")))
    (tmp_path / "plain").touch()
    with pytest.raises(GuestError, match="plain is no network namespace"):
        driver.pin(Netns(path=str(tmp_path / "plain")))


def test_the_birth_of_a_process_is_read_with_its_namespace(driver: LiveDriver) -> None:
    mine = driver.pin(Netns(path=f"/proc/{os.getpid()}/ns/net"))
    assert mine.born > 0
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        assert mine.groups == file.read()
    assert driver.pin(HOST) == mine._replace(born=0.0, groups="")


def test_names_in_bytes_that_are_no_utf8_pass_through(fp: FakeProcesses, driver: LiveDriver) -> None:
    given: list[bytes] = []
    fp.register(list(BATCH), stdin_callable=given.append)
    odd = os.fsdecode(b"caf\xe9")
    driver.apply_list([Command(argv=("ip", "link", "show", odd)), FIRST], stop=never)
    assert given == [b"link show caf\xe9\nlink add br1 type bridge\n"]
    fp.register(list(FIRST.argv), stdout=b"caf\xe9")
    assert driver.read([FIRST]) == [Outcome(code=0, stdout=odd, asked=pytest.approx(0, abs=1e12))]


def test_many_pinned_namespaces_raise_the_limit_of_open_files(
    driver: LiveDriver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(pins, "_MANY_PINS", 2)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
        limits = []
        for name in ("a", "b"):
            (tmp_path / name).symlink_to("/proc/self/ns/net")
            driver.pin(Netns(path=str(tmp_path / name)))
            limits.append(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        assert limits == [min(512, hard), hard]
    finally:
        driver.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
