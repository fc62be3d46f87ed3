"""`/v1/attachments`: list, attach, detach."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from pipework_core.engine import report_json
from pipework_core.model.attachment import address_words
from pipework_core.serve import bodies
from pipework_core.serve.changes import Change, answer_change, refusing
from pipework_core.serve.problem import RequestError
from pipework_core.serve.requests import PEER, RIGHTS, answer_json, read_body, read_query, read_switch
from pipework_core.serve.rights import require_attach, require_detach, require_hosts
from pipework_core.spec.grammar import parse_guest

if TYPE_CHECKING:
    from pipework_core.engine.engine import Engine
    from pipework_core.engine.inventory import Inventory
    from pipework_core.serve.operations import Result
    from pipework_core.serve.service import Service


class Attachments:
    """The handlers of attachments."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def list_routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        one = "/v1/attachments/{guest}/{interface}"
        return [
            web.get("/v1/attachments", self.list_all),
            web.get(one, self.show),
            web.put(one, self.attach),
            web.delete(one, self.detach),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        """Return what is attached, to `guest=` or to all."""
        query = read_query(request, "guest")
        guest = parse_guest(query["guest"]) if "guest" in query else ""
        found = await self._service.listing.read(guest)
        return answer_json(report_json.encode_list(found.attachments, found.warnings))

    async def show(self, request: web.Request) -> web.Response:
        """Return one attachment."""
        read_query(request)
        found = await self._find(*_read_names(request))
        return answer_json(report_json.encode_status(found.attachments[0]))

    async def attach(self, request: web.Request) -> web.Response:
        """Make an attachment: 201; 200 when there was nothing to do, or with `dry_run`."""
        dry_run = read_switch(read_query(request, "dry_run"), "dry_run")
        guest, interface = _read_names(request)
        change = Change("attach", "attach", guest, interface, dry_run=dry_run)
        with refusing(self._service, change, request[PEER]):
            require_hosts(request[RIGHTS], request[PEER], "attach")
        data = await read_body(request)
        asked = await self._service.lanes.run("read", lambda _: bodies.parse_attachment(guest, interface, data))
        words = " ".join([asked.where, *address_words(asked)])
        waits = asked.dhcp is not None or asked.auto or asked.probe
        change = change._replace(what=f"attach {words}", lane="wait" if waits else "change")
        with refusing(self._service, change, request[PEER]):
            require_attach(request[RIGHTS], request[PEER], asked)

        def work(engine: Engine) -> Result:
            context, report = engine.attach(asked)
            status = HTTPStatus.CREATED if report.changed and not dry_run else HTTPStatus.OK
            return status, report_json.encode_attachment(context, report, dry_run=dry_run)

        return await answer_change(request, self._service, change, work)

    async def detach(self, request: web.Request) -> web.Response:
        """Undo an attachment; 404 when there is none."""
        query = read_query(request, "dry_run", "keep_bridge")
        dry_run, keep = read_switch(query, "dry_run"), read_switch(query, "keep_bridge")
        guest, interface = _read_names(request)
        change = Change("detach", "detach", guest, interface, dry_run=dry_run)
        found = await self._find(guest, interface)
        with refusing(self._service, change, request[PEER]):
            require_detach(request[RIGHTS], request[PEER], found.attachments)

        def work(engine: Engine) -> Result:
            jobs = engine.detach(guest, interface, keep=keep, last=True)
            return HTTPStatus.OK, report_json.encode_detached(jobs, (), dry_run=dry_run)

        return await answer_change(request, self._service, change, work)

    async def _find(self, guest: str, interface: str) -> Inventory:
        """Return the attachments of a guest's interface; raise RequestError (404) when there are none."""
        found = await self._service.listing.read(guest)
        wanted = tuple(status for status in found.attachments if status.interface == interface)
        if not wanted:
            raise RequestError(
                HTTPStatus.NOT_FOUND,
                f"pipework attached no {interface!r} to {guest!r}.",
                hint="GET /v1/attachments lists what there is",
            )
        return found._replace(attachments=wanted)


def _read_names(request: web.Request) -> tuple[str, str]:
    return bodies.parse_names(request.match_info["guest"], request.match_info["interface"])
