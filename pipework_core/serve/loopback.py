"""What protects from other programs' web pages: a token on loopback, and whose page a browser says it shows.

A browser lets any page send requests to this machine, and a name server of somebody else's can let its own name mean
127.0.0.1. So the name that was asked for (`Host`) and the page that asks (`Origin`) have to be of this machine.
"""

from __future__ import annotations

import hmac
import re
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from pipework_core.serve.problem import RefusedError, RequestError

if TYPE_CHECKING:
    from pipework_core.serve.peer import Peer

_TOKEN_BYTES = 32
#: A name without a dot is of this machine or its network, and no name that somebody can register.
_OWN_NAME = re.compile(r"(?a)([\w-]*|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?")


class Door:
    """Lets those in that have the token; `port` is that of loopback, and its cookie's name, as ports share cookies."""

    def __init__(self, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._cookie = f"pipework-{port}"

    def check(self, request: web.Request, peer: Peer) -> None:
        """Raise RefusedError for pages of others, RequestError (401) without the token.

        Raise HTTPSeeOther for the URL with the token: what it leads to has the token in a cookie alone.
        """
        _refuse_pages_of_others(request)
        if not peer.is_tcp:
            return
        if request.method == "GET" and "token" in request.query and self._is_token(request.query["token"]):
            redirect = web.HTTPSeeOther(request.rel_url.without_query_params("token"))
            redirect.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict", path="/")
            raise redirect
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = request.cookies.get(self._cookie, "")
        if not self._is_token(given.strip()):
            raise RequestError(
                HTTPStatus.UNAUTHORIZED,
                "the token is missing, or wrong.",
                hint="open the URL that pipework serve printed when it started",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(errors="replace"), self.token.encode())


def _refuse_pages_of_others(request: web.Request) -> None:
    host = request.headers.get("Host", "")
    if not _OWN_NAME.fullmatch(host):
        raise RefusedError(f"{host!r} is not this machine's own name.", hint="ask localhost, or any word without a dot")
    origin = request.headers.get("Origin", f"http://{host}")
    if origin != f"http://{host}" or request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        raise RefusedError(f"a page of {origin!r} asks for this.", hint="only pipework's own page may")
