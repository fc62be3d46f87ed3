"""A server over an engine in memory, and a client of it, in one loop. Socket and credentials are real."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from yarl import URL

from pipework_core.serve.connections import accept_connections
from pipework_core.serve.loopback import Door
from pipework_core.serve.rights import Gatekeeper
from pipework_core.serve.server import end_service, make_runner, make_service
from pipework_core.serve.sockets import open_loopback, open_unix

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from pipework_core.model.event import Event
    from pipework_core.serve.service import Service

    from .fake import World

#: Whoever runs the tests may do all.
OPEN = f"version: 1\napi: [{{uid: {os.geteuid()}, all: yes}}]\n"


class Answer(NamedTuple):
    status: int
    data: Any
    headers: Any


class Api:
    """A client; `log` is what the server told its log."""

    def __init__(self, session: aiohttp.ClientSession, tcp: aiohttp.ClientSession, path: str, base: str) -> None:
        self.session = session
        self.tcp = tcp
        self.path = path
        self.base = base
        self.token = ""
        self.log: list[Event] = []
        self.service: Service

    async def ask(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        data = body if isinstance(body, (bytes, io.IOBase, type(None))) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        headers |= options.pop("headers", {})
        url = options.pop("base", "http://p") + path
        session = self.tcp if url.startswith(self.base) else self.session
        request = session.request(method, URL(url, encoded=True), data=data, headers=headers, **options)
        async with request as answer:
            text = await answer.text()
            kind = answer.headers.get("Content-Type", "")
            return Answer(answer.status, json.loads(text) if "json" in kind else text, answer.headers)

    async def attach(self, guest: str = "web1", address: str = "10.0.0.1/24", **options: Any) -> Answer:
        body = {"host": "br1", "address": address}
        return await self.ask("PUT", f"/v1/attachments/{guest}/eth1", body, **options)


@asynccontextmanager
async def serving(world: World, policy: str = OPEN, *, allow_changes: bool = False) -> AsyncIterator[Api]:
    with tempfile.TemporaryDirectory(prefix="pw", dir="/tmp") as folder:
        path = f"{folder}/api.sock"
        file = Path(folder, "policy.yaml")
        file.write_text(policy)
        loopback = open_loopback("127.0.0.1", 0)
        port = loopback.getsockname()[1]
        door = Door(port)
        unix = aiohttp.UnixConnector(path, limit=0)
        async with aiohttp.ClientSession(connector=unix) as session, aiohttp.ClientSession() as tcp:
            api = Api(session, tcp, path, f"http://127.0.0.1:{port}")
            gatekeeper = Gatekeeper(str(file), allow_changes=allow_changes)
            service = make_service(world, gatekeeper, door, api.log.append)  # type: ignore[arg-type]
            api.token, api.service = door.token, service
            runner = make_runner(service)
            await runner.setup()
            accepting = await accept_connections(runner, (open_unix(path, lambda _: None), loopback))
            try:
                yield api
            finally:
                await end_service(service, runner, accepting)


def run_with(
    world: World, test: Callable[[Api], Coroutine[Any, Any, None]], policy: str = OPEN, *, allow_changes: bool = False
) -> Api:
    """Run a test in a loop of its own; return the client, for its log."""

    async def run() -> Api:
        async with serving(world, policy, allow_changes=allow_changes) as api, asyncio.timeout(30):
            await test(api)
            return api

    return asyncio.run(run())
