"""What is attached on this host, read once for all who ask at the same time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipework_core.engine.inventory import HostInventory, Inventory
    from pipework_core.engine.signals import Signals
    from pipework_core.serve.engines import Engines
    from pipework_core.serve.lanes import Lanes


class Listing:
    """Lists attachments. Whoever asks while a list is being read gets the next one, and shares it with others.

    So an answer never tells of a state from before its question, and a hundred questions at once cost two readings.
    """

    def __init__(self, engines: Engines, lanes: Lanes) -> None:
        self._engines = engines
        self._lanes = lanes
        self._running: dict[str, asyncio.Task[HostInventory]] = {}
        self._next: dict[str, asyncio.Task[HostInventory]] = {}

    async def read(self, guest: str = "") -> Inventory:
        """Return what is attached to a guest, or to all; raise GuestError for a name that nobody has."""
        return (await self.read_host(guest)).inventory

    async def read_host(self, guest: str = "") -> HostInventory:
        """Return what is attached, and the interfaces of the host; raises as `read`."""
        task = self._next.get(guest)
        if task is None:
            task = asyncio.create_task(self._read_after(self._running.get(guest), guest))
            self._next[guest] = task
        return await asyncio.shield(task)

    async def _read_after(self, earlier: asyncio.Task[HostInventory] | None, guest: str) -> HostInventory:
        if earlier is not None:
            await asyncio.wait([earlier])
        task = self._next.pop(guest)
        self._running[guest] = task

        def work(signals: Signals) -> HostInventory:
            with self._engines.open(signals) as engine:
                return engine.list_host(guest)

        try:
            return await self._lanes.run("read", work)
        finally:
            if self._running.get(guest) is task:
                del self._running[guest]
