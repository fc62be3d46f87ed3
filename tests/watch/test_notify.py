"""What systemd is told (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from pipework_core.watch.notify import Notifier

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_assignments_arrive_and_children_are_not_to_send(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(socket_folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        Notifier().send(READY="1", STATUS="serving")
        assert systemd.recv(100) == b"READY=1\nSTATUS=serving"
    assert "NOTIFY_SOCKET" not in os.environ


def test_nobody_there_is_no_error(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Notifier().send(READY="1")
    for address in (str(socket_folder / "gone"), "@pipework-nobody"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        Notifier().send(READY="1")
