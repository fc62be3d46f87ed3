"""`pipework up`, `status` and `down`: what they print of a report, and the exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipework_core.cli import app
from pipework_core.engine.attachments import AttachmentStatus
from pipework_core.engine.gc import Collected
from pipework_core.engine.inventory import Inventory
from pipework_core.engine.job import Job
from pipework_core.model.context import Guest
from pipework_core.model.errors import ConflictError, GuestError, Interrupted, NoGuestError
from pipework_core.model.plan import Command, Netns, Plan

if TYPE_CHECKING:
    from pathlib import Path
    from unittest.mock import MagicMock

    from pipework_core.model.attachment import Attachment

STEP = Command(argv=("ip", "link", "delete", "dev", "br1"))
DB = AttachmentStatus(
    interface="eth1", kind="bridge", inode=7, guest=Guest(name="db", runtime="docker", netns=Netns(path="/x"))
)


@pytest.fixture
def file(tmp_path: Path, engine: MagicMock) -> str:
    """Provide a file of two links, and an engine on which all of it holds."""
    engine.open_directory.return_value.resolve_names.return_value = {}
    engine.count_host_ends.return_value = {}
    engine.list_attachments.return_value = Inventory(())
    for method in (engine.attach_all, engine.compare, engine.detach_all):
        method.side_effect = lambda wanted, **_: [make_job(one) for one in wanted]
    path = tmp_path / "lab.yaml"
    path.write_text("version: 1\nlinks:\n  - br1 web1 10.0.0.1/24\n  - br1 web2 10.0.0.2/24\n")
    return str(path)


def make_job(attachment: Attachment) -> Job:
    job = Job(attachment)
    job.plan = Plan()
    return job


def fail_second(wanted: list[Attachment], **_: object) -> list[Job]:
    jobs = [make_job(one) for one in wanted]
    jobs[1].error = ConflictError("eth1 is taken.", hint="choose another with -i")
    return jobs


def test_an_error_has_the_place_of_its_link(engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    engine.attach_all.side_effect = fail_second
    assert app.run(["up", "-f", file]) == 1
    printed = capsys.readouterr()
    error = f"pipework: error: {file}:4:5: web2 eth1: eth1 is taken.\nhint: choose another with -i\n"
    assert printed == ("", f"{error}1 unchanged, 1 failed\n")


def test_with_atomic_nothing_is_said_to_be_undone_that_was_not_begun(
    engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what is attached by the file is in the file, though it was not planned this time."""

    def find_one(wanted: list[Attachment], **_: object) -> list[Job]:
        first, second = (
            Job(wanted[0], Guest(name="db", runtime="docker", netns=Netns(path="/x"), inode=7)),
            Job(wanted[1]),
        )
        second.error = GuestError("there is no guest web2.")
        return [first, second]

    engine.attach_all.side_effect = find_one
    engine.count_host_ends.return_value = {7: 1}
    engine.list_attachments.return_value = Inventory((DB,))
    assert app.run(["up", "--atomic", "-f", file]) == 1
    said = f"pipework: error: {file}:4:5: web2 eth1: there is no guest web2.\n1 failed, 1 not begun\n"
    assert capsys.readouterr().err == said


def test_with_replace_each_link_may_make_way(engine: MagicMock, file: str) -> None:
    assert app.run(["up", "-f", file]) == 0
    assert app.run(["up", "--replace", "-f", file]) == 0
    first, second = engine.attach_all.call_args_list
    assert [one.replace for one in first.args[0]] == [False, False]
    assert [one.replace for one in second.args[0]] == [True, True]


@pytest.mark.usefixtures("file")
def test_all_errors_of_a_file_are_printed_each_with_its_hint(
    engine: MagicMock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\nlinks:\n  - br1 web1 10.0.0.1\n  - br1\n")
    assert app.run(["up", "-f", str(wrong)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["pipework", "hint", "pipework", "hint"]
    assert (f"{wrong}:3:5: " in lines[0], f"{wrong}:4:5: " in lines[2]) == (True, True)
    twice = tmp_path / "twice.yaml"
    twice.write_text("version: 1\nlinks:\n  - br1 web1 10.0.0.1/24\n  - br1 web2 10.0.0.1/24\n")
    assert [app.run([command, "-f", str(twice)]) for command in ("up", "status", "down")] == [2, 2, 0]
    assert not engine.attach_all.called


def test_what_the_file_does_not_name_is_warned_of(
    engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.count_host_ends.return_value = {7: 1}
    engine.list_attachments.return_value = Inventory((DB,))
    assert app.run(["--json", "up", "-f", file]) == 0
    printed = capsys.readouterr()
    assert printed.err == "pipework: warning: not in the file: docker:db eth1; --prune detaches them\n"
    assert [entry["pruned"] for entry in json.loads(printed.out)["not_in_file"]] == [False]


def test_what_is_pruned_is_told_and_what_stays_makes_it_fail(
    engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.list_attachments.return_value = Inventory((DB,))
    assert app.run(["up", "--prune", "-f", file]) == 0
    assert capsys.readouterr().err == "docker:db eth1 detached\n2 unchanged\n"
    engine.detach_all.side_effect = lambda wanted, **_: [fail_second([wanted[0]] * 2)[1]]
    assert app.run(["up", "--prune", "-f", file]) == 1
    assert "docker:db eth1: stays: eth1 is taken." in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [([], "each attachment is whole"), (["--atomic"], "everything was undone")])
def test_a_signal_says_what_holds(
    engine: MagicMock, file: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.attach_all.side_effect = Interrupted()
    assert app.run(["up", *words, "-f", file]) == Interrupted.exit_code
    assert said in capsys.readouterr().err


def test_a_difference_is_a_line_and_an_exit_code(
    engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["status", "-f", file]) == 0
    assert capsys.readouterr() == ("", "")
    engine.compare.side_effect = fail_second
    assert app.run(["status", "-f", file]) == 3
    assert capsys.readouterr() == ("web2 eth1: eth1 is taken.\n", "")
    assert app.run(["--json", "status", "-f", file]) == 3
    assert json.loads(capsys.readouterr().out)["differences"] == ["web2 eth1: eth1 is taken."]


def test_guests_that_are_gone_do_not_make_down_fail(
    engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error: GuestError = NoGuestError("there is no guest web1.")

    def find_one(wanted: list[Attachment], **_: object) -> list[Job]:
        gone = Job(wanted[0])
        gone.error = error
        return [gone, make_job(wanted[1])]

    engine.detach_all.side_effect = find_one
    engine.collect_rest.return_value = Collected(plan=Plan())
    assert app.run(["down", "-f", file]) == 0
    assert capsys.readouterr().err == f"pipework: warning: {file}:3:5: there is no guest web1.\n1 detached\n"
    engine.collect_rest.assert_called_once_with()
    error = GuestError("docker does not answer.")  # what is attached to such a one stays
    assert app.run(["down", "-f", file]) == 1


def test_what_stays_makes_down_fail(engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    def leave_bridge(wanted: list[Attachment], **_: object) -> list[Job]:
        jobs = fail_second(wanted)
        jobs[0].failed_cleanup = (STEP,)
        return jobs

    engine.detach_all.side_effect = leave_bridge
    assert app.run(["down", "-f", file]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"pipework: error: {file}:4:5: eth1 is taken.",
        "hint: choose another with -i",
        "pipework: warning: web1 eth1: `ip link delete dev br1` failed, and what it removes stays.",
        "1 detached, 1 failed, 1 left behind",
    ]


def test_down_tells_machines_of_each_link(engine: MagicMock, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    def detach(wanted: list[Attachment], **_: object) -> list[Job]:
        gone, absent = Job(wanted[0]), Job(wanted[1])
        gone.error = NoGuestError("nobody knows web1.", hint="start it")
        absent.guest = DB.guest
        return [gone, absent]

    engine.detach_all.side_effect = detach
    engine.collect_rest.return_value = Collected(Plan(cleanup=(STEP,)), gone=(STEP,))
    assert app.run(["down", "--json", "-f", file]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == 1
    assert [(link["guest"], link["detached"], link["gone"]) for link in found["links"]] == [
        ("web1", False, True),
        ("web2", False, False),
    ]
    assert [command["argv"][-1] for command in found["rest"]["removed"]] == ["br1"]
    engine.detach_all.side_effect = fail_second
    assert app.run(["down", "--json", "--keep-bridge", "-f", file]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [(link["detached"], link["error"]) for link in found["links"]] == [(True, None), (False, "eth1 is taken.")]
    assert found["rest"] is None
