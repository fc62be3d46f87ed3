"""`/v1/topology`: all that a document names is attached, compared, or detached."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from pipework_core.engine import report_json
from pipework_core.serve import bodies
from pipework_core.serve.changes import Change, answer_change, refusing
from pipework_core.serve.requests import PEER, RIGHTS, answer_json, read_body, read_query, read_switch
from pipework_core.serve.rights import require_all
from pipework_core.topology.apply import apply_topology, compare_topology, withdraw_topology

if TYPE_CHECKING:
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.signals import Signals
    from pipework_core.serve.operations import Result
    from pipework_core.serve.service import Service
    from pipework_core.topology.model import Topology
    from pipework_core.topology.report import TopologyReport


class Topologies:
    """The handlers of topologies."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def list_routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.post("/v1/topology", self.apply),
            web.post("/v1/topology/status", self.compare),
            web.post("/v1/topology/down", self.withdraw),
        ]

    async def apply(self, request: web.Request) -> web.Response:
        """Attach what is missing: 200 when all holds, 207 when some of it failed."""
        query = read_query(request, "dry_run", "replace", "atomic", "prune")
        dry_run, replace, atomic, prune = (read_switch(query, key) for key in ("dry_run", "replace", "atomic", "prune"))
        change = Change("up", "up", lane="wait", dry_run=dry_run)
        with refusing(self._service, change, request[PEER]):
            require_all(request[RIGHTS], request[PEER], "apply a topology")
        topology = await self._read_topology(request)
        change = change._replace(what=f"up, {len(topology.links)} links")

        def work(engine: Engine) -> Result:
            warnings: list[str] = []
            report = apply_topology(topology, engine, warn=warnings.append, replace=replace, atomic=atomic, prune=prune)
            hosts = _encode_hosts(report)
            data = report_json.encode_topology(hosts, report.jobs, report.unlisted)
            whole = not report.interrupted and all(job.whole for job in report.jobs) and _holds(report)
            return _answer(data, [*warnings, *_list_problems(report)], whole=whole)

        return await answer_change(request, self._service, change, work)

    async def compare(self, request: web.Request) -> web.Response:
        """Tell what differs; nothing is changed."""
        read_query(request)
        topology = await self._read_topology(request)

        def work(signals: Signals) -> dict[str, Any]:
            warnings: list[str] = []
            with self._service.engines.open(signals) as engine:
                report = compare_topology(topology, engine, warn=warnings.append)
            return {**report_json.encode_comparison(report.jobs, report.differences), "warnings": warnings}

        return answer_json(await self._service.lanes.run("read", work))

    async def withdraw(self, request: web.Request) -> web.Response:
        """Detach what the document names: 200 when all went, 207 when some of it stays."""
        query = read_query(request, "dry_run", "keep_bridge")
        dry_run, keep = read_switch(query, "dry_run"), read_switch(query, "keep_bridge")
        change = Change("down", "down", lane="wait", dry_run=dry_run)
        with refusing(self._service, change, request[PEER]):
            require_all(request[RIGHTS], request[PEER], "withdraw a topology")
        topology = await self._read_topology(request)
        change = change._replace(what=f"down, {len(topology.links)} links")

        def work(engine: Engine) -> Result:
            warnings: list[str] = []
            report = withdraw_topology(topology, engine, warn=warnings.append, keep=keep)
            data = report_json.encode_topology(_encode_hosts(report), report.jobs, ())
            stays = any(job.error is not None and job.guest is not None for job in report.jobs)
            return _answer(data, [*warnings, *_list_problems(report)], whole=not stays and _holds(report))

        return await answer_change(request, self._service, change, work)

    async def _read_topology(self, request: web.Request) -> Topology:
        data = await read_body(request)
        return await self._service.lanes.run("read", lambda _: bodies.parse_topology(data))


def _answer(data: dict[str, Any], warnings: list[str], *, whole: bool) -> Result:
    return HTTPStatus.OK if whole else HTTPStatus.MULTI_STATUS, {"whole": whole, **data, "warnings": warnings}


def _holds(report: TopologyReport) -> bool:
    return not report.host.has_failed and not report.host.not_removed


def _list_problems(report: TopologyReport) -> list[str]:
    return [*report.host.warnings, *report.host.not_removed]


def _encode_hosts(report: TopologyReport) -> list[dict[str, Any]]:
    return [
        report_json.encode_host_entry(result.entry.host, result.report, result.error, changed=result.changed)
        for result in report.host.results
    ]
