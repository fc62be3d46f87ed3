"""The OpenAPI document (3.1), made of the table of requests and of the types of bodies, files and answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from pipework_core import __version__
from pipework_core.serve import answers
from pipework_core.serve.problem import CONTENT_TYPE
from pipework_core.serve.request_table import REQUESTS, Request
from pipework_core.topology import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

_JSON = "application/json"
_REF = "#/components/schemas/{name}"
#: What any request may be answered with, beside what its entry says.
_ALWAYS = (401, 403, 422)
_PROBLEMS = {
    400: "The body is no JSON, or not whole.",
    401: "On loopback: the token is missing.",
    403: "The policy does not allow it.",
    404: "There is no such guest, attachment or operation.",
    408: "The body did not come.",
    409: "Something else is there already.",
    413: "The body is larger than 1 MiB.",
    415: "The body is of another type than JSON.",
    422: "The words make no sense.",
    424: "The host lacks something, or a step failed and all was undone.",
    429: "Too much is under way.",
    503: "pipework is ending.",
}
#: What each line of a stream is.
_STREAMS = {"application/x-ndjson": {"$ref": _REF.format(name="Event")}}
_SWITCH = {"type": "string", "enum": ["1", "0", "true", "false", "yes", "no"]}
_QUERY = {
    "guest": ("a guest, as on the command line", {"type": "string", "minLength": 1}),
    "dry_run": ("change nothing, and tell the plan", _SWITCH),
    "keep_bridge": ("leave the bridge or VLAN that nobody uses any more", _SWITCH),
    "replace": ("give up what pipework attached for another request", _SWITCH),
    "atomic": ("all or nothing", _SWITCH),
    "prune": ("detach what the topology does not name", _SWITCH),
    "initial": ("tell first what there is", _SWITCH),
    "since": ("tell first what happened after the event with this id", {"type": "string", "pattern": "^[0-9]{1,18}$"}),
}


def make_document() -> dict[str, Any]:
    """Return the document as plain data."""
    paths: dict[str, dict[str, Any]] = {}
    for request in REQUESTS:
        paths.setdefault(request.path, {})[request.method] = _describe(request)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pipework",
            "version": __version__,
            "summary": "Plumb running containers into networks.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": make_schemas()},
    }


def make_schemas() -> dict[str, Any]:
    """Return the schemas of bodies and answers. Those of bodies are a topology file's."""
    own = [
        kind
        for kind in vars(answers).values()
        if isinstance(kind, type) and issubclass(kind, Struct) and kind is not Struct
    ]
    kinds = [kind for kind in own if not kind.__name__.startswith("_")]
    made = msgspec.json.schema_components(kinds, ref_template=_REF)[1]
    file = schema.make_schema(machines=False)["$defs"]
    for name, part in file.items():
        made[name] = _point_here(part)
    link = made["LinkFields"]
    made["AttachmentFields"] = {
        **link,
        "title": "AttachmentFields",
        "description": "The keys of a link of a topology. Guest and interface are those of the path.",
        "required": ["host", "address"],
    }
    made["AttachmentLine"] = {
        "title": "AttachmentLine",
        "type": "object",
        "properties": {"line": file["File"]["properties"]["links"]["items"]["anyOf"][0]},
        "required": ["line"],
        "additionalProperties": False,
    }
    both = [{"$ref": _REF.format(name=name)} for name in ("AttachmentFields", "AttachmentLine")]
    made["AttachmentRequest"] = {"title": "AttachmentRequest", "oneOf": both}
    return made


def _point_here(part: Any) -> Any:  # noqa: ANN401 - a piece of JSON
    """Return a piece of the file's schema with its references turned to this document."""
    if isinstance(part, dict):
        return {key: _point_here(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_point_here(value) for value in part]
    return part.replace("#/$defs/", _REF.format(name="")) if isinstance(part, str) else part


def _describe(request: Request) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", request.path)
    ]
    for name in request.query:
        says, kind = _QUERY[name]
        parameters.append({"name": name, "in": "query", "description": says, "schema": kind})
    if request.is_change:
        says = "respond-async: answer at once, and let an operation tell what came of it"
        parameters.append({"name": "Prefer", "in": "header", "description": says, "schema": {"const": "respond-async"}})
    made: dict[str, Any] = {
        "operationId": _name_operation(request),
        "summary": request.does,
        "parameters": parameters,
        "responses": {
            **{str(status): _describe_answer(kind) for status, kind in request.answers.items()},
            **_describe_problems(sorted({*_ALWAYS, *request.fails})),
        },
    }
    if request.body:
        content = {_JSON: {"schema": {"$ref": _REF.format(name=request.body)}}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _name_operation(request: Request) -> str:
    words = [word for word in re.split(r"[/{}.]+", request.path) if word not in {"", "v1"}]
    return "_".join([request.method, *words])


def _describe_answer(kind: type[Struct] | str) -> dict[str, Any]:
    if isinstance(kind, str):
        return {"description": "What is asked for.", "content": {kind: {"schema": _STREAMS.get(kind, {})}}}
    says = (kind.__doc__ or "").partition("\n")[0]
    return {"description": says, "content": {_JSON: {"schema": {"$ref": _REF.format(name=kind.__name__)}}}}


def _describe_problems(statuses: Iterable[int]) -> dict[str, Any]:
    content = {CONTENT_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {str(status): {"description": _PROBLEMS[status], "content": content} for status in statuses}
