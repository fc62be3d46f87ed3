"""Which file `up`, `down`, `status` and `watch` mean when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import MagicMock

import pytest

from pipework_core.cli import app, topology_file
from pipework_core.cli.topology_file import choose_file, find_host_file
from pipework_core.engine.inventory import Inventory

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = "version: 1\nlinks: []\n"


@pytest.fixture
def folder(tmp_path: Path, engine: MagicMock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide the current folder, on a host with a file of its own."""
    monkeypatch.setattr(topology_file, "OF_HOST", str(tmp_path / "host.yaml"))
    (tmp_path / "host.yaml").write_text(EMPTY)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    engine.open_directory.return_value.resolve_names.return_value = {}
    engine.list_attachments.return_value = Inventory(())
    engine.count_host_ends.return_value = {}
    for method in (engine.attach_all, engine.compare, engine.detach_all):
        method.return_value = []
    return tmp_path


def test_the_folder_s_file_comes_before_the_host_s(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "work" / "pipework.yaml").write_text(EMPTY)
    assert choose_file("") == choose_file("", detaches="down") == "pipework.yaml"
    assert choose_file("lab.yaml") == "lab.yaml"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("words", [("up",), ("status",), ("down",)])
def test_a_file_of_somebody_else_is_taken_only_when_it_is_named(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "work" / "pipework.yaml").write_text(EMPTY)
    monkeypatch.setattr(topology_file, "_list_owners", lambda _path: (0, 4711))
    assert app.run(words) == 2
    assert "belongs to the user 4711, and is not taken unless it is named" in capsys.readouterr().err
    assert app.run([*words, "-f", "pipework.yaml"]) == 0
    monkeypatch.setattr(topology_file.os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "4711")
    assert app.run(words) == 0
    monkeypatch.setattr(topology_file.os, "geteuid", lambda: 42)  # who is not root can say anything of sudo
    assert app.run(words) == 2


def test_a_link_is_its_owner_s(folder: Path) -> None:
    link = folder / "work" / "pipework.yaml"
    link.symlink_to("nowhere")
    assert len([*topology_file._list_owners(str(link))]) == 1
    link.with_name("nowhere").write_text(EMPTY)
    assert len([*topology_file._list_owners(str(link))]) == 2


def test_the_host_s_file_must_be_root_s(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "host.yaml").chmod(0o666)
    for command in ("up", "status", "watch"):
        assert app.run([command]) == 1
        assert "can be changed by others than root" in capsys.readouterr().err
    assert app.run(["status", "-f", str(folder / "host.yaml")]) == 0


@pytest.mark.parametrize("command", ["up", "status"])
def test_the_host_s_file_is_used_and_that_is_said(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run([command]) == 0
    assert f"using {folder}/host.yaml, since there is no pipework.yaml in this folder" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("down",), ("up", "--prune")])
def test_nothing_is_detached_by_whoever_is_in_the_wrong_folder(
    words: tuple[str, ...], folder: Path, engine: MagicMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(words) == 2
    said = capsys.readouterr().err
    assert f"{' '.join(words)} does not take {folder}/host.yaml unless it is named" in said
    engine.detach_all.assert_not_called()
    hint = said.partition("hint: write ")[2].partition(" if ")[0]
    assert app.run([*words, *hint.split()]) == 0


def test_without_any_the_folder_s_file_is_missed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "host.yaml").unlink()
    for command in ("up", "status", "down"):
        assert app.run([command]) == 2
        assert "pipework.yaml cannot be read: No such file" in capsys.readouterr().err
    assert find_host_file() == ""


def test_a_watcher_says_which_file_it_keeps_true(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_host_file() == f"{folder}/host.yaml"
    assert capsys.readouterr().err == f"pipework: keeping {folder}/host.yaml true as well\n"


@pytest.mark.parametrize("named", ["", "lab.yaml"])
def test_a_watcher_keeps_the_host_s_file_true_unless_another_is_named(
    named: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MagicMock()
    made.return_value.teller.failed = made.return_value.teller.refused = 0
    monkeypatch.setattr("pipework_core.watch.watcher.Watcher", made)
    assert app.run(["watch", "--once", *(("-f", named) if named else ())]) == 0
    assert made.call_args.args[0].topology == (named or f"{folder}/host.yaml")
