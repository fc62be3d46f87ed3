"""The application: routes, who asks, and what every answer has."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from pipework_core.model.errors import PipeworkError
from pipework_core.serve import bodies, pages
from pipework_core.serve.attachments import Attachments
from pipework_core.serve.host import Host
from pipework_core.serve.page import CONTENT_SECURITY_POLICY
from pipework_core.serve.peer import read_peer
from pipework_core.serve.problem import CONTENT_TYPE, RequestError, encode_problem, find_status
from pipework_core.serve.requests import PEER, RIGHTS
from pipework_core.serve.rights import require_read
from pipework_core.serve.stream import Stream
from pipework_core.serve.topologies import Topologies

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from pipework_core.serve.service import Service

_LOG = logging.getLogger("pipework.serve")
#: Nothing is to be kept, guessed, framed, or loaded from elsewhere.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(service: Service) -> web.Application:
    """Return the application."""
    app = web.Application(middlewares=[_answer_errors, _make_guard(service)], client_max_size=bodies.SIZE_MAX)
    for part in (Attachments(service), Topologies(service), Host(service), Stream(service), pages):
        app.add_routes(part.list_routes())
    app.on_response_prepare.append(_add_headers)
    return app


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers["Server"] = "pipework"


def _make_guard(service: Service) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Find out who asks; who may not look may nothing."""
        request[PEER] = read_peer(request.transport)
        service.door.check(request, request[PEER])
        request[RIGHTS] = service.gatekeeper.find_rights(request[PEER])
        require_read(request[RIGHTS], request[PEER])
        return await handler(request)

    return guard


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors with problem details."""
    try:
        return await handler(request)
    except PipeworkError as error:
        headers = error.headers if isinstance(error, RequestError) else None
        return _answer_problem(error, find_status(error), headers)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _explain(request, error)
    except Exception:  # noqa: BLE001 - whatever it is, the client gets a sentence, and the log the rest
        _LOG.exception("%s failed", request.method)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return _answer_problem(
            RequestError(status, "pipework has made a mistake.", hint="its log says more; please report it"), status
        )


def _explain(request: web.Request, error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    texts = {
        HTTPStatus.NOT_FOUND: (
            f"there is nothing at {request.path!r}.",
            "GET /v1/openapi.json lists all that there is",
        ),
        HTTPStatus.METHOD_NOT_ALLOWED: (
            f"{request.method} is nothing to do with {request.path!r}.",
            f"it takes {error.headers.get('Allow', '')}",
        ),
    }
    message, hint = texts.get(status, (f"{status.phrase}.", ""))
    return _answer_problem(RequestError(status, message, hint=hint), status, headers)


def _answer_problem(error: PipeworkError, status: HTTPStatus, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=bodies.encode(encode_problem(error)), status=status, content_type=CONTENT_TYPE, headers=headers
    )
