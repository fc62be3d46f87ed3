"""Real processes: how they are started, what they are told, and how they end. The guard lets this file."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.driver import TIMED_OUT
from pipework_core.model.errors import HostError, Interrupted
from pipework_core.model.plan import Command, Outcome
from pipework_drivers.local import process as processes
from pipework_drivers.local.driver import LiveDriver
from pipework_drivers.local.process import Process, has_ended, start_unattended

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE = [
    "",
    " ",
    "a b",
    "$(touch x)",
    "`id`",
    "'",
    '"',
    "\\",
    "\n",
    "*",
    "~",
    "-rf",
    ";",
    "&",
    "|x",
    "é",
    "caf\udce9",
]
#: Prints, as JSON, what a child sees of itself.
WATCH = (
    "import json, os, sys; print(json.dumps({'group': os.getpgrp(), 'pid': os.getpid(), 'parent': os.getppid(), "
    "'session': os.getsid(0), 'argv': sys.argv[1:], 'fds': os.listdir('/proc/self/fd'), 'stdin': sys.stdin.read(), "
    "'language': os.environ['LC_ALL']}))"
)


@pytest.fixture
def driver() -> Iterator[LiveDriver]:
    driver = LiveDriver()
    yield driver
    driver.close()


def run(*argv: str, stdin: str | None = None, timeout: float = 60.0) -> Outcome:
    process = Process(argv, stdin=stdin, fds=(), timeout=timeout)
    try:
        return process.wait_for_outcome()
    finally:
        process.end()


def watched(*words: str, stdin: str | None = None) -> dict[str, object]:
    outcome = run(sys.executable, "-c", WATCH, *words, stdin=stdin)
    assert outcome.code == 0, outcome.stderr
    seen: dict[str, object] = json.loads(outcome.stdout)
    return seen


def test_exit_codes_are_told() -> None:
    assert run("true").code == 0
    assert run("false").code == 1
    assert run("sh", "-c", "exit 124").code == 124
    assert run("sh", "-c", "kill -9 $$").code == -9


def test_both_outputs_are_told_apart() -> None:
    outcome = run("sh", "-c", "echo out; echo err >&2")
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")


def test_what_it_reads_arrives_and_otherwise_there_is_nothing_to_read() -> None:
    assert run("cat", stdin="one\ntwo caf\udce9").stdout == "one\ntwo caf\udce9"
    assert run("cat").stdout == ""
    much = "x" * 300_000  # more than a pipe holds, both ways
    assert run("cat", stdin=much).stdout == much


def test_a_program_that_does_not_read_is_no_error() -> None:
    assert run("true", stdin="x" * 300_000).code == 0


def test_hostile_words_arrive_unchanged() -> None:
    assert watched(*HOSTILE)["argv"] == HOSTILE


def test_it_has_a_group_of_its_own_and_no_shell_between() -> None:
    seen = watched()
    assert seen["group"] == seen["pid"]
    assert seen["group"] != os.getpgrp()
    assert seen["parent"] == os.getpid()
    # … but the session, and so the terminal for a password, is ours.
    assert seen["session"] == os.getsid(0)
    assert seen["language"] == "C.UTF-8"


def test_a_signal_to_our_group_does_not_reach_the_tool() -> None:
    """Ctrl-C at a terminal goes to the whole group in the foreground (termios(3), ISIG)."""
    script = (
        "import os, signal, sys; from pipework_drivers.local.process import Process;"
        "signal.signal(signal.SIGINT, lambda *_: None);"
        "child = Process(['sh', '-c', 'read line; echo $line'], stdin='alive', fds=());"
        "os.killpg(os.getpgrp(), signal.SIGINT);"
        "outcome = child.wait_for_outcome(); print(outcome.code, outcome.stdout, end='')"
    )
    # In a session of its own, so that the signal cannot reach these tests whatever becomes of the promise.
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, start_new_session=True, timeout=60
    )
    assert done.stdout == "0 alive\n", done.stderr


def test_no_descriptor_is_inherited_that_was_not_given(driver: LiveDriver) -> None:
    del driver
    kept = os.open("/", os.O_RDONLY)
    os.set_inheritable(kept, True)  # noqa: FBT003 - its own signature
    try:
        # 3 is the folder that is being listed.
        assert watched()["fds"] == ["0", "1", "2", "3"]
    finally:
        os.close(kept)


def test_a_hung_program_is_ended_with_all_it_started() -> None:
    read, write = os.pipe()
    process = Process(("sh", "-c", "echo half; sleep 1000 & sleep 1000"), stdin=None, fds=(write,), timeout=0.2)
    os.close(write)
    outcome = process.wait_for_outcome()
    assert outcome.code == 124
    assert "gave no answer for 0.2 seconds" in outcome.stderr
    with os.fdopen(read) as pipe:
        assert pipe.read() == ""  # comes to its end only when nobody holds the other end any more


def test_ending_does_not_wait_for_what_left_the_group() -> None:
    read, write = os.pipe()
    leave = ("setsid", "--fork", "sh", "-c", f"echo $$ >/proc/self/fd/{write}; exec sleep 1000")
    process = Process(leave, stdin=None, fds=(write,), timeout=0.1)
    os.close(write)
    left = int(os.read(read, 20))
    os.close(read)
    assert process.wait_for_outcome().code == 124
    os.killpg(left, signal.SIGKILL)


def test_an_interrupted_read_leaves_nothing_running(driver: LiveDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Process) -> Outcome:
        raise Interrupted

    read, write = os.pipe()
    driver._pins._fds["held"] = write  # the tools hold the pipe
    monkeypatch.setattr(Process, "wait_for_outcome", interrupt)
    with pytest.raises(Interrupted):
        driver.read(
            [Command(argv=("sh", "-c", "sleep 1000", "held")), Command(argv=("sh", "-c", "sleep 1000", "held"))]
        )
    driver.close()
    with os.fdopen(read) as pipe:
        assert pipe.read() == ""  # comes to its end only when nobody holds the other end any more


def test_nothing_is_left_to_warn_about(driver: LiveDriver) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        driver.read([Command(argv=("true",)), Command(argv=("cat",), stdin="x")])
        driver.apply_list([Command(argv=("false",))], stop=lambda: False)
        start_unattended(("sleep", "0.1"), fds=())
        with pytest.raises(HostError):
            driver.read([Command(argv=("true",)), Command(argv=("no-such-program",))])
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def children() -> dict[int, str]:
    """Return the state of each child of this process (proc(5), stat, field 3)."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        for pid in map(int, (task / "children").read_text().split()):
            found[pid] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return found


def test_an_announcement_runs_by_itself_and_is_reaped() -> None:
    known = set(children())
    read, write = os.pipe()
    mine = start_unattended(("sh", "-c", f"ps -o sid= -p $$ >/proc/self/fd/{write}"), fds=(write,))
    os.close(write)
    assert set(children()) - known == {mine}
    with os.fdopen(read) as pipe:
        assert int(pipe.read()) == mine  # a session of its own: closing the terminal does not end it
    os.waitid(os.P_PID, mine, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie until somebody reaps it
    assert children()[mine] == "Z"
    assert has_ended(mine)
    assert mine not in children()


def test_a_driver_reaps_what_nobody_waited_for(driver: LiveDriver) -> None:
    known = set(children())
    driver.start([Command(argv=("true",))])
    (mine,) = set(children()) - known
    os.waitid(os.P_PID, mine, os.WEXITED | os.WNOWAIT)
    driver.release()
    assert mine not in children()


def test_a_program_that_closes_its_outputs_is_still_waited_for() -> None:
    assert run("sh", "-c", "exec >&- 2>&-; sleep .2; exit 3").code == 3
    assert run("sh", "-c", "exec >&- 2>&-; sleep 1000", timeout=0.1).code == TIMED_OUT


def test_without_pidfds_the_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert run("sh", "-c", "exec >&- 2>&-; sleep .1; exit 3").code == 3


def test_an_announcement_that_does_not_exist_is_left_out() -> None:
    assert start_unattended(("no-such-program",), fds=()) == 0


def test_a_program_that_is_missing_or_cannot_be_run(driver: LiveDriver, tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"^no-such-program is not installed here\.$"):
        driver.apply_list([Command(argv=("no-such-program",))], stop=lambda: False)
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    (outcome,) = driver.apply_list([Command(argv=(str(broken),))], stop=lambda: False)
    assert outcome.code == 127
    assert outcome.error_text == f"{broken} cannot be started: No such file or directory"


def test_reads_run_side_by_side(driver: LiveDriver, tmp_path: Path) -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    for name in ("a", "b"):
        os.mkfifo(tmp_path / name)
    meet = "printf x >{0} & read y <{1}; printf $y; wait"
    commands = [
        Command(argv=("sh", "-c", meet.format(tmp_path / one, tmp_path / other))) for one, other in ("ab", "ba")
    ]
    assert [outcome.stdout for outcome in driver.read(commands)] == ["x", "x"]


def test_a_patient_command_is_waited_for_and_read_to_its_end(driver: LiveDriver) -> None:
    command = Command(argv=("sh", "-c", "cat; sleep .3; echo lease"), stdin="words\n", timeout=30.0)
    assert [(done.code, done.stdout) for done in driver.apply_list([command], stop=lambda: False)] == [
        (0, "words\nlease\n")
    ]


def test_a_signal_ends_a_patient_command_which_is_told_so_first(driver: LiveDriver, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = f"trap 'echo told >{mark}.end; exit 7' TERM; >{mark}; sleep 1000 & wait"
    command = Command(argv=("sh", "-c", script), timeout=1000.0)
    outcomes = driver.apply_list([command, Command(argv=("touch", f"{mark}.next"))], stop=mark.exists)
    assert [done.code for done in outcomes] == [-signal.SIGTERM]
    assert Path(f"{mark}.end").read_text() == "told\n"
    assert not Path(f"{mark}.next").exists()


def test_a_command_without_patience_is_never_ended_by_a_signal(driver: LiveDriver, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = Command(argv=("sh", "-c", f">{mark}; sleep .3; >{mark}.end"))
    assert [done.code for done in driver.apply_list([command], stop=mark.exists)] == [0]
    assert Path(f"{mark}.end").exists()


def test_a_patient_command_that_outstays_its_patience_is_ended(
    driver: LiveDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE", 0.2)
    outcome = driver.apply_list([Command(argv=("sleep", "1000"), timeout=0.1)], stop=lambda: False)[0]
    assert outcome.code == TIMED_OUT
    assert "gave no answer for 0.3 seconds" in outcome.stderr
