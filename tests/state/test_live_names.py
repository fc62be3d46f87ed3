"""The names of what is there: whatever an engine does, an answer comes at once."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipework_core.state import live_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def engine(folder: Path, answer: bytes | None) -> Iterator[dict[str, str]]:
    """Run an engine that gives this answer to one question, none without one; give the environment that leads to it."""
    path = str(folder / "engine.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer or b"")

        thread = threading.Thread(target=serve, daemon=True)
        if answer is not None:
            thread.start()
        yield {"DOCKER_HOST": f"unix://{path}"}
        if answer is not None:
            thread.join(10)


def containers(*names: object) -> bytes:
    """Return what an engine says of containers with these names."""
    return b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps([{"Names": name} for name in names]).encode()


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (containers(["/web2"], ["/web1", "/db/alias"]), ["web1", "web2"]),
        (containers([], ["/web1"]), ["web1"]),
        (containers(), []),
        (b"HTTP/1.0 500 Oh\r\n\r\n[]", []),
        (b"HTTP/1.0 200 OK\r\n\r\n{", []),
        (b"HTTP/1.0 200 OK\r\n\r\n7", []),
        (b"HTTP/1.0 200 OK\r\n\r\n[7]", []),
        (containers(7), []),
        (b"nonsense", []),
        (b"", []),
    ],
)
def test_what_an_engine_says(socket_folder: Path, answer: bytes, names: list[str]) -> None:
    with engine(socket_folder, answer) as environment:
        assert live_names.list_guests(environment, budget=10)["docker"] == names


def test_an_engine_that_says_nothing_costs_no_more_than_the_budget(socket_folder: Path) -> None:
    with engine(socket_folder, None) as environment:
        began = time.monotonic()
        assert live_names.list_guests(environment)["docker"] == []
        assert time.monotonic() - began < 5


def test_no_engine_is_no_error(tmp_path: Path) -> None:
    for host in (f"unix://{tmp_path}/none", "tcp://host2:2375", "ssh://host2"):
        assert live_names.list_guests({"DOCKER_HOST": host})["docker"] == []


def test_interfaces_are_those_of_the_kernel() -> None:
    assert "lo" in live_names.list_interfaces()
    assert not live_names.is_bridge("lo")
    assert not live_names.is_bridge("none")
