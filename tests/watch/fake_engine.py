"""An engine that says of containers whatever a test wants, at a socket of its own."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IMAGE = "sha256:" + "1a" * 32


def make_id(number: int) -> str:
    """Return the ID of a container."""
    return f"{number:064x}"


def describe(number: int, **config: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever an engine says
    """Return what an engine says of a container that runs; `config` are keys of its `Config`."""
    return {
        "Id": make_id(number),
        "Name": f"/web{number}",
        "Image": IMAGE,
        "State": {"Pid": 4711},
        "HostConfig": {"NetworkMode": "none"},
        "Config": {"Image": "busybox", "Hostname": "h1", "Env": [], "Labels": {}, **config},
    }


@contextmanager
def serve(path: Path, answers: Mapping[str, Any], image: Any = None) -> Iterator[None]:  # noqa: ANN401 - as above
    """Serve at a socket: `answers` by the containers' IDs, a str as it is, and one image, of which all are made."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, identity = self.path.partition("?")[0].partition("1.41/")[2].removesuffix("/json").partition("/")
            answer: Any
            if self.path == "/version":
                answer = {"ApiVersion": "1.41"}
            elif kind == "images":
                answer = {"Config": {}} if image is None else image
            elif identity:
                answer = answers[identity]
            else:
                answer = [{"Id": key, "Labels": {"pipework.eth1": ""}, "Names": ["/x"]} for key in answers]
            body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if body:  # nobody waits for a body of no bytes, so that the client may have gone
                self.wfile.write(body)

        def address_string(self) -> str:
            return "the test"

        def log_message(self, *_: object) -> None:
            pass

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True
        request_queue_size = 256

    with Server(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
