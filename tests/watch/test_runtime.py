"""Questions to an engine whose connections break, and to one that does not know the answer."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from pipework_core.model.errors import RuntimeDownError
from pipework_core.watch import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTAINER = {
    "Id": "4f" * 32,
    "Name": "/web1",
    "State": {"Pid": 7},
    "Image": "sha256:1",
    "Config": {"Labels": {"pipework.eth1": "br1 10.0.0.1/24"}},
    "HostConfig": {"NetworkMode": "none"},
}
ANSWERS: dict[str, Any] = {
    "/version": {"ApiVersion": "1.41"},
    "/v1.41/containers/web1/json": CONTAINER,
    "/v1.41/images/sha256:1/json": {"Config": {}},
}


@contextmanager
def serving(socket: Path, *, cuts: int) -> Iterator[list[str]]:
    """Answer at a socket, except so many questions about containers, which are cut; give what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            asked.append(path)
            if "/containers/" in path and sum("/containers/" in other for other in asked) <= cuts:
                return
            text = json.dumps(ANSWERS.get(path, {"message": "no such thing"})).encode()
            self.send_response(200 if path in ANSWERS else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def address_string(self) -> str:
            return "a client"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with socketserver.ThreadingUnixStreamServer(str(socket), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def socket(socket_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{socket_folder}/engine.sock")
    monkeypatch.setattr(runtime, "_PAUSES", (0.0, 0.0, 0.0))
    return socket_folder / "engine.sock"


def test_a_question_whose_answer_is_cut_off_is_asked_again(socket: Path) -> None:
    with serving(socket, cuts=3) as asked:
        connection = runtime.Connection("docker", {})
        container = connection.inspect("web1")
        connection.close()
    assert container is not None
    assert container.labels == {"pipework.eth1": "br1 10.0.0.1/24"}
    assert asked.count("/v1.41/containers/web1/json") == 4


def test_an_engine_that_never_answers_is_down(socket: Path) -> None:
    with serving(socket, cuts=100) as asked:
        connection = runtime.Connection("docker", {})
        with pytest.raises(RuntimeDownError, match="docker does not answer"):
            connection.inspect("web1")
        connection.close()
    assert asked.count("/v1.41/containers/web1/json") == 4


def test_a_container_that_is_gone_is_asked_about_once(socket: Path) -> None:
    with serving(socket, cuts=0) as asked:
        connection = runtime.Connection("docker", {})
        assert connection.inspect("gone") is None
        connection.close()
    assert asked.count("/v1.41/containers/gone/json") == 1
