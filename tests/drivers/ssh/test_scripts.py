"""Scripts of ours over ssh, against a far end without a process: which travel as text, and which get a place there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError
from pipework_core.model.plan import Command
from pipework_drivers.local.process import NOT_STARTED

from .far_end import FarEnd, Said
from .test_driver import ADD, UP, answering, driver, never

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    folder = tmp_path / "pipework_tap"
    folder.mkdir()
    return folder


def test_a_script_of_ours_travels_as_text(ours: Path) -> None:
    script = ours / "settle.sh"
    script.write_text("echo 'it is' $1\n")
    far = FarEnd()
    driver(far).apply_list([Command(argv=("sh", str(script), "eth1"))], stop=never)
    assert "'/bin/sh' '-c' 'echo '\\''it is'\\'' $1\n' 'settle.sh' 'eth1'" in far.requests[1][0]
    assert str(ours) not in far.requests[1][0]


def test_it_does_so_with_a_program_in_front_that_runs_it(ours: Path) -> None:
    script = ours / "settle.sh"
    script.write_text("look $1\n")
    far = FarEnd(answering("where 'timeout'", Said(out=b"timeout=/bin/timeout\n")))
    driver(far).read([Command(argv=("timeout", "-k", "1", "2", "sh", str(script), "eth1"))])
    assert "'-k' '1' '2' 'sh' '-c' 'look $1\n' 'settle.sh' 'eth1'" in far.requests[-1][0]
    assert str(ours) not in far.requests[-1][0]


def test_what_it_reads_beside_itself_travels_with_it(ours: Path) -> None:
    (ours / "end.sh").write_text('. "${0%/*}/more.sh"\nlook\n')
    (ours / "more.sh").write_text("look() { ls; }\n")
    far = FarEnd()
    driver(far).read([Command(argv=("sh", str(ours / "end.sh"), "eth1"))])
    assert "'/bin/sh' '-c' 'look() { ls; }\n\nlook\n' 'end.sh' 'eth1'" in far.requests[1][0]


def test_a_script_in_python_travels_as_text_to_where_python_is(ours: Path) -> None:
    (ours / "probe.py").write_text("print(1)\n")
    command = Command(argv=("python3", "-I", "-S", str(ours / "probe.py"), "eth1"))
    far = FarEnd(answering("where 'python3'", Said(out=b"python3=/bin/python3\n")))
    driver(far).read([command])
    assert "'/bin/python3' '-I' '-S' '-c' 'print(1)\n' 'eth1'" in far.requests[-1][0]
    with pytest.raises(HostError, match="python3 is not installed on root@host2"):
        driver(FarEnd()).read([command])


def test_a_file_of_ours_that_is_no_script_is_refused_in_a_sentence(ours: Path) -> None:
    (ours / "helper").write_text("")
    far = FarEnd()
    refusing = driver(far)
    command = Command(argv=("cat", str(ours / "helper")))
    (outcome,) = refusing.apply_list([ADD._replace(undo=(command,)), ADD], stop=never)
    assert outcome.stderr == "this takes helper, a part of pipework that root@host2 does not have."
    refusing.start([command])
    assert len(far.requests) == 1
    # What stands before it is carried out, and undone by the engine: it may be the second half of a plan.
    assert [outcome.code for outcome in refusing.apply_list([ADD, command, UP], stop=never)] == [0, NOT_STARTED]


class TestPlaces:
    """Of a script that needs a place there: `lease.sh`, which starts itself again."""

    @pytest.fixture
    def lease(self, ours: Path) -> Command:
        (ours / "lease.sh").write_text('exec sh "$0" watch\n')
        (ours / "hook.sh").write_text("echo hook\n")
        (ours / "notes.txt").write_text("not sent\n")
        return Command(argv=("sh", str(ours / "lease.sh"), "get"))

    @staticmethod
    def place(far: FarEnd) -> str:
        """Return the folder that the far end was asked for."""
        return far.requests[1][0].removeprefix("placed ").strip("'")

    def test_what_is_there_is_used_and_asked_for_once(self, lease: Command, ours: Path) -> None:
        far = FarEnd()
        placing = driver(far)
        placing.apply_list([ADD, lease], stop=never)
        placing.read([lease])
        folder = self.place(far)
        assert folder.startswith("/run/pipework-scripts-")
        assert [len(lines) for lines in far.requests] == [1, 1, 2, 1]
        assert f"'/bin/sh' '{folder}/lease.sh' 'get'" in far.requests[2][1]
        assert str(ours) not in str(far.requests)

    def test_what_is_not_there_is_sent_before_anything_is_done(self, lease: Command) -> None:
        far = FarEnd(answering("placed ", Said(code=1)))
        assert [outcome.code for outcome in driver(far).apply_list([ADD, lease], stop=never)] == [0, 0]
        asked, sent, done = far.requests[1:]
        folder = self.place(far)
        assert len(asked) == 1
        assert sent[0].startswith(f"'place' '{folder}' '{folder}.")
        assert "'hook.sh' 'echo hook\n' 'lease.sh' 'exec sh \"$0\" watch\n'" in sent[0]
        assert "notes.txt" not in sent[0]
        assert "br1" in done[0]

    def test_another_text_has_another_place(self, lease: Command, ours: Path) -> None:
        places = []
        for text in ("echo hook\n", "echo other\n"):
            (ours / "hook.sh").write_text(text)
            far = FarEnd()
            driver(far).read([lease])
            places.append(self.place(far))
        assert len(set(places)) == 2

    @pytest.mark.parametrize(
        ("word", "said", "sentence"),
        [
            ("placed ", Said(code=2), "is not a folder of root's alone, and nothing in it is run."),
            ("place", Said(code=1, err=b"mkdir: Read-only file system\n"), "mkdir: Read-only file system."),
            ("place", Said(code=1), "no reason was given."),
        ],
    )
    def test_where_they_cannot_be_placed_nothing_is_begun(
        self, lease: Command, word: str, said: Said, sentence: str
    ) -> None:
        far = FarEnd(answering(word, said))
        (outcome,) = driver(far).apply_list([lease._replace(undo=(ADD,)), UP], stop=never)
        assert outcome.code == NOT_STARTED
        assert outcome.stderr.endswith(sentence)
        assert "root@host2" in outcome.stderr
        assert not any("lease.sh' 'get'" in line for lines in far.requests for line in lines)

    def test_an_announcement_waits_for_no_place(self, lease: Command) -> None:
        far = FarEnd()
        driver(far).start([lease])
        assert len(far.requests) == 1
