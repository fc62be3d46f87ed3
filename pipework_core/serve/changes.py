"""Carrying a change out: in a thread, counted, timed, told to the log, and if the client likes without waiting."""

from __future__ import annotations

import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from pipework_core.model import event
from pipework_core.model.errors import PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.names import escape_text
from pipework_core.model.records import Record
from pipework_core.serve.operations import Operation
from pipework_core.serve.problem import RefusedError
from pipework_core.serve.requests import PEER, answer_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp import web

    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.serve.lanes import Lane
    from pipework_core.serve.operations import Result
    from pipework_core.serve.peer import Peer
    from pipework_core.serve.service import Service


class Change(Record):
    """A change, as the log has it: `name` is for metrics, `what` a few words, guest and interface if it is of one."""

    name: str
    what: str
    guest: str = ""
    interface: str = ""
    lane: Lane = "change"
    dry_run: bool = False


async def answer_change(
    request: web.Request, service: Service, change: Change, work: Callable[[Engine], Result]
) -> web.Response:
    """Carry a change out and answer with what came of it; with `Prefer: respond-async` answer at once (202)."""
    client = str(request[PEER])
    carry_out = _carry_out(service, change, client, work)
    if not _prefers_async(request):
        status, data = await carry_out
        return answer_json(data, status)
    operation = Operation(f"{request.method} {request.path_qs}", client)
    service.operations.start(operation, carry_out)
    headers = {"Location": f"/v1/operations/{operation.id}", "Preference-Applied": "respond-async"}
    return answer_json(operation.encode(), HTTPStatus.ACCEPTED, headers)


def _prefers_async(request: web.Request) -> bool:
    words = ",".join(request.headers.getall("Prefer", ()))
    return "respond-async" in {word.partition(";")[0].strip().lower() for word in words.split(",")}


async def _carry_out(service: Service, change: Change, client: str, work: Callable[[Engine], Result]) -> Result:
    begun = time.monotonic()

    def run(signals: Signals) -> Result:
        with service.engines.open(signals, dry_run=change.dry_run) as engine:
            return work(engine)

    try:
        result = await service.lanes.run(change.lane, run)
    except PipeworkError as error:
        _tell(service, change, client, time.monotonic() - begun, error)
        raise
    if not change.dry_run:
        service.live.wake()
    _tell(service, change, client, time.monotonic() - begun, None)
    return result


def _tell(service: Service, change: Change, client: str, seconds: float, error: PipeworkError | None) -> None:
    if change.dry_run:
        return
    service.metrics.count_run(change.name, seconds, failed=error is not None)
    text = f"{change.what} ({client})"
    if error is None:
        service.tell(_make_event(event.DONE, text, change, seconds))
    else:
        told = _make_event(event.FAILED, f"{text}: {error}", change, seconds)._replace(hint=escape_text(error.hint))
        service.tell(told)
        service.live.publish(told)


@contextmanager
def refusing(service: Service, change: Change, peer: Peer) -> Iterator[None]:
    """Tell the log, and those who listen, of a RefusedError of the block."""
    try:
        yield
    except RefusedError as error:
        told = _make_event(event.REFUSED, f"{change.what} ({peer}): {error}", change, 0.0)
        service.metrics.count_refusal()
        service.tell(told)
        service.live.publish(told)
        raise


def _make_event(kind: str, text: str, change: Change, seconds: float) -> Event:
    return Event(kind, escape_text(text), escape_text(change.guest), escape_text(change.interface), seconds)
