"""The socket: whose it is from its first moment, and what is there already."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from pipework_core.model.errors import ConflictError, HostError, UsageError
from pipework_core.serve import sockets
from pipework_core.serve.sockets import open_unix, take_inherited
from pipework_core.serve.unit import make_units

if TYPE_CHECKING:
    from pathlib import Path


def ignore(_text: str) -> None:
    """Take a warning."""


def test_owner_and_group_alone_may_open_it(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chmod", None)  # not afterwards: somebody could have been quicker
    before = os.umask(0)
    try:
        with open_unix(f"{socket_folder}/new/api.sock", ignore):
            found = os.stat(f"{socket_folder}/new/api.sock")
            assert stat.S_IMODE(found.st_mode) == 0o660
            assert stat.S_IMODE(os.stat(f"{socket_folder}/new").st_mode) == 0o755
        assert os.umask(0) == 0, "the umask is as it was"
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another group")
def test_it_is_the_group_s(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "find_group", lambda _: 4242)
    with open_unix(f"{socket_folder}/api.sock", pytest.fail):
        assert os.stat(f"{socket_folder}/api.sock").st_gid == 4242
    assert os.getegid() == os.getgid()


def test_without_the_group_it_says_so(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "find_group", lambda _: None)
    said: list[str] = []
    open_unix(f"{socket_folder}/api.sock", said.append).close()
    assert "groupadd" in said[0]


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(socket_folder: Path) -> None:
    path = f"{socket_folder}/api.sock"
    first = open_unix(path, ignore)
    with pytest.raises(ConflictError, match="listens at"):
        open_unix(path, ignore)
    first.close()
    open_unix(path, ignore).close()


def test_nothing_else_is_replaced(socket_folder: Path) -> None:
    for name in ("file", "folder", "link"):
        path = socket_folder / name
        path.mkdir() if name == "folder" else path.symlink_to("/etc/passwd") if name == "link" else path.touch()
        with pytest.raises(ConflictError, match="is no socket"):
            open_unix(str(path), ignore)
        assert path.exists()


def test_places_that_cannot_be_are_told(socket_folder: Path) -> None:
    with pytest.raises(UsageError, match="longer than 107 bytes"):
        open_unix(f"/run/{'x' * 120}", ignore)
    (socket_folder / "file").touch()
    with pytest.raises(HostError, match="cannot listen at"):
        open_unix(f"{socket_folder}/file/api.sock", ignore)


def test_sockets_of_systemd_are_for_the_process_they_are_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert take_inherited() == []
    assert "LISTEN_FDS" not in os.environ, "children do not hear of it"


@pytest.mark.parametrize(("family", "fits"), [(socket.AF_UNIX, True), (socket.AF_INET, False)])
def test_only_a_unix_stream_is_taken(
    family: int,
    fits: bool,  # noqa: FBT001 - a parameter of a test
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with socket.socket(family, socket.SOCK_STREAM) as given:
        monkeypatch.setattr(sockets, "_FIRST_FD", given.detach())
    if fits:
        (taken,) = take_inherited()
        assert not os.get_inheritable(taken.fileno())
        taken.close()
    else:
        with pytest.raises(UsageError, match="no Unix stream"):
            take_inherited()


def test_the_units_belong_together() -> None:
    service, listening = make_units(["/opt/pipework/bin/pipework"]).values()
    assert "ExecStart=/opt/pipework/bin/pipework serve\n" in service
    assert "Type=notify" in service
    assert "ListenStream=/run/pipework/api.sock\nSocketMode=0660\n" in listening
