"""A server for the page alone, run inside a private host: `page_server.py PORT [GRAPH]`.

It answers what the API answers: the page's files, `/v1/graph` and `/v1/events`. The graph is that of the host, or the
JSON document in a file. An event comes whenever the kernel tells of a link or an address, or the file is replaced.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipework_core.engine import report_json
from pipework_core.engine.engine import Engine
from pipework_core.engine.signals import Signals
from pipework_core.graph.live import build_graph
from pipework_core.plugins.manager import PluginManager
from pipework_core.serve import page

#: RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR (linux/rtnetlink.h).
GROUPS = 0x1 | 0x10 | 0x100
#: Whom events are about.
GUEST = "<b>web1</b>"
TYPES = {"html": "text/html; charset=utf-8", "css": "text/css", "js": "text/javascript"}


class Handler(BaseHTTPRequestHandler):
    """Answers requests for files, the graph and events."""

    protocol_version = "HTTP/1.1"
    graph: Path | None = None

    def do_GET(self) -> None:
        if self.path.startswith("/v1/events?since="):
            self.tell_events()
        elif self.path == "/v1/graph":
            self.answer(self.read_graph(), "application/json")
        else:
            name = "index.html" if self.path == "/" else self.path.removeprefix("/page/")
            if name not in {page.INDEX, page.STYLE, *page.SCRIPTS}:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.answer(page.read_page_file(name).encode(), TYPES[name.rpartition(".")[2]])

    def read_graph(self) -> bytes:
        if self.graph:
            return self.graph.read_bytes()
        plugins = PluginManager(warn=print, third_parties=False)
        driver = plugins.open_driver("live")
        try:
            host = Engine(plugins=plugins, driver=driver, signals=Signals()).list_host()
        finally:
            driver.close()
        return json.dumps(report_json.encode_graph(build_graph(host))).encode()

    def answer(self, data: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", page.CONTENT_SECURITY_POLICY)
        self.end_headers()
        self.wfile.write(data)

    def tell_events(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
            kernel.bind((0, GROUPS))
            written = self.stamp()
            while True:
                ready, _, _ = select.select([kernel, self.connection], [], [], 0.05)
                if self.connection in ready:
                    return
                if kernel in ready:
                    kernel.recv(1 << 16)
                elif self.stamp() == written:
                    continue
                written = self.stamp()
                told = {
                    "id": time.time_ns(),
                    "time": time.time(),
                    "event": "changed",
                    "guest": GUEST,
                    "interface": "eth1",
                    "text": "moved",
                }
                self.wfile.write(json.dumps(told).encode() + b"\n")

    def stamp(self) -> int:
        return self.graph.stat().st_mtime_ns if self.graph else 0

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main(port: str, graph: str = "") -> None:
    Handler.graph = Path(graph) if graph else None
    with ThreadingHTTPServer(("127.0.0.1", int(port)), Handler) as server:
        server.daemon_threads = True
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
