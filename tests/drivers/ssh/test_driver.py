"""The ssh driver against a far end without a process: what it asks, how often, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.model.driver import PinnedNetns
from pipework_core.model.errors import GuestError, HostError, NoNamespaceError, UsageError
from pipework_core.model.plan import HOST, Command, Netns
from pipework_drivers.local.process import NOT_STARTED
from pipework_drivers.ssh import driver as ssh
from pipework_drivers.ssh.address import Address

from .far_end import HELLO, PROGRAMS, FarEnd, Said

if TYPE_CHECKING:
    from collections.abc import Callable

GUEST = Netns(path="/proc/42/ns/net")
ADD = Command(argv=("ip", "link", "add", "name", "br1", "type", "bridge"))
UP = Command(argv=("ip", "link", "set", "dev", "br1", "up"))
INSIDE = Command(argv=("ip", "link", "set", "dev", "eth1", "netns", GUEST.path), netns=GUEST)
SETTLE = Command(argv=("cat", "x"), timeout=3.0)


def driver(far: FarEnd) -> ssh.SshDriver:
    return ssh.SshDriver(Address(host="host2", user="root"), connect=lambda _: far)


def never() -> bool:
    return False


def answering(needle: str, said: Said) -> Callable[[str], Said | None]:
    return lambda line: said if needle in line else None


def test_usual_programs_are_known_from_the_first_answer() -> None:
    far = FarEnd()
    asked = driver(far)
    assert asked.has_program("ip")
    assert asked.locate("docker") is None
    assert len(far.requests) == 1


def test_another_program_is_asked_for_once() -> None:
    far = FarEnd(answering("where", Said(out=b"vtysh=/opt/bin/vtysh\n")))
    asked = driver(far)
    assert asked.locate("vtysh") == "/opt/bin/vtysh"
    assert asked.has_program("vtysh")
    assert far.requests[1:] == [["where 'vtysh'"]]


def test_reads_of_a_step_are_one_round_trip() -> None:
    far = FarEnd(answering("'/bin/cat'", Said(out=b"1\n")))
    outcomes = driver(far).read([ADD, Command(argv=("cat", "/x"))])
    assert [outcome.stdout for outcome in outcomes] == ["", "1\n"]
    assert [outcome.asked for outcome in outcomes] == [5.25, 5.25]
    assert [len(lines) for lines in far.requests] == [1, 2]


def test_a_read_that_fails_keeps_none_of_the_others_back() -> None:
    far = FarEnd(answering("'br1'", Said(code=1, err=b"no\n")))
    outcomes = driver(far).read([ADD, Command(argv=("cat", "/x"))])
    assert [(outcome.code, outcome.stderr) for outcome in outcomes] == [(1, "no\n"), (0, "")]


def test_a_program_that_may_be_missing_is_left_out() -> None:
    far = FarEnd()
    maybe = Command(argv=("docker", "ps"), ok_codes=frozenset({0, NOT_STARTED}))
    asked = driver(far)
    assert [outcome.code for outcome in asked.read([maybe, ADD])] == [NOT_STARTED, 0]
    assert asked.read([maybe])[0].code == NOT_STARTED
    assert asked.read([]) == []
    assert [len(lines) for lines in far.requests] == [1, 1]


@pytest.mark.parametrize(
    ("missing", "command"),
    [("ip", ADD), ("nsenter", INSIDE), ("cat", ADD._replace(undo=(Command(argv=("cat",)),)))],
)
def test_a_program_that_may_not_be_missing_is_named_before_anything_is_done(missing: str, command: Command) -> None:
    far = FarEnd(programs=tuple(name for name in PROGRAMS if name != missing))
    refusing = driver(far)
    (outcome,) = refusing.apply_list([command, UP], stop=never)
    assert (outcome.code, outcome.stderr) == (NOT_STARTED, f"{missing} is not installed on root@host2.")
    with pytest.raises(HostError, match=f"{missing} is not installed on root@host2") as raised:
        refusing.read([command, *command.undo])
    assert "package" in raised.value.hint
    assert len(far.requests) == 1


def test_a_plan_is_one_round_trip_and_consecutive_commands_one_process() -> None:
    far = FarEnd()
    sent = driver(far)
    sent.pin(GUEST)
    before = len(far.requests)
    outcomes = sent.apply_list([ADD, UP, INSIDE, Command(argv=("cat", "x"))], stop=never)
    assert [outcome.code for outcome in outcomes] == [0] * 4
    (lines,) = far.requests[before:]
    assert len(lines) == 3
    assert "'/bin/ip' '-batch' '-'" in lines[0]
    assert "link add name br1 type bridge\nlink set dev br1 up\n" in lines[0]
    assert lines[1].startswith("'/bin/timeout' '-s' 'KILL' '60' '/bin/nsenter' '--net=/proc/self/fd/9' '/bin/ip'")
    # A pinned path that is a word of its own is the descriptor, which this command alone inherits.
    assert lines[1].endswith("'netns' '/proc/self/fd/9' </dev/null 9<&9 3<&-")
    assert lines[2].endswith("</dev/null 3<&- 9<&-")


def test_the_line_of_a_batch_that_fails_is_the_command_that_is_named() -> None:
    far = FarEnd(answering("-batch", Said(code=1, err=b"busy\nCommand failed -:2\n")))
    outcomes = driver(far).apply_list([ADD, UP, Command(argv=("cat", "x"))], stop=never)
    assert [(outcome.code, outcome.stderr) for outcome in outcomes] == [(0, ""), (1, "busy")]


def test_nothing_is_begun_when_a_signal_has_come() -> None:
    far = FarEnd()
    assert driver(far).apply_list([ADD], stop=lambda: True) == []
    assert len(far.requests) == 1


def test_what_is_expected_of_an_answer_ends_a_round_trip() -> None:
    far = FarEnd(answering("'get'", Said(out=b"other\n")))
    expecting = Command(argv=("cat", "get"), expect="due")
    outcomes = driver(far).apply_list([ADD, expecting, UP], stop=never)
    assert [outcome.stdout for outcome in outcomes] == ["", "other\n"]
    assert len(far.requests) == 2


def test_an_atomic_transaction_that_failed_is_run_again_one_by_one() -> None:
    far = FarEnd(answering("'second'", Said(code=1, err=b"no\n")))
    commands = [Command(argv=("ovs-vsctl", "--timeout=5", word)) for word in ("first", "second", "third")]
    outcomes = driver(far).apply_list([*commands, ADD], stop=never)
    assert [outcome.code for outcome in outcomes] == [0, 1]
    assert [len(lines) for lines in far.requests] == [1, 2, 3]


def test_what_was_killed_says_that_it_may_have_taken_too_long() -> None:
    far = FarEnd(answering("'br1'", Said(code=137)))
    assert "60 seconds" in driver(far).apply_list([ADD], stop=never)[0].stderr


class TestPins:
    def test_a_namespace_is_held_open_and_told_by_its_inode_and_birth(self) -> None:
        assert driver(FarEnd()).pin(GUEST) == PinnedNetns(inode=9, born=0.22)

    def test_asked_several_times_in_a_row_it_is_opened_once(self) -> None:
        far = FarEnd()
        pinned = driver(far)
        assert pinned.pin(GUEST) == pinned.pin(GUEST)
        assert len(far.requests) == 2
        pinned.read([ADD])
        pinned.pin(GUEST)  # another process may have that number by now
        assert len(far.requests) == 4

    def test_our_own_and_the_first_process_cost_no_round_trip(self) -> None:
        far = FarEnd()
        pinned = driver(far)
        assert pinned.pin(HOST).inode == 1
        assert pinned.pin(Netns(path="/proc/1/ns/net")).inode == 2
        assert len(far.requests) == 1

    def test_our_own_namespace_is_that_of_the_shell_wherever_it_is_meant(self) -> None:
        far = FarEnd()
        driver(far).apply_list([Command(argv=("ip", "link", "set", "x", "netns", HOST.path))], stop=never)
        assert "'netns' '/proc/77/ns/net'" in far.requests[1][0]

    def test_the_first_process_may_be_out_of_reach(self) -> None:
        with pytest.raises(GuestError, match="may not be entered"):
            driver(FarEnd(hello=HELLO.replace("net:[2]", ""))).pin(Netns(path="/proc/1/ns/net"))

    @pytest.mark.parametrize(
        ("said", "error", "words"),
        [
            (Said(code=4, err=b"cannot open: No such file\n"), NoNamespaceError, "is not there"),
            (Said(code=4, err=b"cannot open: Permission denied\n"), GuestError, "may not be entered"),
            (Said(code=5, err=b"nsenter: Operation not permitted\n"), GuestError, "may not be entered"),
            (Said(code=5, err=b"nsenter: Invalid argument\n"), GuestError, "is no network namespace"),
            (Said(code=6, err=b"cat: No such process\n"), NoNamespaceError, "has just ended"),
        ],
    )
    def test_what_cannot_be_pinned(self, said: Said, error: type[GuestError], words: str) -> None:
        with pytest.raises(error, match=words) as raised:
            driver(FarEnd(answering("'pin'", said))).pin(GUEST)
        assert type(raised.value) is error

    def test_a_path_that_is_pinned_again_keeps_its_descriptor(self) -> None:
        far = FarEnd()
        pinned = driver(far)
        for path in ("/proc/42/ns/net", "/run/netns/blue", "/proc/42/ns/net"):
            pinned.pin(Netns(path=path))
        assert [lines[0].split()[1] for lines in far.requests[1:]] == ["'9'", "'8'", "'9'"]

    def test_processes_hold_what_a_shell_has_no_descriptors_for(self) -> None:
        far = FarEnd(answering("'hold'", Said(out=b"net:[77]\nholder 4711\n")))
        pinned = driver(far)
        for number in range(5):
            pinned.pin(Netns(path=f"/run/netns/{number}"))
        assert pinned.pin(GUEST).inode == 77
        pinned.read([Command(argv=("ip", "link"), netns=GUEST)])
        assert "--net=/proc/4711/fd/4" in far.requests[-1][0]
        pinned.release()
        assert far.requests[-1] == ["exec 9<&- 8<&- 7<&- 6<&- 5<&-", "drop"]

    def test_a_far_end_that_does_not_say_what_holds_a_namespace_is_not_believed(self) -> None:
        pinned = driver(FarEnd(answering("'hold'", Said(out=b"net:[77]\n"))))
        for number in range(5):
            pinned.pin(Netns(path=f"/run/netns/{number}"))
        with pytest.raises(HostError, match="does not say what holds"):
            pinned.pin(GUEST)

    def test_what_is_released_is_closed_there_without_waiting(self) -> None:
        far = FarEnd()
        held = driver(far)
        held.pin(GUEST)
        held.release()
        held.release()
        assert far.requests[2:] == [["exec 9<&-"]]
        held.pin(GUEST)
        assert far.requests[3][0].startswith(f"'pin' '9' '{GUEST.path}'")


class TestLock:
    def test_it_is_taken_with_the_first_question_and_given_back_without_waiting(self) -> None:
        far = FarEnd()
        held = driver(far)
        held.has_program("ip")
        turns = far.turns
        with held.lock():
            held.read([ADD])
        assert far.turns == turns + 1
        assert "'take' '/run/pipework.lock'" in far.requests[1][0]
        assert "'/bin/flock' '3' && sign " in far.requests[1][0]
        assert far.requests[2] == ["give_back"]

    def test_a_host_that_others_keep_busy_is_an_error_and_nothing_is_read(self) -> None:
        far = FarEnd(answering("'take'", Said(code=124)))
        held = driver(far)
        with pytest.raises(HostError, match="has kept root@host2 busy"), held.lock():
            held.read([ADD])

    def test_a_host_without_flock(self) -> None:
        held = driver(FarEnd(programs=("ip",)))
        with pytest.raises(HostError, match="flock is not installed on root@host2") as raised, held.lock():
            held.read([ADD])
        assert "util-linux" in raised.value.hint

    @pytest.mark.parametrize("said", [b"", b"disturbed\n"])
    def test_let_go_it_tells_whether_somebody_else_had_it(self, said: bytes) -> None:
        far = FarEnd(answering("taken", Said(out=said)))
        held = driver(far)
        with held.lock() as hold:
            held.read([ADD])
            with hold.yielded():
                assert far.requests[-1] == ["give_back"]
            assert hold.contended is bool(said)

    def test_without_timeout_flock_waits_by_itself(self) -> None:
        far = FarEnd(programs=("ip", "flock"))
        held = driver(far)
        with held.lock():
            held.read([ADD])
        assert "'/bin/flock' '-w' '30' '3'" in far.requests[1][0]


class TestPatience:
    def test_it_is_a_request_of_its_own_and_we_say_that_we_saw_its_end(self) -> None:
        far = FarEnd(answering("attend", Said(out=b"ok\n", err=b"\npipework: over\n")))
        outcomes = driver(far).apply_list([ADD, SETTLE, UP], stop=never)
        assert [(outcome.code, outcome.stdout, outcome.stderr) for outcome in outcomes][1] == (0, "ok\n", "")
        assert [len(lines) for lines in far.requests] == [1, 1, 1, 1]
        assert far.lines == [b"on\n"]

    def test_a_signal_here_ends_it_there(self) -> None:
        far = FarEnd(answering("attend", Said(code=143)))
        stops = iter((False, False, True, True, True))
        outcomes = driver(far).apply_list([SETTLE, UP], stop=lambda: next(stops))
        assert [(outcome.code, outcome.stderr) for outcome in outcomes] == [(-15, "was interrupted")]
        assert far.lines == [b"stop\n"]


def test_announcements_wait_for_nothing_and_outlive_the_connection() -> None:
    far = FarEnd()
    started = driver(far)
    started.has_program("ip")
    turns = far.turns
    started.pin(GUEST)
    started.start([Command(argv=("arping", "-I", "eth1"), netns=GUEST)])
    assert far.turns == turns + 1  # the pin
    line = "'/bin/setsid' '/bin/nsenter' '--net=/proc/self/fd/9' 'arping' '-I' 'eth1' </dev/null 9<&9 3<&-"
    assert far.requests[-1] == [f"{line} >/dev/null 2>&1 &"]


class TestBreaking:
    def test_before_the_first_answer_it_says_why(self) -> None:
        far = FarEnd(silent_from=1)
        far.last_words = b"ssh: connect to host host2 port 22: Connection refused\r\n"
        with pytest.raises(HostError, match="no ssh server listens on host2"):
            driver(far).has_program("ip")

    def test_behind_it_the_next_run_completes_what_was_begun(self) -> None:
        far = FarEnd(silent_from=2)
        far.last_words = b"Connection to host2 closed by remote host.\r\n"
        with pytest.raises(HostError, match="the connection to root@host2 was lost") as raised:
            driver(far).apply_list([ADD], stop=never)
        assert "closed by remote host" in str(raised.value)
        assert "run the same command again" in raised.value.hint

    def test_letting_the_lock_go_raises_nothing(self) -> None:
        far = FarEnd(silent_from=4)
        held = driver(far)
        with held.lock() as hold:
            held.read([ADD])
            with hold.yielded():
                pass
            assert not hold.contended

    def test_noise_of_a_login_shell_is_not_an_answer(self) -> None:
        assert driver(FarEnd(noise=b"Welcome to host2!\n")).has_program("ip")

    def test_a_user_who_is_not_root(self) -> None:
        with pytest.raises(HostError, match="not root") as raised:
            driver(FarEnd(hello=HELLO.replace("uid=0", "uid=1000"))).has_program("ip")
        assert "ssh://root@host2" in raised.value.hint

    @pytest.mark.parametrize("hello", ["", "uid=0\n", "uid=x\npid=y\nticks=z\n"])
    def test_a_shell_that_does_not_say_what_it_is(self, hello: str) -> None:
        with pytest.raises(HostError, match="does not say what it is"):
            driver(FarEnd(hello=hello)).has_program("ip")

    def test_closing_ends_the_connection(self) -> None:
        far = FarEnd()
        driver(far).close()
        assert far.closed


def test_the_address_is_checked_before_anything_is_started() -> None:
    with pytest.raises(UsageError, match="no user's name"):
        ssh.SshDrivers().open("//-oProxyCommand=x@host2")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sh", None)
    with pytest.raises(HostError, match="Python package sh") as raised:
        ssh.SshDrivers().open("//root@host2")
    assert "pipework[ssh]" in raised.value.hint
