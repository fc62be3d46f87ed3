"""`pipework demo`: works for root and for nobody, shows what it says, and leaves nothing behind."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.demo import attachments, stage, topology
from pipework_core.model.errors import HostError
from pipework_core.sandbox import host

from . import machine
from .host import clean_environment, is_root
from .parts import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .host import PrivateHost

DEMO = (sys.executable, "-P", "-m", "pipework_core", "demo")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    require("root" if is_root() else "userns")


@pytest.fixture(autouse=True)
def _nothing_left() -> Any:  # noqa: ANN401 - a generator fixture
    before = machine.snapshot()
    yield
    assert machine.differences(before, machine.snapshot()) == []


def run(argv: Sequence[str] = DEMO, **variables: str) -> subprocess.CompletedProcess[str]:
    env = clean_environment() | variables
    return subprocess.run(argv, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=60)


def assert_shown(done: subprocess.CompletedProcess[str]) -> None:
    """Check that everything the demo promises is on the screen."""
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "$ pipework br1 netns:web1 192.168.1.1/24\n    create the bridge br1\n",
        "-> web1 reaches 192.168.1.2 and hears back in ",
        "    nothing to do\n",
        "-> web2 reaches 10.0.0.254 and hears back in ",
        "failed: RTNETLINK answers: Address already in use\n",
        "-> web1 and the host are as before.\n",
        "\nAll of it worked, in ",
    ):
        assert words in done.stdout
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_it_works_and_shows_each_command() -> None:
    assert_shown(run())


def test_it_works_for_nobody() -> None:
    assert_shown(run_as_nobody(DEMO))


def run_as_nobody(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run it as a user who is not root, and has no home."""
    require("userns")
    if not is_root():
        return run(argv, HOME="/nonexistent")
    found = packages()
    return run([*NOBODY, python_for_everybody(found), *argv[1:]], PYTHONPATH=found, HOME="/nonexistent")


def python_for_everybody(path: str) -> str:
    """Return this Python, or the system's where this one lies in a folder that others may not enter."""
    for python in (sys.executable, "/usr/bin/python3"):
        program = "import sys, msgspec, yaml; sys.exit(sys.version_info < (3, 11))"
        if run([*NOBODY, "sh", "-c", 'exec "$0" -c "$1"', python, program], PYTHONPATH=path).returncode == 0:
            return python
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pytest.fail(f"others than root may not run {sys.executable}, and /usr/bin/python3 is no Python {version}")


def packages() -> str:
    """Return a PYTHONPATH with pipework and what it needs, for a Python that does not have them."""
    names = ("pipework_core", "pipework_backends", "pipework_drivers", "pluggy", "msgspec", "yaml")
    origins = [spec.origin for name in names if (spec := find_spec(name)) is not None and spec.origin]
    return ":".join(str(Path(origin).parent.parent) for origin in origins)


def test_it_needs_no_path_to_the_programs_of_administrators() -> None:
    assert_shown(run(PATH="/usr/bin:/bin"))


def on_terminal(**variables: str) -> str:
    """Return what the demo writes on a terminal."""
    ours, theirs = pty.openpty()
    env = clean_environment() | variables
    with subprocess.Popen(DEMO, env=env, stdout=theirs, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        seen = b""
        while chunk := read(ours):
            seen += chunk
        os.close(ours)
        assert process.wait(60) == 0
    return seen.decode()


def read(terminal: int) -> bytes:
    """Read from a terminal, whose other end answers with an error when it is closed (pty(7))."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_only_a_terminal_gets_bold_titles_and_only_when_it_wants_them() -> None:
    assert "\x1b[1mConnect the guests" in on_terminal()
    assert "\x1b" not in on_terminal(NO_COLOR="1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_leaves_nothing(number: signal.Signals) -> None:
    with subprocess.Popen(DEMO, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        while b"reaches 192.168.1.2" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert machine.owned_processes(os.getpid()) == ()


def test_a_user_who_may_have_no_namespaces_is_told_how(user_host: PrivateHost) -> None:
    user_host.run("sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces")
    bare = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    done = user_host.run(*bare, *DEMO, check=False)
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error.startswith("pipework: error: the kernel gives this user no namespaces: unshare: ")
    assert hint.endswith("sudo sysctl -w user.max_user_namespaces=10000")


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("kernel/unprivileged_userns_clone", "0\n", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1\n",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "1\n", "--privileged"),
    ],
)
def test_the_hint_names_the_setting_that_is_in_the_way(setting: str, value: str, hint: str, tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / setting).write_text(value)
    assert hint in host.explain_refusal("it says so", tmp_path).hint


@pytest.mark.parametrize(("programs", "missing"), [((), "unshare"), (("unshare", "nsenter", "mount"), "ip")])
def test_a_missing_program_is_named(
    programs: tuple[str, ...], missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in programs:
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(host, "_PROGRAMS", ())
    with pytest.raises(HostError, match=f"^{missing} is not installed here") as caught:
        host.open_entrance()
    assert "install it" in caught.value.hint


def with_fake(folder: Path, program: str, script: str) -> str:
    """Make a program that behaves as the real one but for `script`, and return a PATH that leads to it."""
    real = shutil.which(program, path=clean_environment()["PATH"])
    fake = folder / program
    fake.write_text(f'#!/bin/sh\nreal={real}\n{script}\nexec "$real" "$@"\n')
    fake.chmod(0o755)
    return f"{folder}:{clean_environment()['PATH']}"


def test_a_user_who_may_not_mount_is_told(tmp_path: Path) -> None:
    done = run(PATH=with_fake(tmp_path, "mount", "echo 'mount: permission denied.' >&2; exit 32"))
    assert done.returncode == 1
    assert "the kernel gives this user no namespaces: mount: permission denied." in done.stderr
    assert "hint: run it as root" in done.stderr
    assert done.stdout == ""


def test_a_part_that_fails_is_named_and_the_exit_code_is_1(tmp_path: Path) -> None:
    done = run(PATH=with_fake(tmp_path, "ip", "echo 'no batches today' >&2; exit 1"))
    assert done.returncode == 1
    assert "the demo failed: `ip -batch -` failed: no batches today" in done.stderr
    assert "hint: " in done.stderr
    assert "All of it worked" not in done.stdout


def test_a_command_of_pipework_that_fails_is_a_failure_of_the_demo(tmp_path: Path) -> None:
    said = "case $* in *'-details -json link'*) echo 'no links today' >&2; exit 1;; esac"
    done = run(PATH=with_fake(tmp_path, "ip", said))
    assert done.returncode == 1
    assert "`pipework br1 netns:web1 192.168.1.1/24` failed: " in done.stderr
    assert "no links today" in done.stderr


#: What a fake `ip` starts with: the words and the batch it is given, and how it hands over to the real one.
GIVEN = "given=$(case $* in *-batch*) cat;; esac)\n"
HAND_OVER = 'case $* in *-batch*) printf "%s\\n" "$given" | "$real" "$@"; exit;; esac'


def test_a_kernel_without_macvlan_is_told_and_is_no_failure(tmp_path: Path) -> None:
    refuse = "case \"$* $given\" in *'type macvlan'*) echo 'Error: Unknown device type.' >&2; exit 2;; esac\n"
    done = run(PATH=with_fake(tmp_path, "ip", GIVEN + refuse + HAND_OVER))
    assert (done.returncode, done.stderr) == (0, "")
    assert "left out: this kernel has no macvlan." in done.stdout


def test_guests_that_do_not_reach_each_other_are_a_failure(tmp_path: Path) -> None:
    unplug = "given=$(printf '%s\\n' \"$given\" | sed 's/ master br1//')\n"
    done = run(PATH=with_fake(tmp_path, "ip", GIVEN + unplug + HAND_OVER))
    assert done.returncode == 1
    assert "web1 does not reach 192.168.1.2 of web2: " in done.stderr


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the demo act on nothing at all, and everything go well."""
    for name in ("prepare_stage", "run_tool", "show_reachability", "print_result", "print_title"):
        monkeypatch.setattr(stage, name, lambda *_, **__: "")
    monkeypatch.setattr(attachments, "_attach_wrongly", lambda *_: None)
    monkeypatch.setattr(attachments, "_attach_guest", lambda *_: {"changed": False})
    monkeypatch.setattr(attachments, "_read_state", lambda: ["lo"])
    return monkeypatch


def test_a_second_run_that_changes_something_is_a_failure(scripted: pytest.MonkeyPatch) -> None:
    attachments.show_attachments()
    scripted.setattr(attachments, "_attach_guest", lambda *_: {"changed": True})
    with pytest.raises(HostError, match="second run"):
        attachments.show_attachments()


def test_something_that_is_not_undone_is_a_failure(scripted: pytest.MonkeyPatch) -> None:
    states = iter([["lo"], ["lo", "eth2"], ["lo", "eth2"]])
    scripted.setattr(attachments, "_read_state", lambda: next(states))
    with pytest.raises(HostError, match="not undone"):
        attachments.show_attachments()


TOPOLOGY = (*DEMO, "--topology")
PAGE = Path(__file__).parents[2] / "docs" / "topology.md"


def assert_topology_shown(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "  $ pipework up -f demo.yaml\n    4 attached\n    -> web1 reaches 192.168.1.10 and hears back in ",
        "  $ pipework up -f demo.yaml\n    4 unchanged\n",
        "  $ pipework status -f demo.yaml\n    netns:db eth2: give eth2 its address 10.20.0.10/16\n",
        "  $ pipework up -f demo.yaml\n    1 attached, 3 unchanged\n  $ pipework status -f demo.yaml\n\n",
        "10.20.0.10/16,fd00:20::10/64",
        "    4 detached\n    -> the host and the guests are as before.\n",
        "\nAll of it worked, in ",
    ):
        assert words in done.stdout


def test_a_whole_topology_goes_up_is_repaired_and_goes_down() -> None:
    assert_topology_shown(run(TOPOLOGY))


def test_a_whole_topology_works_for_nobody() -> None:
    assert_topology_shown(run_as_nobody(TOPOLOGY))


def test_without_its_libraries_the_topology_is_not_shown_and_pip_is_named(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise ImportError('none', name='msgspec')\n")
    done = run(TOPOLOGY, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "topology files need the library msgspec" in done.stderr
    assert "pip install 'pipework[up]'" in done.stderr


def test_the_readme_shows_the_file_that_the_demo_runs() -> None:
    text = topology.FILE.read_text()
    assert f"```yaml\n{text}```\n" in PAGE.read_text()


def test_a_repair_that_is_not_needed_is_a_failure_of_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = subprocess.CompletedProcess((), 0, "", "4 unchanged\n")
    monkeypatch.setattr(stage, "run_pipework", lambda _: fine)
    with pytest.raises(HostError, match="not saying '4 attached'"):
        topology._run_with_file("up", says="4 attached")
