"""What a script does with harmless programs, in every shell: order, failure, undoing, quoting."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.plan import HOST, Command, Netns
from pipework_drivers.dry_run.script import Script, Section

from .scripts import SHELLS, complaints_of_shellcheck
from .test_dry_run import require_shellcheck

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

every_shell = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)

#: What a hostile guest, interface or option could bring along, in every place where text goes.
HOSTILE = "a\nb; touch hacked\r\n$(touch hacked) `touch hacked` '\"\\ # \x1b[2J caf\udce9 é"


def script(*steps: Command, announce: Sequence[Command] = (), **given: object) -> str:
    plain: dict[str, object] = {"title": ("x",), "notes": (), "inodes": {}, "locate": lambda _: None}
    sections = [Section(steps=steps)] if steps else []
    return Script(**{**plain, "sections": sections, "announce": announce, **given}).render_text()


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Sequence[str], str], subprocess.CompletedProcess[bytes]]:
    """Provide a function that feeds a script to a shell, in a folder of its own."""

    def feed(shell: Sequence[str], text: str) -> subprocess.CompletedProcess[bytes]:
        data = os.fsencode(text)
        return subprocess.run(shell, input=data, capture_output=True, check=False, cwd=tmp_path, timeout=30)

    return feed


Run = "Callable[[Sequence[str], str], subprocess.CompletedProcess[bytes]]"


def touch(name: str, **options: object) -> Command:
    """Return a command that makes a file, and whose undoing removes it."""
    return Command(argv=("touch", name), undo=(Command(argv=("rm", name)),), **options)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@every_shell
def test_the_steps_run_in_order_and_a_failure_undoes_them_backwards(
    run: Run, tmp_path: Path, shell: Sequence[str]
) -> None:
    steps = [touch("a"), Command(argv=("mkdir", "d"), undo=(Command(argv=("rmdir", "d")),)), touch("d/b")]
    assert run(shell, script(*steps)).returncode == 0
    assert files(tmp_path) == ["a", "d"]
    (tmp_path / "d/b").unlink()
    (tmp_path / "d").rmdir()
    # The folder can only be removed behind the file in it: newest first.
    done = run(shell, script(*steps, Command(argv=("cat", "missing")), touch("never")))
    assert done.returncode == 1
    assert files(tmp_path) == []
    assert b"missing" in done.stderr
    assert b"what had been done was undone" in done.stderr


@every_shell
def test_an_undoing_that_fails_is_told_and_does_not_end_the_others(
    run: Run, tmp_path: Path, shell: Sequence[str]
) -> None:
    broken = Command(argv=("true",), undo=(Command(argv=("cat", "gone")),))
    done = run(shell, script(touch("a"), broken, Command(argv=("false",))))
    assert done.returncode == 1
    assert files(tmp_path) == []
    assert b"undoing what had been done failed too" in done.stderr


@every_shell
@pytest.mark.parametrize(
    ("guard", "left"), [(("true",), []), (("echo", "[]"), []), (("echo", "port1"), ["a"]), (("false",), ["a"])]
)
def test_a_guarded_undoing(
    run: Run, tmp_path: Path, shell: Sequence[str], guard: tuple[str, ...], left: list[str]
) -> None:
    undo = Command(argv=("rm", "a"), guard=Command(argv=guard))
    run(shell, script(Command(argv=("touch", "a"), undo=(undo,)), Command(argv=("false",))))
    assert files(tmp_path) == left


@every_shell
@pytest.mark.parametrize(("said", "code"), [("[]", 0), ("no such device", 1), ("", 1)])
def test_an_expectation(run: Run, tmp_path: Path, shell: Sequence[str], said: str, code: int) -> None:
    asked = Command(argv=("echo", said), expect="[]", undo=(Command(argv=("touch", "asked-was-undone")),))
    done = run(shell, script(touch("a"), asked))
    assert done.returncode == code
    # It ran, whatever it answered, so it is undone, too.
    assert files(tmp_path) == (["asked-was-undone"] if code else ["a"])
    assert (b"did not do what was expected" in done.stderr) == bool(code)


@every_shell
@pytest.mark.parametrize(("ended", "code"), [("0", 0), ("3", 0), ("4", 1), ("142", 0), ("143", 1)])
def test_exit_codes_that_count_as_done(run: Run, shell: Sequence[str], ended: str, code: int) -> None:
    step = Command(argv=("sh", "-c", f"exit {ended}"), ok_codes=frozenset({0, 3, -14}))
    assert run(shell, script(step)).returncode == code


@every_shell
@pytest.mark.parametrize(("how", "undone"), [("exit 1", False), ("exit 124", True), ("kill -ALRM $$", True)])
def test_what_was_cut_short_counts_as_done(
    run: Run, tmp_path: Path, shell: Sequence[str], how: str, *, undone: bool
) -> None:
    step = Command(argv=("sh", "-c", how), undo=(Command(argv=("touch", "undone")),))
    assert run(shell, script(step)).returncode == 1
    assert files(tmp_path) == (["undone"] if undone else [])


@every_shell
@pytest.mark.parametrize("text", ["", "one\ntwo\n", "no end", HOSTILE, "%s\\n", "-n", "x" * 200_000])
def test_what_a_command_reads(run: Run, tmp_path: Path, shell: Sequence[str], text: str) -> None:
    done = run(shell, script(Command(argv=("tee", "copy"), stdin=text)))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "copy").read_bytes() == os.fsencode(text)


@every_shell
@pytest.mark.parametrize("number", ["HUP", "INT", "TERM"])
def test_a_signal_does_not_stop_it_half_way(run: Run, tmp_path: Path, shell: Sequence[str], number: str) -> None:
    signalled = Command(argv=("sh", "-c", f"kill -{number} $PPID"))
    assert run(shell, script(touch("a"), signalled, touch("b"))).returncode == 0
    assert files(tmp_path) == ["a", "b"]


@every_shell
def test_no_command_reads_the_script_itself(run: Run, tmp_path: Path, shell: Sequence[str]) -> None:
    done = run(shell, script(Command(argv=("cat",)), touch("a")))
    assert (done.returncode, done.stdout, files(tmp_path)) == (0, b"", ["a"])


@every_shell
def test_hostile_words_stay_words_wherever_they_stand(run: Run, tmp_path: Path, shell: Sequence[str]) -> None:
    words = (HOSTILE, "", "~", "-n", "A=b", "!", "é")
    step = Command(
        argv=("printf", "%s|", *words),
        reason=HOSTILE,
        undo=(Command(argv=("touch", HOSTILE.replace("/", "")), reason=HOSTILE),),
        expect=HOSTILE,
    )
    text = script(Command(argv=step.argv, reason=HOSTILE), title=("x", HOSTILE), notes=(HOSTILE,))
    assert run(shell, text).stdout == os.fsencode("|".join(words) + "|")
    announced = script(step, announce=[Command(argv=("true", HOSTILE), reason=HOSTILE)], title=("x", HOSTILE))
    assert run(shell, announced).returncode == 1
    assert "hacked" not in files(tmp_path)
    assert len(files(tmp_path)) == 1  # the one whose name is hostile: undoing quotes, too
    assert run(shell, script(title=("x", HOSTILE), notes=(HOSTILE,))).returncode == 0
    assert "hacked" not in files(tmp_path)


@every_shell
def test_the_first_word_is_a_program_and_never_an_assignment(run: Run, shell: Sequence[str]) -> None:
    assert run(shell, script(Command(argv=("A=b", "x")))).returncode != 0


@every_shell
def test_an_announcement_is_started_and_not_waited_for(run: Run, tmp_path: Path, shell: Sequence[str]) -> None:
    os.mkfifo(tmp_path / "fifo")
    waiting = Command(argv=("sh", "-c", "echo said; echo wrong >&2; echo x >fifo"), stdin=None)
    reading = Command(argv=("cat",), stdin="x")
    done = run(shell, script(announce=[waiting, reading]))  # it would never end if it waited for `waiting`
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "fifo").read_text() == "x\n"


def test_the_programs_it_was_planned_with_are_run(run: Run, tmp_path: Path) -> None:
    """busybox sh would run an applet of its own for `cat`."""
    own = tmp_path / "own cat"
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    text = script(Command(argv=("cat", "x")), locate=lambda name: str(own) if name == "cat" else None)
    for shell in SHELLS:
        assert run(shell, text).stdout == b"mine\n"


def test_namespaces_have_descriptors_of_one_digit() -> None:
    paths = [f"/run/netns/g{number}" for number in range(7)]
    inodes = {HOST.path: 1, "/proc/1/ns/net": 1, **dict.fromkeys(paths, 7)}
    steps = [Command(argv=("ip", "link", "set", "x", "netns", path), netns=Netns(path=path)) for path in paths]
    text = script(*steps[:6], inodes=inodes)
    assert "exec 8</proc/self/ns/net 9</run/netns/g0 7</run/netns/g1" in text
    assert " 3</run/netns/g5\n" in text
    assert "nsenter --net=/proc/self/fd/9 ip link set x netns /proc/self/fd/9" in text
    assert "/proc/1/ns/net" not in text
    more = script(*steps, inodes=inodes)
    assert f'[ "$(stat -L -c %i {paths[6]})" = 7 ] || changed {paths[6]}' in more
    assert f"nsenter --net={paths[6]} " in more


@every_shell
def test_what_is_swept_stands_for_itself(run: Run, tmp_path: Path, shell: Sequence[str]) -> None:
    """Behind the end of a section nothing of it is undone, and what follows is done all the same."""
    guard = Command(argv=("cat", "guard"), ok_codes=frozenset({0}))
    bad = Command(argv=("rmdir", "missing"))
    held = Command(argv=("touch", "held"), guard=guard)
    sections = [
        Section(steps=(touch("a"),), cleanup=(bad, held, Command(argv=("touch", "swept")))),
        Section(steps=(touch("b"),), cleanup=()),
        Section(steps=(), cleanup=(Command(argv=("touch", "late")),)),
    ]
    done = run(shell, script(sections=sections))
    assert (done.returncode, files(tmp_path)) == (1, ["a", "b", "late", "swept"])
    assert b"`rmdir missing` failed, and what it removes stays" in done.stderr
    assert b"undone" not in done.stderr
    broken = [
        sections[0],
        Section(steps=(touch("c"), Command(argv=("false",))), cleanup=sections[0].cleanup),
        sections[2],
    ]
    for name in ("b", "late", "swept"):
        (tmp_path / name).unlink()
    (tmp_path / "guard").touch()
    done = run(shell, script(sections=broken))
    assert (done.returncode, files(tmp_path)) == (1, ["a", "guard", "held", "swept"])
    assert b"what had been done was undone" in done.stderr
    assert run(shell, script(sections=sections[1:])).returncode == 0


def test_the_host_of_a_phys_command_is_the_pinned_one() -> None:
    step = Command(argv=("ip", "-batch", "-"), stdin=f"link set a netns {HOST.path}\nlink set b netns x{HOST.path}\n")
    text = script(step, inodes={HOST.path: 3})
    assert f"netns /proc/self/fd/8\nlink set b netns x{HOST.path}\n" in text


def test_every_form_satisfies_shellcheck() -> None:
    require_shellcheck()
    guard = Command(argv=("ip", "x"))
    undo = [Command(argv=("rm", HOSTILE), guard=guard), Command(argv=("x",), ok_codes=frozenset({0, -14}))]
    steps = [
        Command(argv=("touch", HOSTILE), undo=tuple(undo), reason=HOSTILE),
        Command(argv=("cat",), stdin=HOSTILE, expect="x", undo=(undo[0],)),
        Command(argv=("cat",), expect="x", ok_codes=frozenset({0, 2}), guard=guard),
        Command(argv=("x", "$(y)"), ok_codes=frozenset({3})),
        Command(argv=("A=b", "~", "`x`"), netns=HOST),
    ]
    ascii_only = [text.replace("\udce9", "") for text in (script(*steps, inodes={HOST.path: 2}), script(notes=("a",)))]
    for text in ascii_only:
        # Quoted on purpose: SC2016 sees `$` in single quotes, SC1078 and its like see quotes of several lines.
        assert not complaints_of_shellcheck(text, "SC2016,SC2088,SC1017"), text
