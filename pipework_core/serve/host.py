"""What there is on the host: guests, plugins, the version, the graph, figures; and taking away what was left."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from pipework_core import CONTRACT, __version__
from pipework_core.engine import report_json
from pipework_core.graph.live import build_graph
from pipework_core.plugins.packages import list_packages
from pipework_core.serve import metrics
from pipework_core.serve.changes import Change, answer_change, refusing
from pipework_core.serve.openapi import make_document
from pipework_core.serve.requests import PEER, RIGHTS, answer_json, read_query, read_switch
from pipework_core.serve.rights import require_all

if TYPE_CHECKING:
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.serve.operations import Result
    from pipework_core.serve.service import Service


class Host:
    """The handlers of what belongs to no single attachment."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._packages: asyncio.Task[dict[str, Any]] | None = None
        self._document: dict[str, Any] = {}

    def list_routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/v1/guests", self.list_guests),
            web.get("/v1/plugins", self.list_plugins),
            web.get("/v1/version", self.show_version),
            web.get("/v1/graph", self.draw_graph),
            web.get("/v1/openapi.json", self.describe),
            web.get("/metrics", self.measure),
            web.post("/v1/gc", self.collect),
            web.get("/v1/operations", self.list_operations),
            web.get("/v1/operations/{id}", self.show_operation),
        ]

    async def list_guests(self, request: web.Request) -> web.Response:
        """Return the guests that have a name."""
        read_query(request)

        def work(signals: Signals) -> dict[str, Any]:
            warnings: list[str] = []
            with self._service.engines.open(signals) as engine:
                names = engine.open_directory(warnings.append).list_guests({"*"})
            return report_json.encode_guest_names(names, warnings)

        return answer_json(await self._service.lanes.run("read", work))

    async def list_plugins(self, request: web.Request) -> web.Response:
        """Return the installed packages with plugins, which are looked at once."""
        read_query(request)
        if self._packages is None or (self._packages.done() and self._packages.exception()):
            work = self._service.lanes.run("read", lambda _: report_json.encode_packages(list_packages()))
            self._packages = asyncio.create_task(work)
        return answer_json(await asyncio.shield(self._packages))

    async def show_version(self, request: web.Request) -> web.Response:
        """Return the version of pipework, and that of its contract with plugins."""
        read_query(request)
        return answer_json({"version": __version__, "contract": CONTRACT})

    async def draw_graph(self, request: web.Request) -> web.Response:
        """Return the host, its guests and the links between them."""
        read_query(request)
        return answer_json(report_json.encode_graph(build_graph(await self._service.listing.read_host())))

    async def describe(self, request: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        read_query(request)
        self._document = self._document or make_document()
        return answer_json(self._document)

    async def measure(self, request: web.Request) -> web.Response:
        """Return the figures for Prometheus."""
        read_query(request)
        found = await self._service.listing.read()
        body = self._service.metrics.write(found.attachments)
        return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})

    async def collect(self, request: web.Request) -> web.Response:
        """Take away what dead guests and killed runs left."""
        dry_run = read_switch(read_query(request, "dry_run"), "dry_run")
        change = Change("gc", "collect what was left", dry_run=dry_run)
        with refusing(self._service, change, request[PEER]):
            require_all(request[RIGHTS], request[PEER], "collect what others left")

        def work(engine: Engine) -> Result:
            done = engine.collect_garbage()
            notes = () if done.plan.cleanup else ("nothing is left over on this host",)
            return HTTPStatus.OK, report_json.encode_collected(done, notes, dry_run=dry_run)

        return await answer_change(request, self._service, change, work)

    async def list_operations(self, request: web.Request) -> web.Response:
        """Return the operations that are remembered."""
        read_query(request)
        return answer_json({"operations": self._service.operations.list_all()})

    async def show_operation(self, request: web.Request) -> web.Response:
        """Return one operation, and what came of it."""
        read_query(request)
        return answer_json(self._service.operations.find(request.match_info["id"]).encode())
