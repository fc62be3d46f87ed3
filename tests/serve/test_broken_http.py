"""What is no HTTP, or far too much of it: a sentence or a closed door, and never a fault of ours."""

from __future__ import annotations

import asyncio
import json

import pytest

from pipework_core.serve import connections, requests

from .api import Api, run_with
from .fake import World

GET = b"GET /v1/version HTTP/1.1\r\n"
PUT = b"PUT /v1/attachments/web1/eth1 HTTP/1.1\r\nHost: p\r\n"
BROKEN = {
    "nothing": b"\r\n\r\n",
    "noise": bytes(range(256)) * 8,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64 + b"\r\n\r\n",
    "no version": b"GET /v1/version\r\n\r\n",
    "odd version": b"GET /v1/version HTTP/9.9\r\n\r\n",
    "odd method": b"G\x00T /v1/version HTTP/1.1\r\nHost: p\r\n\r\n",
    "header of a megabyte": GET + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "line of a megabyte": b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: p\r\n\r\n",
    "ten thousand headers": GET + b"".join(b"X%d: a\r\n" % n for n in range(10_000)) + b"\r\n",
    "header without a colon": GET + b"nonsense\r\n\r\n",
    "folded header": GET + b"Host: p\r\n folded\r\n\r\n",
    "two lengths": PUT + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "negative length": PUT + b"Content-Length: -1\r\n\r\n",
    "length and chunks": (PUT + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "bad chunk": PUT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
    "absolute target of others": b"GET http://evil.example/v1/attachments HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "two hosts": GET + b"Host: p\r\nHost: evil.example\r\n\r\n",
    "bad percent": b"GET /v1/attachments/%zz/%00 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
    "bad utf-8": b"GET /v1/attachments/%ff/eth1 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
    "bytes in a header": GET + b"Host: p\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n",
    "bytes in a cookie": GET + b"Host: p\r\nCookie: pipework-1=\xff;;=;\r\nConnection: close\r\n\r\n",
    "upgrade": GET + b"Host: p\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
    "expectation": PUT + b"Expect: 200-please\r\nContent-Length: 0\r\n\r\n",
    "connect": b"CONNECT evil.example:80 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
    "trace": b"TRACE / HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n",
}


async def send(api: Api, data: bytes) -> bytes:
    """Send bytes and return what comes until the server closes, or has nothing to say."""
    reader, writer = await asyncio.open_unix_connection(api.path)
    try:
        writer.write(data)
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.read()
    except (ConnectionError, TimeoutError):
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_http_harms_nobody(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    async def test(api: Api) -> None:
        said = await send(api, BROKEN[kind])
        assert not said.startswith(b"HTTP/1.1 5"), said[:300]
        assert not said.startswith(b"HTTP/1.1 2") or kind in {"upgrade", "bytes in a header", "bytes in a cookie"}, said
        assert b"Traceback" not in said
        assert len(said) < 10_000
        assert (await api.ask("GET", "/v1/version")).status == 200, "others are answered all the same"

    run_with(world, test)
    assert not world.attached
    assert "Traceback" not in caplog.text


def test_connections_that_say_nothing_hold_up_nobody() -> None:
    async def test(api: Api) -> None:
        silent = [await asyncio.open_unix_connection(api.path) for _ in range(200)]
        for _, writer in silent[:100]:
            writer.write(b"GET /v1/version HTTP/1.1\r\nHo")
        assert (await api.attach()).status == 201
        for _, writer in silent:
            writer.close()

    run_with(World(), test)


@pytest.mark.parametrize(
    "piece",
    [
        PUT + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
        PUT + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        PUT + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n",
    ],
)
def test_a_client_that_goes_away_in_its_body_is_no_mistake_of_ours(
    piece: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(api: Api) -> None:
        _, writer = await asyncio.open_unix_connection(api.path)
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.1)  # the server has begun to read it, or reads what follows at once
        writer.close()
        await asyncio.sleep(0.1)
        assert (await api.ask("GET", "/v1/version")).status == 200

    run_with(World(), test)
    assert caplog.text == ""


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "_BODY_SECONDS", 0.1)

    async def test(api: Api) -> None:
        reader, writer = await asyncio.open_unix_connection(api.path)
        writer.write(PUT + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{")
        assert b"408" in await reader.readline()
        writer.close()

    run_with(World(), test)


def test_no_more_connections_than_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is on the machine can connect to loopback, without the token."""
    monkeypatch.setattr(connections, "_CONNECTIONS_MAX", 5)

    async def test(api: Api) -> None:
        port = int(api.base.rpartition(":")[2])
        held = []
        for _ in range(5):
            held.append(await asyncio.open_connection("127.0.0.1", port))
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 503 ")
        assert json.loads(said.partition(b"\r\n\r\n")[2])["hint"]
        assert (await api.attach()).status == 201, "the Unix socket has room of its own"
        for _, open_writer in (*held, (reader, writer)):
            open_writer.close()

    run_with(World(), test)
