"""The live page: the files of the folder `page`, and nothing else."""

from __future__ import annotations

import os
from http import HTTPStatus

from aiohttp import web

from pipework_core.serve.page import INDEX, SCRIPTS, STYLE, read_page_file
from pipework_core.serve.problem import RequestError
from pipework_core.serve.requests import read_query

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


def list_routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/", show_index), web.get("/page/{name}", show_file)]


async def show_index(request: web.Request) -> web.Response:
    """Return the page."""
    read_query(request)
    return _answer_file(INDEX)


async def show_file(request: web.Request) -> web.Response:
    """Return what the page is made of."""
    read_query(request)
    name = request.match_info["name"]
    if name not in {STYLE, *SCRIPTS}:
        raise RequestError(HTTPStatus.NOT_FOUND, f"the page has no file {name!r}.", hint="GET / is the page")
    return _answer_file(name)


def _answer_file(name: str) -> web.Response:
    return web.Response(text=read_page_file(name), content_type=_TYPES[os.path.splitext(name)[1]], charset="utf-8")
