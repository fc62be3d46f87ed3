"""Reading requests: names of a path, switches of a query, bodies. What makes no sense is refused in a sentence."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from pipework_core.model.errors import UsageError
from pipework_core.serve.bodies import SIZE_MAX, encode
from pipework_core.serve.peer import Peer
from pipework_core.serve.problem import RequestError
from pipework_core.watch.policy_api import Rights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: Who asks, and what they may; a middleware of `app.py` puts them there.
PEER = web.RequestKey("peer", Peer)
RIGHTS = web.RequestKey("rights", Rights)
#: `_UNNAMED` is how aiohttp calls what has no type.
_JSON, _FORM, _UNNAMED = "application/json", "application/x-www-form-urlencoded", "application/octet-stream"
#: Seconds for a body to come: until then its client holds up the end of the server.
_BODY_SECONDS = 20.0
_SWITCHES = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def read_query(request: web.Request, *known: str) -> Mapping[str, str]:
    """Return the query; raise UsageError for a key that is unknown or given twice, since a slip would count as no."""
    query = request.query
    for key in query:
        if key not in known:
            hint = f"this request knows {', '.join(known)}" if known else "leave the ? and what follows it out"
            raise UsageError(f"the query has no key {key!r}.", hint=hint)
        if len(query.getall(key)) > 1:
            raise UsageError(f"the query has {key} twice.", hint="leave one of them out")
    return query


def read_switch(query: Mapping[str, str], key: str) -> bool:
    """Return whether a switch of the query is on."""
    value = query.get(key, "0")
    if value not in _SWITCHES:
        raise UsageError(f"{key}={value!r} is neither yes nor no.", hint=f"write {key}=1")
    return _SWITCHES[value]


async def read_body(request: web.Request) -> bytes:
    """Return a body that is said to be JSON; raise RequestError (400, 408, 413, 415).

    `curl -d` calls all that it sends a form, and is meant well. A page of somebody else's could send one as well,
    without asking first: what a browser sends has to be called JSON.
    """
    from_browser = "Origin" in request.headers
    if request.content_type not in ({_JSON} if from_browser else {_JSON, _FORM, _UNNAMED}):
        message = f"the body is {request.content_type!r}, and application/json is due."
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, hint="send the header Content-Type: application/json"
        )
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body is compressed.", hint="send it as it is")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        message = f"the body did not come within {_BODY_SECONDS:g} seconds."
        raise RequestError(
            HTTPStatus.REQUEST_TIMEOUT, message, hint="send it at once", headers={"Connection": "close"}
        ) from None
    except (ConnectionError, web.RequestPayloadError):
        raise RequestError(HTTPStatus.BAD_REQUEST, "the body ends too early.", hint="send all of it") from None
    except web.HTTPRequestEntityTooLarge:
        message = f"the body is larger than {SIZE_MAX >> 20} MiB."
        raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, hint="send less at once") from None


def answer_json(
    data: Any,  # noqa: ANN401 - whatever JSON can hold
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return an answer with data."""
    return web.Response(body=encode(data), status=status, content_type="application/json", headers=headers)
