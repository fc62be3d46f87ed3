"""The server: everything put together, from its first socket to its last answer."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pipework_core.model import event
from pipework_core.model.errors import PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.records import Record
from pipework_core.serve import sockets
from pipework_core.serve.app import make_app
from pipework_core.serve.connections import accept_connections
from pipework_core.serve.hub import Hub
from pipework_core.serve.lanes import Lanes
from pipework_core.serve.listing import Listing
from pipework_core.serve.live import Live
from pipework_core.serve.loopback import Door
from pipework_core.serve.metrics import Metrics
from pipework_core.serve.operations import Operations
from pipework_core.serve.rights import Gatekeeper
from pipework_core.serve.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipework_core.model.event import Tell
    from pipework_core.serve.engines import Engines

#: Seconds that requests under way get after the end was asked for, and then to stop where nothing is half done.
_PARTING, _STOPPING = 35.0, 3.0
#: Seconds that who listens to events gets to read the last of them.
_READING = 1.0
#: Seconds after which a connection without a request is closed.
_KEEP_ALIVE = 75.0
#: Seconds in which the rest of a body that is refused is still read, so that its sender sees the answer.
_LINGER = 1.0
_TICK = 1.0


class ServeWishes(Record):
    """Where to serve, and by which policy. An empty `path` is where systemd's sockets, or the default, are.

    `listen` is an address of loopback and a port; who comes there changes nothing without `allow_changes`.
    """

    policy: str
    path: str = ""
    listen: tuple[str, int] | None = None
    allow_changes: bool = False


class Hooks(Record):
    """Whom a server tells: `ready` when it answers, `stopping` when it is to end, `reload` of a SIGHUP.

    `tick` is called every second or so; `log` has what goes into the log, from any thread.
    """

    log: Tell
    ready: Callable[[], None]
    stopping: Callable[[], None]
    reload: Callable[[], None]
    tick: Callable[[], None]


class Server:
    """Serves until it is told to stop."""

    def __init__(self, wishes: ServeWishes, *, engines: Engines, warn: Callable[[str], None]) -> None:
        self._engines = engines
        self._gatekeeper = Gatekeeper(wishes.policy, allow_changes=wishes.allow_changes)
        inherited = sockets.take_inherited()
        self._path = wishes.path or ("" if inherited else sockets.DEFAULT_PATH)
        self._listening = [*inherited, *([sockets.open_unix(self._path, warn)] if self._path else [])]
        self._inode = os.stat(self._path).st_ino if self._path else 0
        self._door = Door()
        self.url = ""
        if wishes.listen is not None:
            loopback = sockets.open_loopback(*wishes.listen)
            self._listening.append(loopback)
            address, port = loopback.getsockname()[:2]
            self._door = Door(port)
            shown = f"[{address}]" if ":" in address else address
            self.url = f"http://{shown}:{port}/?token={self._door.token}"
        self._live: Live | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        #: Whether a signal told it to end.
        self.was_told = False

    def run(self, hooks: Hooks) -> None:
        """Serve."""
        try:
            asyncio.run(self._serve(hooks))
        finally:
            with suppress(OSError):
                if self._path and os.lstat(self._path).st_ino == self._inode:
                    os.unlink(self._path)

    def stop(self) -> None:
        """End soon; any thread may call it, once `ready` was called."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)

    def publish(self, told: Event) -> None:
        """Tell those who listen to events; any thread may call it."""
        if self._live is not None:
            self._live.publish(told)

    async def _serve(self, hooks: Hooks) -> None:
        loop = self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._hear_end)
        loop.add_signal_handler(signal.SIGHUP, self._read_policy_again, hooks)
        service = make_service(self._engines, self._gatekeeper, self._door, hooks.log)
        self._live = service.live
        runner = make_runner(service)
        await runner.setup()
        accepting = await accept_connections(runner, self._listening)
        hooks.ready()
        while not self._ending.is_set():
            hooks.tick()
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._ending.wait()
        hooks.stopping()
        await end_service(service, runner, accepting)

    def _hear_end(self) -> None:
        self.was_told = True
        self._ending.set()

    def _read_policy_again(self, hooks: Hooks) -> None:
        hooks.reload()
        try:
            self._gatekeeper.reload()
        except PipeworkError as error:
            hooks.log(Event(event.FAILED, f"the policy stays as it was: {error}", hint=error.hint))
            return
        if self._live is not None:
            self._live.hub.dismiss(lambda peer: self._gatekeeper.find_rights(peer).read)
        hooks.log(Event(event.NOTE, "read the policy again"))


def make_service(engines: Engines, gatekeeper: Gatekeeper, door: Door, tell: Tell) -> Service:
    """Return the parts of a server; a loop has to run."""
    lanes = Lanes()
    listing = Listing(engines, lanes)
    return Service(
        engines=engines,
        lanes=lanes,
        listing=listing,
        live=Live(listing, Hub()),
        gatekeeper=gatekeeper,
        door=door,
        operations=Operations(),
        metrics=Metrics(engines.kinds),
        tell=tell,
    )


def make_runner(service: Service) -> web.AppRunner:
    """Return what serves on sockets."""
    logger = logging.getLogger("pipework.http")
    logger.addFilter(_is_our_fault)
    return web.AppRunner(
        make_app(service),
        access_log=None,
        logger=logger,
        keepalive_timeout=_KEEP_ALIVE,
        lingering_time=_LINGER,
    )


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether the log is to have it: what is no HTTP has its answer, and could fill the log."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


async def end_service(service: Service, runner: web.AppRunner, accepting: Iterable[asyncio.Server]) -> None:
    """Take no more requests, let those under way finish, and after a while stop where nothing is half done."""
    for server in accepting:
        server.close()
    service.live.close()
    cut = asyncio.get_running_loop().call_later(_READING, service.live.hub.cut)
    deadline = asyncio.get_running_loop().call_later(_PARTING, service.lanes.interrupt)
    await asyncio.wait(
        [asyncio.create_task(service.operations.wait()), asyncio.create_task(runner.cleanup())],
        timeout=_PARTING + _STOPPING,
    )
    cut.cancel()
    deadline.cancel()
    service.lanes.close()
