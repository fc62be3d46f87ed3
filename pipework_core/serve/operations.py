"""Changes under way and their ends, for clients that do not wait for them (RFC 7240: `Prefer: respond-async`)."""

from __future__ import annotations

import asyncio
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pipework_core.model.errors import PipeworkError
from pipework_core.serve.problem import RequestError, encode_problem, find_status

if TYPE_CHECKING:
    from collections.abc import Coroutine

    #: The status and the data of an answer.
    Result = tuple[HTTPStatus, Any]

#: Operations that are remembered after their end; the oldest are forgotten.
_ENDED_MAX = 1000
_RUNNING_MAX = 1000


class Operation:
    """One change: what was asked, by whom, and once it has ended, what was answered."""

    def __init__(self, title: str, client: str) -> None:
        self.id = secrets.token_hex(8)
        self.title = title
        self.client = client
        self.started = time.time()
        self.result: Result | None = None

    def encode(self) -> dict[str, Any]:
        """Return `id`, `request`, `client`, `started`, `state` (running, done, failed), `status` and `answer`."""
        status, answer = self.result or (None, None)
        state = "running" if status is None else "failed" if status >= HTTPStatus.BAD_REQUEST else "done"
        return {
            "id": self.id,
            "request": self.title,
            "client": self.client,
            "started": round(self.started, 3),
            "state": state,
            "status": status.value if status is not None else None,
            "answer": answer,
        }


class Operations:
    """The operations that clients did not wait for."""

    def __init__(self) -> None:
        self._known: dict[str, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, operation: Operation, work: Coroutine[Any, Any, Result]) -> None:
        """Let it go on by itself; raise RequestError when too many do already."""
        if len(self._tasks) >= _RUNNING_MAX:
            work.close()
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS, f"{_RUNNING_MAX} operations are under way.", hint="wait for some to end"
            )
        self._known[operation.id] = operation
        task = asyncio.create_task(self._follow(operation, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def list_all(self) -> list[dict[str, Any]]:
        """Return all that are remembered, without what was answered."""
        return [{**operation.encode(), "answer": None} for operation in self._known.values()]

    def find(self, identity: str) -> Operation:
        """Return one; raise RequestError for one that is not, or no longer, known."""
        if identity not in self._known:
            raise RequestError(
                HTTPStatus.NOT_FOUND, f"there is no operation {identity!r}.", hint="GET /v1/operations lists them"
            )
        return self._known[identity]

    async def wait(self) -> None:
        """Wait until none is under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _follow(self, operation: Operation, work: Coroutine[Any, Any, Result]) -> None:
        try:
            operation.result = await work
        except PipeworkError as error:
            operation.result = find_status(error), encode_problem(error)
        except BaseException:
            operation.result = HTTPStatus.INTERNAL_SERVER_ERROR, None
            raise
        finally:
            self._forget_old()

    def _forget_old(self) -> None:
        ended = [identity for identity, known in self._known.items() if known.result is not None]
        for identity in ended[:-_ENDED_MAX]:
            del self._known[identity]
