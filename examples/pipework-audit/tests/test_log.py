"""The file: whose it is, what it must not be, and what a full disk leaves of it."""

from __future__ import annotations

import os
import resource
import stat
from typing import TYPE_CHECKING

import pytest

from pipework_audit import log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def test_a_new_file_is_its_owners_alone_and_grows(file: Path) -> None:
    log.append_line(b"one\n", str(file))
    log.append_line(b"two\n", str(file))
    assert file.read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_line_is_one_write(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be two could have another run's line in between."""
    written: list[bytes] = []
    really = os.write
    monkeypatch.setattr(os, "write", lambda to, data: written.append(data) or really(to, data))
    log.append_line(b"one\n", str(file))
    assert written == [b"one\n"]
    assert file.read_bytes() == b"one\n"


def test_the_mode_of_a_file_that_is_there_is_left_alone(file: Path) -> None:
    file.touch()
    file.chmod(0o640)
    log.append_line(b"one\n", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_file_that_was_moved_away_is_begun_anew(file: Path) -> None:
    log.append_line(b"one\n", str(file))
    file.rename(file.with_suffix(".1"))
    log.append_line(b"two\n", str(file))
    assert file.read_bytes() == b"two\n"


def test_a_link_is_not_followed(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    file.symlink_to(other)
    with pytest.raises(log.NotWrittenError, match=r"audit.jsonl: is a symbolic link$"):
        log.append_line(b"one\n", str(file))
    assert not other.exists()


def test_nobody_is_waited_for_at_a_pipe(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(log.NotWrittenError, match="is no regular file"):
        log.append_line(b"one\n", str(file))


def test_a_folder_that_is_missing_is_named(file: Path) -> None:
    with pytest.raises(log.NotWrittenError, match=r"none/audit.jsonl: No such file or directory"):
        log.append_line(b"one\n", str(file.parent / "none" / file.name))


def test_a_path_that_depends_on_where_one_is_is_refused() -> None:
    with pytest.raises(log.NotWrittenError, match=r"'audit\.jsonl' is no absolute path"):
        log.append_line(b"one\n", "audit.jsonl")


@pytest.fixture
def _no_more_than_six_bytes() -> Iterator[None]:
    """Let files be no larger: as a disk that is full in the middle of a line (setrlimit(2), RLIMIT_FSIZE)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("_no_more_than_six_bytes")
def test_a_line_that_was_cut_off_spoils_no_other(file: Path) -> None:
    log.append_line(b"one\n", str(file))
    with pytest.raises(log.NotWrittenError, match="No space left"):
        log.append_line(b"two\n", str(file))
    assert file.read_bytes() == b"one\ntw"
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    log.append_line(b"three\n", str(file))
    assert file.read_bytes() == b"one\ntw\nthree\n"
