"""What the handlers of requests work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipework_core.model.records import Record

if TYPE_CHECKING:
    from pipework_core.model.event import Tell
    from pipework_core.serve.engines import Engines
    from pipework_core.serve.lanes import Lanes
    from pipework_core.serve.listing import Listing
    from pipework_core.serve.live import Live
    from pipework_core.serve.loopback import Door
    from pipework_core.serve.metrics import Metrics
    from pipework_core.serve.operations import Operations
    from pipework_core.serve.rights import Gatekeeper


class Service(Record):
    """The parts of a server. `tell` is told of each change, and of what was refused, for the log."""

    engines: Engines
    lanes: Lanes
    listing: Listing
    live: Live
    gatekeeper: Gatekeeper
    door: Door
    operations: Operations
    metrics: Metrics
    tell: Tell
