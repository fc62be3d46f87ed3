"""The live page: the files of the folder `page`, and nothing else."""

from __future__ import annotations

import os
from http import HTTPStatus

from aiohttp import web

from pipework_core.serve.problem import RequestError
from pipework_core.serve.requests import read_query

_FOLDER = os.path.join(os.path.dirname(__file__), "page")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def list_routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/", show_index), web.get("/page/{name}", show_file)]


async def show_index(request: web.Request) -> web.Response:
    """Return the page."""
    read_query(request)
    return _answer_file("index.html")


async def show_file(request: web.Request) -> web.Response:
    """Return what the page is made of."""
    read_query(request)
    return _answer_file(request.match_info["name"])


def _answer_file(name: str) -> web.Response:
    """Return a file that is in the folder itself; raise RequestError (404) for what is not."""
    kind = _TYPES.get(os.path.splitext(name)[1])
    if kind is None or name not in (os.listdir(_FOLDER) if os.path.isdir(_FOLDER) else ()):
        raise RequestError(HTTPStatus.NOT_FOUND, f"the page has no file {name!r}.", hint="GET / is the page")
    with open(os.path.join(_FOLDER, name), "rb") as file:
        return web.Response(body=file.read(), content_type=kind, charset="utf-8")
