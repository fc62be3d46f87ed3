"""Accepting connections, and no more of them than leave room for others: nobody needs the token to hold one open."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from pipework_core.serve.bodies import encode
from pipework_core.serve.problem import CONTENT_TYPE, RequestError, encode_problem

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from aiohttp import web

#: Connections at once, of Unix sockets together and of loopback. A process may have 1024 descriptors.
_CONNECTIONS_MAX = 384
#: Connections that are accepted in one go, before they are counted.
_BURST = 128


async def accept_connections(runner: web.AppRunner, listening: Iterable[socket.socket]) -> list[asyncio.Server]:
    """Begin to accept for a runner that is set up; `asyncio.Server.close` ends it."""
    server = cast("web.Server", runner.server)
    loop = asyncio.get_running_loop()
    return [await loop.create_server(_make_bound(server, one.family), sock=one, backlog=_BURST) for one in listening]


def _make_bound(server: web.Server, family: int) -> Callable[[], asyncio.BaseProtocol]:
    def make_protocol() -> asyncio.BaseProtocol:
        taken = sum(_is_of(handler.transport, family) for handler in server.connections)
        return server() if taken < _CONNECTIONS_MAX else _Full()

    return make_protocol


def _is_of(transport: asyncio.BaseTransport | None, family: int) -> bool:
    end: socket.socket | None = transport.get_extra_info("socket") if transport is not None else None
    return end is not None and end.family == family


class _Full(asyncio.Protocol):
    """Says that there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        error = RequestError(status, f"{_CONNECTIONS_MAX} connections are open already.", hint="close some of them")
        body = encode(encode_problem(error))
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {CONTENT_TYPE}\r\n"
        ending = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writable = cast("asyncio.Transport", transport)
        writable.write(f"{head}{ending}".encode() + body)
        writable.close()
