"""What goes wrong with a request, as problem details (RFC 9457) with our hint and exit code."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import (
    ConflictError,
    GuestError,
    PipeworkError,
    RuntimeDownError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/problem+json"
#: Characters of a sentence: what somebody sent may be repeated in it.
_TEXT_MAX = 2000
#: The most special first. All else, what the host lacks or a tool refused, is 424 (RFC 4918, 11.4): nothing was wrong
#: with the request.
_STATUS = (
    (RuntimeDownError, HTTPStatus.FAILED_DEPENDENCY),
    (GuestError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (UsageError, HTTPStatus.UNPROCESSABLE_ENTITY),
)


class RequestError(PipeworkError):
    """A request that HTTP, or the policy, has a status for; `headers` go with the answer."""

    def __init__(
        self, status: HTTPStatus, message: str, *, hint: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.headers = dict(headers or {})


class RefusedError(RequestError):
    """The policy does not let this client do that."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(HTTPStatus.FORBIDDEN, message, hint=hint)


def find_status(error: PipeworkError) -> HTTPStatus:
    """Return the status of an answer that tells of this error."""
    if isinstance(error, RequestError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.FAILED_DEPENDENCY)


def encode_problem(error: PipeworkError) -> dict[str, Any]:
    """Return `title`, `status`, `detail`, `hint` (null without one) and `exit`, what the command would end with."""
    status = find_status(error)
    return {
        "title": status.phrase,
        "status": status.value,
        "detail": _shorten(str(error)),
        "hint": _find_hint(error) or None,
        "exit": error.exit_code,
    }


def _find_hint(error: PipeworkError) -> str:
    """Return the hint in words of the API, which has no options."""
    if isinstance(error, ConflictError) and "--replace" in error.hint:
        return "DELETE it before, or PUT another interface of the guest"
    return _shorten(error.hint)


def _shorten(text: str) -> str:
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"
