"""`/v1/events`: what happens, a line of JSON each, or as server-sent events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from pipework_core.model.errors import UsageError
from pipework_core.serve.live import encode_change
from pipework_core.serve.requests import PEER, read_query, read_switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipework_core.serve.hub import Listener, Told
    from pipework_core.serve.service import Service

#: Seconds without an event after which a sign of life is sent, and after which a client that reads nothing is left.
_HEARTBEAT, _PATIENCE = 15.0, 60.0
_NUMBER_DIGITS = 18


class Stream:
    """The handler of events."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def list_routes(self) -> list[web.RouteDef]:
        """Return the route."""
        return [web.get("/v1/events", self.listen, allow_head=False)]

    async def listen(self, request: web.Request) -> web.StreamResponse:
        """Tell what happens until the client goes; with `initial` what there is first, with `since` what was told."""
        query = read_query(request, "initial", "since")
        initial = read_switch(query, "initial")
        since = _read_number(query.get("since") or request.headers.get("Last-Event-ID"))
        hub = self._service.live.hub
        listener, found = await self._service.live.subscribe(request[PEER])
        try:
            first = list(hub.list_since(since)) if since is not None else []
            if initial:
                first += [hub.stamp(encode_change("present", status)) for status in found]
            first.append(hub.stamp({"event": "ready", "text": "what follows is new"}))
            return await _send_all(request, listener, first)
        finally:
            hub.unsubscribe(listener)


def _read_number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS):
        raise UsageError(
            f"since={text[:40]!r} is not the id of an event.", hint="give the id of the last that you have"
        )
    return int(text)


async def _send_all(request: web.Request, listener: Listener, first: list[Told]) -> web.StreamResponse:
    as_sse = "text/event-stream" in request.headers.get("Accept", "")
    response = web.StreamResponse(headers={"X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream" if as_sse else "application/x-ndjson"
    await response.prepare(request)
    try:
        await _write(response, b"".join(_format_all(first, as_sse=as_sse)))
        await _pass_on(response, listener, as_sse=as_sse)
    except (ConnectionError, TimeoutError):  # it has gone, or reads nothing
        if request.transport is not None:
            request.transport.abort()
    return response


async def _pass_on(response: web.StreamResponse, listener: Listener, *, as_sse: bool) -> None:
    """Write what the listener hears to its end."""
    while True:
        try:
            told = await listener.get(_HEARTBEAT)
        except TimeoutError:
            await _write(response, b":\n\n" if as_sse else b"\n")
            continue
        if told is None:
            return
        await _write(response, b"".join(_format_all([told], as_sse=as_sse)))


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(_PATIENCE):
        await response.write(data)


def _format_all(events: list[Told], *, as_sse: bool) -> Iterator[bytes]:
    """Yield events as they are sent. The kind of server-sent ones is in the data: a page hears all by one name."""
    for told in events:
        yield b"id: %d\ndata: %b\n" % (told.id, told.line) if as_sse else told.line
