"""The server: everything put together, from its first socket to its last answer."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from pipework_core.model import event
from pipework_core.model.errors import PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.records import Record
from pipework_core.serve import sockets
from pipework_core.serve.app import make_app
from pipework_core.serve.hub import Hub
from pipework_core.serve.lanes import Lanes
from pipework_core.serve.listing import Listing
from pipework_core.serve.live import Live
from pipework_core.serve.metrics import Metrics
from pipework_core.serve.operations import Operations
from pipework_core.serve.rights import Gatekeeper
from pipework_core.serve.service import Service

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from pipework_core.model.event import Tell
    from pipework_core.serve.engines import Engines

#: Seconds that requests under way get after the end was asked for, and then to stop where nothing is half done.
_PARTING, _STOPPING = 35.0, 3.0
#: Seconds after which a connection without a request is closed.
_KEEP_ALIVE = 75.0


class ServeWishes(Record):
    """Where to serve, and by which policy. An empty `path` is where systemd's sockets, or the default, are."""

    policy: str
    path: str = ""


class Server:
    """Serves until it is told to stop. `tell` is told what goes into the log, from any thread."""

    def __init__(self, wishes: ServeWishes, *, engines: Engines, tell: Tell, warn: Callable[[str], None]) -> None:
        self._wishes = wishes
        self._engines = engines
        self._tell = tell
        self._gatekeeper = Gatekeeper(wishes.policy)
        self._inherited = sockets.take_inherited()
        self._path = wishes.path or ("" if self._inherited else sockets.DEFAULT_PATH)
        self._listening = [*self._inherited, *([sockets.open_unix(self._path, warn)] if self._path else [])]
        self._inode = os.stat(self._path).st_ino if self._path else 0

    def run(self, *, ready: Callable[[], None], stopping: Callable[[], None], reload: Callable[[], None]) -> None:
        """Serve; `ready` is called when requests are answered, `stopping` when the end was asked for."""
        try:
            asyncio.run(self._serve(ready, stopping, reload))
        finally:
            with suppress(OSError):
                if self._path and os.lstat(self._path).st_ino == self._inode:
                    os.unlink(self._path)

    async def _serve(self, ready: Callable[[], None], stopping: Callable[[], None], reload: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end.set)

        def read_again() -> None:
            self._read_policy_again()
            reload()

        loop.add_signal_handler(signal.SIGHUP, read_again)
        lanes = Lanes()
        listing = Listing(self._engines, lanes)
        service = Service(
            engines=self._engines,
            lanes=lanes,
            listing=listing,
            live=Live(listing, Hub()),
            gatekeeper=self._gatekeeper,
            operations=Operations(),
            metrics=Metrics(),
            tell=self._tell,
        )
        runner = web.AppRunner(make_app(service), access_log=None, keepalive_timeout=_KEEP_ALIVE)
        await runner.setup()
        for one in self._listening:
            await web.SockSite(runner, one).start()
        ready()
        await end.wait()
        stopping()
        await _end(service, runner)

    def _read_policy_again(self) -> None:
        try:
            self._gatekeeper.reload()
        except PipeworkError as error:
            self._tell(Event(event.FAILED, f"the policy stays as it was: {error}", hint=error.hint))
            return
        self._tell(Event(event.NOTE, "read the policy again"))


async def _end(service: Service, runner: web.AppRunner) -> None:
    """Take no more requests, let those under way finish, and after a while stop where nothing is half done."""
    for site in list(runner.sites):
        await site.stop()
    service.live.close()
    deadline = asyncio.get_running_loop().call_later(_PARTING, service.lanes.interrupt)
    await asyncio.wait(
        [asyncio.create_task(service.operations.wait()), asyncio.create_task(runner.cleanup())],
        timeout=_PARTING + _STOPPING,
    )
    deadline.cancel()
    service.lanes.close()
