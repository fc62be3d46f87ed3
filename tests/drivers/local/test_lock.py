"""The lock of a host, on a file of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import HostError
from pipework_drivers.local import lock
from pipework_drivers.local.lock import HostLock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "_FILE", str(tmp_path / "lock"))
    monkeypatch.setattr(lock, "_TIMEOUT", 0.05)
    return tmp_path / "lock"


def test_it_keeps_others_out_until_it_is_given_back() -> None:
    with HostLock(), pytest.raises(HostError, match="has kept this host busy"), HostLock():
        pass
    with HostLock():
        pass


def test_it_is_only_roots_to_lock(file: Path) -> None:
    with HostLock():
        assert file.stat().st_mode & 0o777 == 0o600


def test_others_may_have_it_while_it_is_let_go_and_not_behind_that() -> None:
    with HostLock() as hold:
        with hold.yielded(), HostLock():
            pass
        with pytest.raises(HostError), HostLock():
            pass


def test_a_visitor_is_noticed_and_nobody_is_not() -> None:
    with HostLock() as hold:
        with hold.yielded():
            pass
        assert not hold.contended
        with hold.yielded(), HostLock():
            pass
        assert hold.contended


def test_whoever_does_not_give_it_back_is_passed_over() -> None:
    with HostLock() as hold:
        other = HostLock()
        with hold.yielded():
            other.__enter__()
        other.__exit__(None, None, None)
        assert hold.contended


def test_a_file_that_others_could_lock_becomes_roots(file: Path) -> None:
    file.touch(mode=0o666)
    file.chmod(0o666)
    with HostLock():
        assert file.stat().st_mode & 0o777 == 0o600


def test_where_no_file_can_be_made_one_of_roots_is_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lock, "_FILE", str(tmp_path / "nowhere" / "lock"))
    roots = tmp_path / "roots"
    roots.write_text("as it is")
    monkeypatch.setattr(lock, "_ROOTS", str(roots))
    with HostLock(), pytest.raises(HostError, match="has kept this host busy"), HostLock():
        pass
    assert roots.read_text() == "as it is"


def test_a_full_file_system_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lock.os, "pwrite", refuse)
    with HostLock() as held, held.yielded():
        pass


def test_without_the_file_the_namespace_is_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lock, "_FILE", str(tmp_path / "nowhere" / "lock"))
    monkeypatch.setattr(lock, "_ROOTS", str(tmp_path / "nowhere" / "roots"))
    with HostLock() as hold:
        with hold.yielded():
            pass
        assert not hold.contended
        with pytest.raises(HostError), HostLock():
            pass
