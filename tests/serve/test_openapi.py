"""The OpenAPI document: what is served, files and bodies are described once, and strangers' requests find no fault."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipework_core.serve.app import make_app
from pipework_core.serve.openapi import make_document
from pipework_core.serve.request_table import REQUESTS
from pipework_core.topology import schema

from .api import run_with, serving
from .fake import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .api import Api

#: Streams have no end, and what is no JSON has no schema.
_STREAMS = ("/v1/events", "/metrics")
DOCUMENT = make_document()


def test_every_request_is_in_the_table_and_the_other_way_round() -> None:
    served: set[tuple[str, str]] = set()

    async def test(api: Api) -> None:
        for route in make_app(api.service).router.routes():
            if route.method != "HEAD" and route.resource is not None:
                served.add((route.method.lower(), route.resource.canonical))

    run_with(World(), test)
    pages = {("get", "/"), ("get", "/page/{name}")}
    assert served - pages == {(request.method, request.path) for request in REQUESTS}


def test_bodies_have_the_keys_of_a_topology_file() -> None:
    """One schema: what `pipework schema` prints is what the API takes, but for machines."""
    file, ours = schema.make_schema(machines=False)["$defs"], DOCUMENT["components"]["schemas"]
    assert ours["AttachmentFields"]["properties"].keys() == file["LinkFields"]["properties"].keys()
    for name, part in file.items():
        assert ours[name]["properties"].keys() == part["properties"].keys(), name
        assert ours[name].get("additionalProperties") == part.get("additionalProperties")
    vlan = file["LinkFields"]["properties"]["vlan"]
    assert ours["AttachmentFields"]["properties"]["vlan"] == vlan


def test_references_lead_somewhere() -> None:
    found: list[str] = []

    def collect(part: Any) -> None:
        for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            collect(value)
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            found.append(part["$ref"])

    collect(DOCUMENT)
    assert found
    assert {ref.removeprefix("#/components/schemas/") for ref in found} <= DOCUMENT["components"]["schemas"].keys()
    for name, part in DOCUMENT["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(part), name


@contextmanager
def loopback(world: World) -> Iterator[tuple[str, str]]:
    """Serve in a thread; give the URL and the token."""
    ready, address, loop = threading.Event(), [""] * 2, asyncio.new_event_loop()
    end = asyncio.Event()

    async def serve() -> None:
        async with serving(world, allow_changes=True) as api:
            address[:] = api.base, api.token
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield address[0], address[1]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(20)
        loop.close()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    with loopback(World("web1", "0")) as where:
        yield where


API = schemathesis.openapi.from_dict(DOCUMENT)


@API.exclude(path=list(_STREAMS)).parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_strangers_find_no_fault(case: schemathesis.Case, served: tuple[str, str]) -> None:
    base, token = served
    answer = case.call(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=20)
    case.validate_response(
        answer,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
