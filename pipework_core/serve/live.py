"""What changes on the host, whoever changes it: the kernel wakes us, the list is read again, the difference is told.

The kernel's messages are a bell alone: what they say is not read. An end inside a guest rings none here (macvlan), so
while somebody listens the list is read every two seconds as well.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipework_core.engine import report_json
from pipework_core.engine.guests import NAMELESS
from pipework_core.graph import host_nodes
from pipework_core.model import event
from pipework_core.model.errors import PipeworkError
from pipework_core.model.event import Event
from pipework_core.model.names import escape_text, shorten_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipework_core.engine.attachments import AttachmentStatus
    from pipework_core.engine.inventory import HostInventory
    from pipework_core.model.graph import Node
    from pipework_core.serve.hub import Hub, Listener
    from pipework_core.serve.listing import Listing
    from pipework_core.serve.peer import Peer

#: Groups of rtnetlink(7): links, and addresses of both families.
_GROUPS = 0x1 | 0x10 | 0x100
_MESSAGE_MAX = 65536
#: Seconds from the bell to the look, in which more may happen: with listeners, and with none.
_SETTLE, _SETTLE_ALONE = 0.2, 2.0
_POLL = 2.0

_Known = dict[tuple[object, ...], dict[str, Any]]


class Live:
    """Tells a hub what changes. To be used in the thread of the loop, but for `publish`."""

    def __init__(self, listing: Listing, hub: Hub) -> None:
        self.hub = hub
        self._listing = listing
        self._loop = asyncio.get_running_loop()
        self._known: _Known | None = None
        self._interfaces: dict[str, Node] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._bell = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        self._bell.bind((0, _GROUPS))
        self._loop.add_reader(self._bell, self._hear)
        self._tasks = {asyncio.create_task(self._poll())}
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Stop, and let all listeners end."""
        self._loop.remove_reader(self._bell)
        self._bell.close()
        for task in self._tasks:
            task.cancel()
        self.hub.close()

    def publish(self, told: Event) -> None:
        """Tell of an event; any thread may call it."""
        fields = report_json.encode_event(told)
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.hub.publish, fields)

    def wake(self) -> None:
        """Look soon at what has changed."""
        if self._timer is None:
            self._timer = self._loop.call_later(_SETTLE if len(self.hub) else _SETTLE_ALONE, self._look_soon)

    async def subscribe(self, peer: Peer) -> tuple[Listener, list[dict[str, Any]]]:
        """Return a listener, and all attachments as they are when it begins to hear; raise PipeworkError."""
        self.hub.require_room()
        await self._look()
        return self.hub.subscribe(peer), list((self._known or {}).values())

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            try:
                while self._bell.recv(_MESSAGE_MAX):
                    pass
            except BlockingIOError:
                raise
            except OSError:  # ENOBUFS: there were more than it holds, which is a bell all the more
                pass
        self.wake()

    def _look_soon(self) -> None:
        self._timer = None
        task = asyncio.create_task(self._look_quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_POLL)
            if len(self.hub):
                await self._look_quietly()

    async def _look_quietly(self) -> None:
        with suppress(PipeworkError):  # who asks for the list is told of that
            await self._look()

    async def _look(self) -> None:
        """Read the list and tell the difference. Whoever asks during a look gets the next one, and shares it."""
        if self._next is None:
            self._next = asyncio.create_task(self._look_after(self._running))
            self._tasks.add(self._next)
            self._next.add_done_callback(self._tasks.discard)
        await asyncio.shield(self._next)

    async def _look_after(self, earlier: asyncio.Task[None] | None) -> None:
        """Look when an earlier look has ended, so that none tells of what another one undoes."""
        if earlier is not None:
            await asyncio.wait([earlier])
        self._running, self._next = self._next, None
        host = await self._listing.read_host()
        known = {_make_key(status): report_json.encode_status(status) for status in host.inventory.attachments}
        interfaces = _describe_interfaces(host)
        _keep_names(self._known or {}, known)
        if self._known is not None:
            for fields in (*_list_differences(self._known, known), *_list_host(self._interfaces, interfaces)):
                self.hub.publish(fields)
        self._known, self._interfaces = known, interfaces


def _describe_interfaces(host: HostInventory) -> dict[str, Node]:
    """Return the host's own interfaces that the picture shows, by their names."""
    links, switches = host_nodes.list_host_links(host), host_nodes.list_switches(host)
    return {name: host_nodes.make_host_node(link, switches) for name, link in links.items()}


def _list_host(old: Mapping[str, Node], new: Mapping[str, Node]) -> Iterator[dict[str, Any]]:
    """Yield an event for each interface of the host that came, went, or is another one than it was."""
    for name in {**old, **new}:
        if old.get(name) != new.get(name):
            node = new.get(name)
            words = ", ".join([node.kind, node.state, *node.addresses]) if node else "gone"
            yield report_json.encode_event(Event(event.HOST, escape_text(words), interface=escape_text(name)))


def _make_key(status: AttachmentStatus) -> tuple[object, ...]:
    return status.inode, status.host_end or status.interface, status.former_guest


def _keep_names(old: _Known, new: _Known) -> None:
    """Let guests that end keep the names that their runtime has forgotten already, and those of ends that are gone."""
    for key, status in new.items():
        former = old.get(key, {})
        if former.get("guest") and status["guest"] and status["guest"]["runtime"] in NAMELESS:
            status["guest"] = former["guest"]
            status["interface"] = status["interface"] or former["interface"]


def _list_differences(old: _Known, new: _Known) -> Iterator[dict[str, Any]]:
    for key in old.keys() - new.keys():
        yield encode_change(event.DETACHED, old[key])
    for key, status in new.items():
        if key not in old or _drop_passing(old[key]) != _drop_passing(status):
            yield encode_change(event.CHANGED if key in old else event.ATTACHED, status)


def _drop_passing(status: dict[str, Any]) -> dict[str, Any]:
    """Return a status without the process by which a namespace was found: it may be one of ours that looks inside."""
    return {**status, "guest": status["guest"] and {**status["guest"], "pid": None}}


def encode_change(kind: str, status: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event about an attachment: what `report_json.encode_event` says, and `attachment`."""
    guest = status["guest"] or {"name": ""}
    words = " ".join([status["on"] or status["kind"], *status["addresses"], status["state"]])
    told = Event(kind, shorten_text(words), escape_text(guest["name"]), escape_text(status["interface"] or ""))
    return {**report_json.encode_event(told), "attachment": status}
